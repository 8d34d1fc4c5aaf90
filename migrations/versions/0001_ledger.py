"""The journal's events, and a ledger that the database itself keeps whole.

Three walls, the same on both databases:
- declared constraints: at every commit the blocks of an issuance tile its serials exactly;
- inserting an entry is the only way to move serials: the trigger on `entry` checks that they stand where they
  are taken from, carves and merges the blocks, and every other statement on `block` is refused;
- history is append-only: events, postings, entries, issuances and accounts are neither changed nor deleted.
"""

from alembic import op
from sqlalchemy import text

revision = "0001_ledger"
down_revision = None
branch_labels = None
depends_on = None

KINDS = "'available', 'reserved', 'pending', 'held', 'buffer', 'retired', 'cancelled', 'expired', 'exported'"
FINAL = "'retired', 'cancelled', 'expired', 'exported'"

TABLES = """
CREATE TABLE registry_identity (
    id {whole} NOT NULL CONSTRAINT ck_registry_identity_only_one CHECK (id = 1),
    registry_id {text} NOT NULL,
    salt_key {blob} NOT NULL,
    CONSTRAINT pk_registry_identity PRIMARY KEY (id)
){strict};

CREATE TABLE event (
    id {serial},
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    actor {text} NOT NULL,
    at {moment} NOT NULL,
    body {blob} NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (id)
){strict};
CREATE INDEX ix_event_subject ON event (subject, id);

CREATE TABLE event_secret (
    event_id {whole} NOT NULL,
    field {text} NOT NULL,
    salt {blob} NOT NULL,
    value {text} NOT NULL,
    CONSTRAINT pk_event_secret PRIMARY KEY (event_id, field),
    CONSTRAINT fk_event_secret_event_id FOREIGN KEY (event_id) REFERENCES event (id)
){strict};

CREATE TABLE account (
    id {serial},
    kind {text} NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT ck_account_kind_known CHECK (kind IN ({kinds}))
){strict};

CREATE TABLE issuance (
    id {serial},
    first {whole} NOT NULL,
    quantity {whole} NOT NULL,
    CONSTRAINT pk_issuance PRIMARY KEY (id),
    CONSTRAINT ck_issuance_first_is_one CHECK (first = 1),
    CONSTRAINT ck_issuance_quantity_positive CHECK (quantity > 0),
    CONSTRAINT uq_issuance_id_quantity UNIQUE (id, quantity){issuance_covered}
){strict};

CREATE TABLE block (
    issuance_id {whole} NOT NULL,
    issued {whole} NOT NULL,
    first {whole} NOT NULL,
    last {whole} NOT NULL,
    account_id {whole} NOT NULL,
    next_first {whole},
    CONSTRAINT pk_block PRIMARY KEY (issuance_id, first),
    CONSTRAINT ck_block_inside_issuance CHECK (first >= 1 AND first <= last AND last <= issued),
    CONSTRAINT ck_block_next_follows CHECK (next_first = last + 1),
    CONSTRAINT ck_block_last_ends_issuance CHECK ((next_first IS NULL) = (last = issued)),
    CONSTRAINT fk_block_account_id FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT fk_block_issuance_id_issued FOREIGN KEY (issuance_id, issued)
        REFERENCES issuance (id, quantity) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_block_issuance_id_next_first FOREIGN KEY (issuance_id, next_first)
        REFERENCES block (issuance_id, first) DEFERRABLE INITIALLY DEFERRED
){strict};
CREATE UNIQUE INDEX uq_block_issuance_id_last ON block (issuance_id, last){no_key};
CREATE INDEX ix_block_account_id_issuance_id_first ON block (account_id, issuance_id, first);

CREATE TABLE posting (
    id {serial},
    event_id {whole} NOT NULL,
    at {moment} NOT NULL,
    CONSTRAINT pk_posting PRIMARY KEY (id),
    CONSTRAINT uq_posting_event_id UNIQUE (event_id),
    CONSTRAINT fk_posting_event_id FOREIGN KEY (event_id) REFERENCES event (id)
){strict};

CREATE TABLE entry (
    posting_id {whole} NOT NULL,
    issuance_id {whole} NOT NULL,
    first {whole} NOT NULL,
    last {whole} NOT NULL,
    from_account_id {whole},
    to_account_id {whole} NOT NULL,
    CONSTRAINT pk_entry PRIMARY KEY (posting_id, issuance_id, first),
    CONSTRAINT ck_entry_range_sound CHECK (first >= 1 AND first <= last),
    CONSTRAINT ck_entry_moves CHECK (from_account_id <> to_account_id),
    CONSTRAINT fk_entry_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id),
    CONSTRAINT fk_entry_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance (id),
    CONSTRAINT fk_entry_from_account_id FOREIGN KEY (from_account_id) REFERENCES account (id),
    CONSTRAINT fk_entry_to_account_id FOREIGN KEY (to_account_id) REFERENCES account (id)
){strict};
CREATE INDEX ix_entry_issuance_id_first ON entry (issuance_id, first);

CREATE TABLE request_claim (
    caller {text} NOT NULL,
    key {text} NOT NULL,
    request {text} NOT NULL,
    answer {text},
    CONSTRAINT pk_request_claim PRIMARY KEY (caller, key)
){strict};
"""

COVERED = """
    CONSTRAINT fk_issuance_id_first FOREIGN KEY (id, first)
        REFERENCES block (issuance_id, first) DEFERRABLE INITIALLY DEFERRED"""

WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "text": "TEXT",
        "blob": "BLOB",
        "moment": "TEXT",
        "strict": " STRICT",
        "no_key": "",
        "issuance_covered": "," + COVERED,
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "text": "TEXT",
        "blob": "BYTEA",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
        # A partial index is no key that others may refer to: so a neighbour's commit need not wait for a change of
        # `last`, and two neighbours cannot wait for each other.
        "no_key": " WHERE last > 0",
        "issuance_covered": "",
    },
}

KEPT = ("registry_identity", "event", "event_secret", "account", "issuance", "posting", "entry", "request_claim")
KEYS = {
    "registry_identity": "id",
    "event": "id",
    "event_secret": "event_id field",
    "account": "id",
    "issuance": "id",
    "posting": "id",
    "entry": "posting_id issuance_id first",
    "request_claim": "caller key",
}

SQLITE_MOVES = [
    # `moving` holds one row while the trigger on `entry` works, and nobody else can put one there: it takes an entry
    # of the newest posting whose serials still stand where they came from, and no posting moves a serial twice.
    """CREATE TABLE moving (
        issuance_id INTEGER NOT NULL, found_first INTEGER NOT NULL, found_last INTEGER NOT NULL,
        issued INTEGER NOT NULL, right_last INTEGER,
        CONSTRAINT pk_moving PRIMARY KEY (issuance_id)
    ) STRICT""",
    """CREATE TRIGGER moving_begins BEFORE INSERT ON moving BEGIN
        SELECT RAISE(ABORT, 'ledger: only an entry moves serials') WHERE NOT EXISTS (
            SELECT 1 FROM entry e WHERE e.posting_id = (SELECT max(id) FROM posting) AND e.issuance_id = NEW.issuance_id
              AND e.first BETWEEN NEW.found_first AND NEW.found_last AND CASE WHEN e.from_account_id IS NULL
                  THEN NOT EXISTS (SELECT 1 FROM block b WHERE b.issuance_id = e.issuance_id)
                  ELSE EXISTS (SELECT 1 FROM block b WHERE b.issuance_id = e.issuance_id AND b.first = NEW.found_first
                         AND b.last = NEW.found_last AND b.account_id = e.from_account_id
                         AND b.first <= e.first AND e.last <= b.last) END);
    END""",
    """CREATE TRIGGER entry_sound BEFORE INSERT ON entry BEGIN
        SELECT RAISE(ABORT, 'ledger: history is never rewritten') WHERE EXISTS (SELECT 1 FROM entry e
            WHERE e.posting_id = NEW.posting_id AND e.issuance_id = NEW.issuance_id AND e.first = NEW.first);
        SELECT RAISE(ABORT, 'ledger: an entry belongs to the newest posting')
            WHERE NEW.posting_id IS NOT (SELECT max(id) FROM posting);
        SELECT RAISE(ABORT, 'ledger: a posting moves a serial once, to another account')
            WHERE NEW.first > NEW.last OR NEW.from_account_id = NEW.to_account_id OR NEW.first <= (
                SELECT e.last FROM entry e WHERE e.posting_id = NEW.posting_id AND e.issuance_id = NEW.issuance_id
                  AND e.first <= NEW.last ORDER BY e.first DESC LIMIT 1);
        SELECT RAISE(ABORT, 'ledger: an issuance is issued once and whole') WHERE NEW.from_account_id IS NULL AND (
            NEW.first <> 1 OR NEW.last IS NOT (SELECT quantity FROM issuance WHERE id = NEW.issuance_id)
            OR EXISTS (SELECT 1 FROM block WHERE issuance_id = NEW.issuance_id));
        SELECT RAISE(ABORT, 'ledger: retired, cancelled, expired and exported are final')
            WHERE (SELECT kind FROM account WHERE id = NEW.from_account_id) IN ({final});
        SELECT RAISE(ABORT, 'ledger: the serials are not in that account')
            WHERE NEW.from_account_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM block
                WHERE issuance_id = NEW.issuance_id AND first <= NEW.first AND last >= NEW.last
                  AND account_id = NEW.from_account_id);
    END""",
    """CREATE TRIGGER entry_moves AFTER INSERT ON entry BEGIN
        INSERT INTO moving (issuance_id, found_first, found_last, issued)
            SELECT NEW.issuance_id, coalesce(b.first, 1), coalesce(b.last, NEW.last), i.quantity
            FROM issuance i LEFT JOIN block b ON b.issuance_id = i.id AND b.first <= NEW.first AND b.last >= NEW.last
            WHERE i.id = NEW.issuance_id;
        -- newly issued
        INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
            SELECT NEW.issuance_id, NEW.last, 1, NEW.last, NEW.to_account_id, NULL WHERE NEW.from_account_id IS NULL;
        -- carve off what stays behind on the right, then on the left
        UPDATE block SET last = NEW.last, next_first = NEW.last + 1
            WHERE issuance_id = NEW.issuance_id AND first = (SELECT found_first FROM moving) AND last > NEW.last;
        INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
            SELECT issuance_id, issued, NEW.last + 1, found_last, NEW.from_account_id,
                   CASE WHEN found_last < issued THEN found_last + 1 END
            FROM moving WHERE found_last > NEW.last;
        UPDATE block SET last = NEW.first - 1, next_first = NEW.first
            WHERE issuance_id = NEW.issuance_id AND first = (SELECT found_first FROM moving) AND first < NEW.first;
        INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
            SELECT issuance_id, issued, NEW.first, NEW.last, NEW.to_account_id,
                   CASE WHEN NEW.last < issued THEN NEW.last + 1 END
            FROM moving WHERE found_first < NEW.first;
        UPDATE block SET account_id = NEW.to_account_id
            WHERE issuance_id = NEW.issuance_id AND first = NEW.first AND account_id IS NOT NEW.to_account_id;
        -- merge with a neighbour of the same account: right, then left
        UPDATE moving SET right_last = (SELECT last FROM block WHERE issuance_id = NEW.issuance_id
            AND first = NEW.last + 1 AND account_id = NEW.to_account_id);
        DELETE FROM block WHERE issuance_id = NEW.issuance_id AND first = NEW.last + 1
            AND account_id = NEW.to_account_id;
        UPDATE block SET last = (SELECT right_last FROM moving),
                next_first = (SELECT CASE WHEN right_last < issued THEN right_last + 1 END FROM moving)
            WHERE issuance_id = NEW.issuance_id AND first = NEW.first
              AND (SELECT right_last FROM moving) IS NOT NULL;
        UPDATE moving SET right_last = (SELECT last FROM block WHERE issuance_id = NEW.issuance_id AND first = NEW.first);
        DELETE FROM block WHERE issuance_id = NEW.issuance_id AND first = NEW.first AND EXISTS (
            SELECT 1 FROM block l WHERE l.issuance_id = NEW.issuance_id AND l.last = NEW.first - 1
              AND l.account_id = NEW.to_account_id);
        UPDATE block SET last = (SELECT right_last FROM moving),
                next_first = (SELECT CASE WHEN right_last < issued THEN right_last + 1 END FROM moving)
            WHERE issuance_id = NEW.issuance_id AND last = NEW.first - 1 AND account_id = NEW.to_account_id;
        DELETE FROM moving;
    END""",
]

POSTGRESQL_MOVES = [
    """CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'ledger: %', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    # The search path ends with temporary tables, so that nobody can slip one of these names under it.
    """CREATE FUNCTION ledger_move() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
    DECLARE
        held block%ROWTYPE;
        neighbour block%ROWTYPE;
        own_first BIGINT := NEW.first;
        own_last BIGINT := NEW.last;
        written_by BIGINT;
        moved_to BIGINT;
        source_kind TEXT;
    BEGIN
        -- One query, for each costs as much as its work.
        SELECT (pg_current_xact_id()::text::bigint >> 32 << 32) + p.xmin::text::bigint,
               (SELECT e.last FROM entry e WHERE e.posting_id = NEW.posting_id AND e.issuance_id = NEW.issuance_id
                AND e.first <= NEW.last AND e.first <> NEW.first ORDER BY e.first DESC LIMIT 1),
               (SELECT a.kind FROM account a WHERE a.id = NEW.from_account_id)
            INTO written_by, moved_to, source_kind FROM posting p WHERE p.id = NEW.posting_id;
        -- Numbered and written by this very transaction, savepoints included: nothing else is visible and in progress.
        IF pg_xact_status(written_by::text::xid8) IS DISTINCT FROM 'in progress'
           OR NEW.posting_id <> currval('posting_id_seq') THEN
            RAISE EXCEPTION 'ledger: an entry belongs to the newest posting'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.first <= moved_to THEN
            RAISE EXCEPTION 'ledger: a posting moves a serial once, to another account'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.from_account_id IS NULL THEN
            IF NEW.first <> 1 OR EXISTS (SELECT 1 FROM block b WHERE b.issuance_id = NEW.issuance_id)
               OR NOT EXISTS (SELECT 1 FROM issuance i WHERE i.id = NEW.issuance_id AND i.quantity = NEW.last) THEN
                RAISE EXCEPTION 'ledger: an issuance is issued once and whole'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
                VALUES (NEW.issuance_id, NEW.last, 1, NEW.last, NEW.to_account_id, NULL);
            RETURN NULL;
        END IF;
        IF source_kind IN ({final}) THEN
            RAISE EXCEPTION 'ledger: retired, cancelled, expired and exported are final'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT * INTO held FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first <= NEW.first
            ORDER BY b.first DESC LIMIT 1 FOR NO KEY UPDATE;
        IF held.account_id IS DISTINCT FROM NEW.from_account_id OR held.last < NEW.last THEN
            RAISE EXCEPTION 'ledger: the serials are not in that account'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- Carve off what stays behind on the left, then on the right. What stays on the left keeps its row, so that
        -- those who wait for it find it again.
        IF held.first < NEW.first THEN
            UPDATE block b SET last = NEW.first - 1, next_first = NEW.first
                WHERE b.issuance_id = NEW.issuance_id AND b.first = held.first;
            INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
                VALUES (NEW.issuance_id, held.issued, NEW.first, NEW.last, NEW.to_account_id,
                        CASE WHEN NEW.last < held.issued THEN NEW.last + 1 END);
        ELSE
            UPDATE block b SET account_id = NEW.to_account_id, last = NEW.last,
                    next_first = CASE WHEN NEW.last < held.issued THEN NEW.last + 1 END
                WHERE b.issuance_id = NEW.issuance_id AND b.first = NEW.first;
        END IF;
        IF held.last > NEW.last THEN
            INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
                VALUES (NEW.issuance_id, held.issued, NEW.last + 1, held.last, held.account_id, held.next_first);
        END IF;
        -- Merge with a neighbour of the same account, unless somebody else is at work on it: waiting here could deadlock.
        SELECT * INTO neighbour FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = own_last + 1
            AND b.account_id = NEW.to_account_id FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            DELETE FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = neighbour.first;
            UPDATE block b SET last = neighbour.last, next_first = neighbour.next_first
                WHERE b.issuance_id = NEW.issuance_id AND b.first = own_first;
            own_last := neighbour.last;
        END IF;
        SELECT * INTO neighbour FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.last = own_first - 1 AND b.last > 0
            AND b.account_id = NEW.to_account_id FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            DELETE FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = own_first
                RETURNING b.next_first INTO held.next_first;
            UPDATE block b SET last = own_last, next_first = held.next_first
                WHERE b.issuance_id = NEW.issuance_id AND b.first = neighbour.first;
        END IF;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER entry_moves AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION ledger_move()",
    # Not walls, but one trip each: which serials a movement takes, locked, always in the order of serials; nothing
    # where they are not there. A block that was carved up while we waited for its lock is gone from our sight: so only
    # a plain reading of one moment may say that. Otherwise look again, with the locks let go: whoever holds one
    # must not wait for a lower serial.
    """CREATE FUNCTION ledger_pick(of_issuance BIGINT, source BIGINT, wanted BIGINT)
       RETURNS TABLE (first BIGINT, last BIGINT) LANGUAGE plpgsql AS $$
    DECLARE
        lowest CURSOR FOR SELECT b.first, b.last FROM block b
            WHERE b.account_id = source AND b.issuance_id = of_issuance ORDER BY b.first FOR NO KEY UPDATE;
        found BIGINT;
        firsts BIGINT[];
        lasts BIGINT[];
    BEGIN
        -- Who sells much sells to many at once: they queue here, each called when its turn comes, instead of all of them
        -- running for the same block whenever it is let go.
        PERFORM pg_advisory_xact_lock(hashint8extended(source, of_issuance));
        LOOP
            BEGIN
                found := 0;
                firsts := NULL;
                lasts := NULL;
                FOR held IN lowest LOOP
                    firsts := firsts || held.first;
                    lasts := lasts || held.last;
                    found := found + held.last - held.first + 1;
                    EXIT WHEN found >= wanted;
                END LOOP;
                IF found >= wanted THEN
                    RETURN QUERY SELECT * FROM unnest(firsts, lasts);
                    RETURN;
                END IF;
                RAISE EXCEPTION USING ERRCODE = 'ASMC1';
            EXCEPTION WHEN SQLSTATE 'ASMC1' THEN NULL;
            END;
            IF wanted > (SELECT coalesce(sum(b.last - b.first + 1), 0) FROM block b
                         WHERE b.account_id = source AND b.issuance_id = of_issuance) THEN
                RETURN;
            END IF;
        END LOOP;
    END $$""",
    """CREATE FUNCTION ledger_lock(issuances BIGINT[], firsts BIGINT[], lasts BIGINT[], sources BIGINT[])
       RETURNS TABLE (place BIGINT, first BIGINT, last BIGINT) LANGUAGE plpgsql AS $$
    DECLARE
        places BIGINT[];
        begins BIGINT[];
        ends BIGINT[];
        held RECORD;
        found BIGINT;
    BEGIN
        LOOP
            BEGIN
                places := NULL;
                begins := NULL;
                ends := NULL;
                FOR at IN 1..cardinality(issuances) LOOP
                    found := 0;
                    FOR held IN SELECT greatest(b.first, firsts[at]) AS first, least(b.last, lasts[at]) AS last FROM block b
                        WHERE b.issuance_id = issuances[at] AND b.account_id = sources[at]
                          AND b.first <= lasts[at] AND b.last >= firsts[at] AND b.first >= (SELECT max(c.first)
                              FROM block c WHERE c.issuance_id = issuances[at] AND c.first <= firsts[at])
                        ORDER BY b.first FOR NO KEY UPDATE OF b
                    LOOP
                        places := places || at;
                        begins := begins || held.first;
                        ends := ends || held.last;
                        found := found + held.last - held.first + 1;
                    END LOOP;
                    IF found < lasts[at] - firsts[at] + 1 THEN
                        RAISE EXCEPTION USING ERRCODE = 'ASMC1';
                    END IF;
                END LOOP;
                RETURN QUERY SELECT * FROM unnest(places, begins, ends);
                RETURN;
            EXCEPTION WHEN SQLSTATE 'ASMC1' THEN NULL;
            END;
            IF EXISTS (SELECT 1 FROM unnest(issuances, firsts, lasts, sources) named (issuance, first, last, source)
                    WHERE named.last - named.first + 1 > (
                        SELECT coalesce(sum(least(b.last, named.last) - greatest(b.first, named.first) + 1), 0)
                        FROM block b WHERE b.issuance_id = named.issuance AND b.account_id = named.source
                         AND b.first <= named.last AND b.last >= named.first)) THEN
                RETURN;
            END IF;
        END LOOP;
    END $$""",
    """CREATE TRIGGER block_guarded BEFORE INSERT OR UPDATE OR DELETE ON block FOR EACH ROW
       WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse('only an entry moves serials')""",
    """CREATE TRIGGER block_never_emptied BEFORE TRUNCATE ON block
       EXECUTE FUNCTION ledger_refuse('only an entry moves serials')""",
]


# A bare connection keeps no foreign keys, and its REPLACE deletes rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
KEEPS_REFERENCES = " AND (SELECT foreign_keys FROM pragma_foreign_keys)"
# Not the others: migrations write accounts while foreign keys are off.
REFERRING = ("event_secret", "issuance", "posting", "entry")


def keep_sqlite() -> list[str]:
    """What a row once written refuses on SQLite, `INSERT OR REPLACE` included."""
    statements = []
    for table in KEPT:
        careful = CAREFUL + (KEEPS_REFERENCES if table in REFERRING else "")
        for act in ("INSERT", "UPDATE"):
            statements.append(
                f"""CREATE TRIGGER {table}_carefully_{act.lower()} BEFORE {act} ON {table} WHEN NOT ({careful})
                    BEGIN SELECT RAISE(ABORT, 'ledger: this connection keeps no rules; see credits/db.py'); END"""
            )
    for act in ("INSERT", "UPDATE", "DELETE"):
        statements.append(
            f"""CREATE TRIGGER block_guarded_{act.lower()} BEFORE {act} ON block
                WHEN NOT EXISTS (SELECT 1 FROM moving)
                BEGIN SELECT RAISE(ABORT, 'ledger: only an entry moves serials'); END"""
        )
    for table in KEPT:
        same = " AND ".join(f"old.{column} = NEW.{column}" for column in KEYS[table].split())
        if table != "entry":  # there `entry_sound` says so
            statements.append(
                f"""CREATE TRIGGER {table}_never_replaced BEFORE INSERT ON {table}
                    WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same})
                    BEGIN SELECT RAISE({"IGNORE" if table == "request_claim" else "ABORT"}
                    {"" if table == "request_claim" else ", 'ledger: history is never rewritten'"}); END"""
            )
        statements.append(
            f"""CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table}
                BEGIN SELECT RAISE(ABORT, 'ledger: history is never rewritten'); END"""
        )
        statements.append(
            f"""CREATE TRIGGER {table}_never_changed BEFORE UPDATE ON {table} {answered("IS NOT") if table == "request_claim" else ""}
                BEGIN SELECT RAISE(ABORT, 'ledger: history is never rewritten'); END"""
        )
    return statements


def keep_postgresql() -> list[str]:
    statements = []
    for table in KEPT:
        refuse = "EXECUTE FUNCTION ledger_refuse('history is never rewritten')"
        when = answered("IS DISTINCT FROM") if table == "request_claim" else ""
        statements += [
            f"CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
            f"CREATE TRIGGER {table}_never_changed BEFORE UPDATE ON {table} FOR EACH ROW {when} {refuse}",
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} {refuse}",
        ]
    return statements


def answered(differs: str) -> str:
    """The one change that a claimed key allows: its answer is filled in, once."""
    return f"""WHEN (OLD.answer IS NOT NULL OR NEW.caller {differs} OLD.caller OR NEW.key {differs} OLD.key
               OR NEW.request {differs} OLD.request)"""


IDENTITY = {
    "sqlite": """INSERT INTO registry_identity (id, registry_id, salt_key)
                 VALUES (1, lower(hex(randomblob(16))), randomblob(32))""",
    "postgresql": """INSERT INTO registry_identity (id, registry_id, salt_key) VALUES (1, replace(gen_random_uuid()::text, '-', ''),
                     uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))""",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(kinds=KINDS, **WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    if dialect == "postgresql":
        op.execute("ALTER TABLE issuance ADD" + COVERED)
    op.execute(IDENTITY[dialect])
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    moves, keep = (SQLITE_MOVES, keep_sqlite()) if dialect == "sqlite" else (POSTGRESQL_MOVES, keep_postgresql())
    for statement in [*moves, *keep]:
        op.execute(statement.replace("{final}", FINAL).replace("{schema}", schema))


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute("ALTER TABLE issuance DROP CONSTRAINT fk_issuance_id_first")
    tables = ["request_claim", "entry", "posting", "block", "issuance", "account", "event_secret", "event"]
    for table in [*(["moving"] if dialect == "sqlite" else []), *tables, "registry_identity"]:
        op.execute(f"DROP TABLE {table}")
    if dialect == "postgresql":
        for name in ("ledger_move", "ledger_refuse", "ledger_pick", "ledger_lock"):
            op.execute(f"DROP FUNCTION {name}")

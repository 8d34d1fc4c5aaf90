"""The same walls with fewer pages and fewer questions: what a posting writes and asks is what it costs.

- One index says both that ends are unique and who names a block as its successor, for `next_first` is `last` + 1; a
  second one says that one block alone has no successor.
- What an entry refers to is held by the block that it moves and by the trigger that moves it, which refuses every
  other posting, issuance and account: the references of the entry itself asked the same once more.
- On SQLite the rows of `entry` stand in the tree of their key, where they stood beside it.
- A neighbour is looked for only where one can be: not on a side where something stays behind.
"""

from alembic import op
from sqlalchemy import text

revision = "0032_fewer_pages"
down_revision = "0031_settled_stands"
branch_labels = None
depends_on = None

FINAL = "'retired', 'cancelled', 'expired', 'exported'"

ENTRY = """CREATE TABLE entry (
    posting_id INTEGER NOT NULL,
    issuance_id INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    from_account_id INTEGER,
    to_account_id INTEGER NOT NULL,
    CONSTRAINT pk_entry PRIMARY KEY (posting_id, issuance_id, first),
    CONSTRAINT ck_entry_range_sound CHECK (first >= 1 AND first <= last),
    CONSTRAINT ck_entry_moves CHECK (from_account_id <> to_account_id){references}
) STRICT{kind}"""

REFERENCES = {
    f"fk_entry_{column}": f"FOREIGN KEY ({column}) REFERENCES {table} (id)"
    for column, table in (
        ("posting_id", "posting"),
        ("issuance_id", "issuance"),
        ("from_account_id", "account"),
        ("to_account_id", "account"),
    )
}

BY_POSTING = "CREATE INDEX ix_entry_issuance_id_posting_id ON entry (issuance_id, posting_id, first)"
# Partial, so that they are no keys that others may refer to: a neighbour's commit need not wait for a change of them.
SUCCEEDED = """CREATE UNIQUE INDEX uq_block_issuance_id_next_first ON block (issuance_id, next_first)
               WHERE next_first IS NOT NULL"""
ENDED = "CREATE UNIQUE INDEX uq_block_issuance_id ON block (issuance_id) WHERE next_first IS NULL"
# As they were before.
NAMED = "CREATE INDEX ix_block_issuance_id_next_first ON block (issuance_id, next_first)"
ENDS = "CREATE UNIQUE INDEX uq_block_issuance_id_last ON block (issuance_id, last)"

MOVING = """CREATE TABLE moving (
    issuance_id INTEGER NOT NULL, found_first INTEGER NOT NULL, found_last INTEGER NOT NULL,
    issued INTEGER NOT NULL, left_first INTEGER, own_last INTEGER, own_next INTEGER, right_first INTEGER,
    CONSTRAINT pk_moving PRIMARY KEY (issuance_id)
) STRICT"""

ENTRY_SOUND = f"""CREATE TRIGGER entry_sound BEFORE INSERT ON entry BEGIN
    SELECT RAISE(ABORT, 'ledger: history is never rewritten') WHERE EXISTS (SELECT 1 FROM entry e
        WHERE e.posting_id = NEW.posting_id AND e.issuance_id = NEW.issuance_id AND e.first = NEW.first);
    SELECT RAISE(ABORT, 'ledger: an entry belongs to the newest posting')
        WHERE NEW.posting_id IS NOT (SELECT max(id) FROM posting);
    SELECT RAISE(ABORT, 'ledger: a posting moves a serial once, to another account')
        WHERE NEW.first > NEW.last OR NEW.from_account_id = NEW.to_account_id OR NEW.first <= (
            SELECT e.last FROM entry e WHERE e.posting_id = NEW.posting_id AND e.issuance_id = NEW.issuance_id
              AND e.first <= NEW.last ORDER BY e.first DESC LIMIT 1);
    -- Now, whatever this connection puts off until its commit: what passes through nobody's account leaves no block there.
    SELECT RAISE(ABORT, 'ledger: there is no such account')
        WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.to_account_id);
    SELECT RAISE(ABORT, 'ledger: an issuance is issued once and whole') WHERE NEW.from_account_id IS NULL AND (
        NEW.first <> 1 OR NEW.last IS NOT (SELECT quantity FROM issuance WHERE id = NEW.issuance_id)
        OR EXISTS (SELECT 1 FROM block WHERE issuance_id = NEW.issuance_id));
    SELECT RAISE(ABORT, 'ledger: retired, cancelled, expired and exported are final')
        WHERE (SELECT kind FROM account WHERE id = NEW.from_account_id) IN ({FINAL});
    SELECT RAISE(ABORT, 'ledger: the serials are not in that account')
        WHERE NEW.from_account_id IS NOT NULL AND NEW.from_account_id IS NOT (
            SELECT CASE WHEN b.last >= NEW.last THEN b.account_id END FROM block b
            WHERE b.issuance_id = NEW.issuance_id AND b.first <= NEW.first ORDER BY b.first DESC LIMIT 1);
END"""

# `moving` says what is found where the serials stand, and what becomes of them: `own_last` and `own_next` are those of
# the block that they end up in, `left_first` that of the block of their new account which they are put on to, and
# `right_first` that of one which is put on to them.
ENTRY_MOVES = """CREATE TRIGGER entry_moves AFTER INSERT ON entry BEGIN
    INSERT INTO moving (issuance_id, found_first, found_last, issued, left_first, own_last, own_next, right_first)
        SELECT NEW.issuance_id, coalesce(f.first, 1), coalesce(f.last, NEW.last), i.quantity, l.first,
               coalesce(r.last, NEW.last),
               CASE WHEN coalesce(r.last, NEW.last) < i.quantity THEN coalesce(r.last, NEW.last) + 1 END, r.first
        FROM issuance i
        LEFT JOIN block f ON f.issuance_id = i.id
            AND f.first = (SELECT max(b.first) FROM block b WHERE b.issuance_id = i.id AND b.first <= NEW.first)
        LEFT JOIN block l ON l.issuance_id = i.id AND l.next_first = NEW.first AND l.account_id = NEW.to_account_id
        LEFT JOIN block r ON r.issuance_id = i.id AND r.first = NEW.last + 1 AND r.account_id = NEW.to_account_id
        WHERE i.id = NEW.issuance_id;
    -- neighbours of the new account make way: the one on the right, and what is put on to the one on the left
    DELETE FROM block WHERE issuance_id = NEW.issuance_id AND first = (SELECT right_first FROM moving);
    DELETE FROM block WHERE issuance_id = NEW.issuance_id
        AND first = (SELECT NEW.first FROM moving WHERE left_first IS NOT NULL);
    -- what stays behind on the left keeps its row
    UPDATE block SET last = NEW.first - 1, next_first = NEW.first WHERE issuance_id = NEW.issuance_id
        AND first = (SELECT found_first FROM moving WHERE found_first < NEW.first);
    UPDATE block SET account_id = NEW.to_account_id, last = (SELECT own_last FROM moving),
            next_first = (SELECT own_next FROM moving)
        WHERE issuance_id = NEW.issuance_id AND first = (SELECT coalesce(left_first, NEW.first) FROM moving);
    INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
        SELECT issuance_id, issued, NEW.first, own_last, NEW.to_account_id, own_next FROM moving
        WHERE found_first < NEW.first OR NEW.from_account_id IS NULL;
    INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
        SELECT issuance_id, issued, NEW.last + 1, found_last, NEW.from_account_id,
               CASE WHEN found_last < issued THEN found_last + 1 END
        FROM moving WHERE found_last > NEW.last;
    DELETE FROM moving;
END"""

LEDGER_MOVE = """CREATE OR REPLACE FUNCTION ledger_move() RETURNS trigger LANGUAGE plpgsql
    SET search_path = {schema}, pg_temp AS $$
DECLARE
    held block%ROWTYPE;
    neighbour block%ROWTYPE;
    own_next BIGINT;
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
    own_next := CASE WHEN NEW.last < held.issued THEN NEW.last + 1 END;
    -- Carve off what stays behind on the left, then on the right. What stays on the left keeps its row, so that
    -- those who wait for it find it again.
    IF held.first < NEW.first THEN
        UPDATE block b SET last = NEW.first - 1, next_first = NEW.first
            WHERE b.issuance_id = NEW.issuance_id AND b.first = held.first;
        INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
            VALUES (NEW.issuance_id, held.issued, NEW.first, NEW.last, NEW.to_account_id, own_next);
    ELSE
        UPDATE block b SET account_id = NEW.to_account_id, last = NEW.last, next_first = own_next
            WHERE b.issuance_id = NEW.issuance_id AND b.first = NEW.first;
    END IF;
    -- Where nothing stays behind, merge with a neighbour of the same account, unless somebody else is at work on it:
    -- waiting here could deadlock.
    IF held.last > NEW.last THEN
        INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
            VALUES (NEW.issuance_id, held.issued, NEW.last + 1, held.last, held.account_id, held.next_first);
    ELSIF own_next IS NOT NULL THEN
        SELECT * INTO neighbour FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = own_next
            AND b.account_id = NEW.to_account_id FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            DELETE FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = neighbour.first;
            UPDATE block b SET last = neighbour.last, next_first = neighbour.next_first
                WHERE b.issuance_id = NEW.issuance_id AND b.first = NEW.first;
        END IF;
    END IF;
    IF held.first = NEW.first AND NEW.first > 1 THEN
        SELECT * INTO neighbour FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.next_first = NEW.first
            AND b.account_id = NEW.to_account_id FOR NO KEY UPDATE SKIP LOCKED;
        IF FOUND THEN
            DELETE FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first = NEW.first
                RETURNING b.last, b.next_first INTO held.last, held.next_first;
            UPDATE block b SET last = held.last, next_first = held.next_first
                WHERE b.issuance_id = NEW.issuance_id AND b.first = neighbour.first;
        END IF;
    END IF;
    RETURN NULL;
END $$"""


def upgrade() -> None:
    for statement in (SUCCEEDED, ENDED, f"DROP INDEX {name_of(ENDS)}", f"DROP INDEX {name_of(NAMED)}"):
        op.execute(statement)
    if op.get_bind().dialect.name == "sqlite":
        rebuild("entry", ENTRY.format(kind=", WITHOUT ROWID", references=""), BY_POSTING)
        rebuild("moving", MOVING)
        for name, body in (("entry_sound", ENTRY_SOUND), ("entry_moves", ENTRY_MOVES)):
            op.execute(f"DROP TRIGGER {name}")
            op.execute(body)
        return
    for name in REFERENCES:
        op.execute(f"ALTER TABLE entry DROP CONSTRAINT {name}")
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    op.execute(LEDGER_MOVE.replace("{schema}", schema).replace("{final}", FINAL))


def downgrade() -> None:
    """The triggers stay as they are: they ask for nothing that was not there before, and refuse the same."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    ends = ENDS if sqlite else f"{ENDS} WHERE last > 0"
    for statement in (NAMED, ends, f"DROP INDEX {name_of(SUCCEEDED)}", f"DROP INDEX {name_of(ENDED)}"):
        op.execute(statement)
    if sqlite:
        listed = "".join(f",\n    CONSTRAINT {name} {reference}" for name, reference in REFERENCES.items())
        rebuild("entry", ENTRY.format(kind="", references=listed), BY_POSTING)
        return
    for name, reference in REFERENCES.items():
        op.execute(f"ALTER TABLE entry ADD CONSTRAINT {name} {reference}")


def name_of(index: str) -> str:
    return index.partition(" ON ")[0].rpartition(" ")[2]


def rebuild(table: str, *statements: str) -> None:
    """Make a table anew on SQLite, with its rows and its triggers: they are made last, so they refuse none of them."""
    run = op.get_bind().exec_driver_sql
    triggers = run("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)).fetchall()
    run(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {table}")
    run(f"DROP TABLE {table}")
    run(statements[0])
    if table != "moving":  # empty but inside one statement
        run(f"INSERT INTO {table} SELECT * FROM kept")
    run("DROP TABLE kept")
    for statement in [*statements[1:], *(each for (each,) in triggers)]:
        run(statement)

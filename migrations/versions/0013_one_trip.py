"""Claim a key, pick serials, and write event, posting and entries: in one trip to PostgreSQL.

No wall: every wall stands behind it, and the same steps can be taken one by one (credits/ledger/once.py), as they are on
SQLite, to which there is no trip. What it writes is the same to the byte.
"""

from alembic import op

revision = "0013_one_trip"
down_revision = "0012_history"
branch_labels = None
depends_on = None

# before, after: the event's bytes around the list of its serials. number: of the issuance, and state: what the check
# character (ISO 7064, MOD 37,36) of its serials has come to at the number's end.
ONCE = """
CREATE FUNCTION ledger_post_once(
    of_caller TEXT, of_key TEXT, of_request TEXT, of_issuance BIGINT, source BIGINT, target BIGINT, wanted BIGINT, posted_at TIMESTAMPTZ,
    of_kind TEXT, of_subject TEXT, of_actor TEXT, of_time TIMESTAMPTZ, before BYTEA, after BYTEA, number TEXT, state INTEGER,
    most_ranges INTEGER
) RETURNS TEXT LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    posting_id BIGINT;
    event_id BIGINT;
    held RECORD;
    firsts BIGINT[];
    lasts BIGINT[];
    missing BIGINT := wanted;
    begins BIGINT[];  -- of the ranges: blocks that touch are told as one
    ends BIGINT[];
    pair TEXT;
    digits BYTEA;
    product INTEGER;
    serials TEXT[];
BEGIN
    INSERT INTO request_claim (caller, key, request) VALUES (of_caller, of_key, of_request) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT '{"request": ' || c.request || ', "answer": ' || coalesce(c.answer, 'null') || '}'
                FROM request_claim c WHERE c.caller = of_caller AND c.key = of_key);
    END IF;
    -- Mostly the lowest block is enough. Turns are taken as in ledger_pick, which is asked for more.
    PERFORM pg_advisory_xact_lock(hashint8extended(source, of_issuance));
    SELECT b.first, b.last INTO held FROM block b WHERE b.account_id = source AND b.issuance_id = of_issuance
        ORDER BY b.first LIMIT 1 FOR NO KEY UPDATE;
    IF held.last - held.first + 1 >= wanted THEN
        begins := ARRAY[held.first];
        ends := ARRAY[held.first + wanted - 1];
        firsts := begins;
        lasts := ends;
        missing := 0;
    ELSE
        FOR held IN SELECT p.first, p.last FROM ledger_pick(of_issuance, source, wanted) p LOOP
            held.last := least(held.last, held.first + missing - 1);
            missing := missing - (held.last - held.first + 1);
            firsts := firsts || held.first;
            lasts := lasts || held.last;
            IF held.first = ends[cardinality(ends)] + 1 THEN
                ends[cardinality(ends)] := held.last;
            ELSE
                begins := begins || held.first;
                ends := ends || held.last;
            END IF;
        END LOOP;
    END IF;
    IF missing > 0 OR before IS NULL OR cardinality(begins) > most_ranges THEN
        RETURN '{"posting": null}';  -- what was picked is locked; the rest is up to who asked
    END IF;
    FOR place IN 1..cardinality(begins) LOOP
        pair := lpad(begins[place]::text, greatest(9, length(begins[place]::text)), '0') || '-'
             || lpad(ends[place]::text, greatest(9, length(ends[place]::text)), '0');
        digits := replace(pair, '-', '')::bytea;
        product := state;
        FOR i IN 0..octet_length(digits) - 1 LOOP
            product := ((product + get_byte(digits, i) - 49) % 36 + 1) * 2 % 37;
        END LOOP;
        serials := serials || (number || '-' || pair || '-'
                || substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', (37 - product) % 36 + 1, 1));
    END LOOP;
    INSERT INTO event (kind, subject, actor, at, body)
        VALUES (of_kind, of_subject, of_actor, of_time, before || array_to_json(serials)::text::bytea || after)
        RETURNING id INTO event_id;
    -- Numbered only now that nobody is waited for: postings are read in the order of their numbers.
    INSERT INTO posting (event_id, at) VALUES (event_id, posted_at) RETURNING id INTO posting_id;
    INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)
        SELECT posting_id, of_issuance, moved.first, moved.last, source, target
        FROM unnest(firsts, lasts) moved (first, last);
    -- A refusal undoes this with everything else, and is written down under the key anew.
    UPDATE request_claim c SET answer = '{"result": {"posting": ' || posting_id || '}}'
        WHERE c.caller = of_caller AND c.key = of_key;
    RETURN '{"posting": ' || posting_id || ', "event": ' || event_id || ', "firsts": ' || array_to_json(firsts)
           || ', "lasts": ' || array_to_json(lasts) || ', "serials": ' || array_to_json(serials) || '}';
END $$
"""


# Whoever takes a block away is asked for the one that named it as its successor: without an index, by reading them all.
NAMED = "CREATE INDEX ix_block_issuance_id_next_first ON block (issuance_id, next_first)"


def upgrade() -> None:
    op.execute(NAMED)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(ONCE)


def downgrade() -> None:
    op.execute("DROP INDEX ix_block_issuance_id_next_first")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ledger_post_once")

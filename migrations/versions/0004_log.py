"""Give every event a place in a published, tamper-evident log.

Leaves, subtrees, checkpoints and cosignatures are only ever added; the database refuses everything else. On
PostgreSQL an event also keeps the number of its transaction: events commit in another order than they are numbered,
and the sequencer looks for those of transactions that were still open when it looked last.
"""

from alembic import op

revision = "0004_log"
down_revision = "0003_registry"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE log_leaf (
    position {whole} NOT NULL,
    event_id {whole} NOT NULL,
    hash {blob} NOT NULL,
    CONSTRAINT pk_log_leaf PRIMARY KEY (position),
    CONSTRAINT uq_log_leaf_event_id UNIQUE (event_id),
    CONSTRAINT fk_log_leaf_event_id FOREIGN KEY (event_id) REFERENCES event (id),
    CONSTRAINT ck_log_leaf_position_counts CHECK (position >= 0)
){strict};

CREATE TABLE log_subtree (
    level {whole} NOT NULL,
    number {whole} NOT NULL,
    hash {blob} NOT NULL,
    CONSTRAINT pk_log_subtree PRIMARY KEY (level, number),
    CONSTRAINT ck_log_subtree_place_sound CHECK (level >= 1 AND number >= 0)
){strict};

CREATE TABLE log_checkpoint (
    size {whole} NOT NULL,
    root {blob} NOT NULL,
    note {text} NOT NULL,
    published_at {moment} NOT NULL,
    CONSTRAINT pk_log_checkpoint PRIMARY KEY (size),
    CONSTRAINT ck_log_checkpoint_size_counts CHECK (size >= 1)
){strict};

CREATE TABLE log_cosignature (
    size {whole} NOT NULL,
    witness {text} NOT NULL,
    seen_at {whole} NOT NULL,
    line {text} NOT NULL,
    received_at {moment} NOT NULL,
    CONSTRAINT pk_log_cosignature PRIMARY KEY (size, witness, seen_at),
    CONSTRAINT fk_log_cosignature_size FOREIGN KEY (size) REFERENCES log_checkpoint (size)
){strict};
"""

WORDS = {
    "sqlite": {"whole": "INTEGER", "text": "TEXT", "blob": "BLOB", "moment": "TEXT", "strict": " STRICT"},
    "postgresql": {
        "whole": "BIGINT",
        "text": "TEXT",
        "blob": "BYTEA",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}

KEYS = {
    "log_leaf": "position",
    "log_subtree": "level number",
    "log_checkpoint": "size",
    "log_cosignature": "size witness seen_at",
}

TRANSACTION = [
    "ALTER TABLE event ADD COLUMN transaction_id BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)",
    # A block range index: transactions are numbered nearly in the order of the rows, and appending costs next to nothing.
    """CREATE INDEX ix_event_transaction_id ON event USING brin (transaction_id)
       WITH (pages_per_range = 32, autosummarize = on)""",
]


def append_only(dialect: str) -> list[str]:
    statements = []
    for table, columns in KEYS.items():
        if dialect == "sqlite":
            refuse = "BEGIN SELECT RAISE(ABORT, 'ledger: history is never rewritten'); END"
            same = " AND ".join(f"old.{column} = NEW.{column}" for column in columns.split())
            statements += [
                f"CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table} {refuse}",
                f"CREATE TRIGGER {table}_never_changed BEFORE UPDATE ON {table} {refuse}",
                f"""CREATE TRIGGER {table}_never_replaced BEFORE INSERT ON {table}
                    WHEN EXISTS (SELECT 1 FROM {table} old WHERE {same}) {refuse}""",
            ]
        else:
            refuse = "EXECUTE FUNCTION ledger_refuse('history is never rewritten')"
            statements += [
                f"CREATE TRIGGER {table}_never_deleted BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
                f"CREATE TRIGGER {table}_never_changed BEFORE UPDATE ON {table} FOR EACH ROW {refuse}",
                f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} {refuse}",
            ]
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in [*append_only(dialect), *(TRANSACTION if dialect == "postgresql" else [])]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_event_transaction_id")
        op.execute("ALTER TABLE event DROP COLUMN transaction_id")
    for table in reversed(KEYS):
        op.execute(f"DROP TABLE {table}")

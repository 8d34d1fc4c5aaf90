"""The same walls on SQLite with fewer pages still: each page that a posting writes costs as much as a question.

- The rows of `block` stand in the tree of their key. The index of accounts holds the last serials too, so that what an
  account holds is read from it alone; without that SQLite would rather walk through all blocks of an issuance.
- A block may change while an entry of the newest posting is not carried out: while its serials are not in a block of
  their new account. That is so inside the trigger that moves them and at no other time, for the trigger sees to it
  before it ends. So nothing needs to be written down (as it was, in `moving`) to let it through.
- Whether a connection keeps its rules is asked where they hold something: an event has no rule but what its own
  triggers say, and neither has a posting, now that its triggers look for the event and for another posting under it.
"""

from collections.abc import Iterable, Iterator
from types import ModuleType

from alembic import context, op

revision = "0033_in_one_tree"
down_revision = "0032_fewer_pages"
branch_labels = None
depends_on = None

HELD = "CREATE INDEX ix_block_account_id_issuance_id_first_last ON block (account_id, issuance_id, first, last)"
# As it was before.
HELD_BESIDE = "CREATE INDEX ix_block_account_id_issuance_id_first ON block (account_id, issuance_id, first)"

# The last serial of a block with its account, where it covers a serial.
COVERING = """SELECT CASE WHEN b.last >= {of}.last THEN b.account_id END FROM block b
            WHERE b.issuance_id = {of}.issuance_id AND b.first <= {of}.first ORDER BY b.first DESC LIMIT 1"""
CARRIED_OUT = """NOT EXISTS (SELECT 1 FROM entry e WHERE e.posting_id = (SELECT max(id) FROM posting)
        AND e.issuance_id = {row}.issuance_id AND e.first = {first} AND e.to_account_id IS NOT (
            {covering}))"""
# The entry that ends where a block begins.
BEFORE = """(SELECT max(n.first) FROM entry n WHERE n.posting_id = (SELECT max(id) FROM posting)
            AND n.issuance_id = {row}.issuance_id AND n.first < {row}.first)"""

# What a statement of `entry_moves` does to a block says where the entry begins that it carries out.
GUARDED = {
    "INSERT": ("NEW", ("NEW.first", BEFORE.format(row="NEW"))),
    "UPDATE": ("OLD", ("OLD.first", "OLD.last + 1", "NEW.last + 1")),
    "DELETE": ("OLD", ("OLD.first", BEFORE.format(row="OLD"))),
}

# The first serial behind those that an entry moves which is in a block, while they are in none or in one of their own.
NEXT = "(SELECT min(b.first) FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first > NEW.first)"

# The serials leave the block that they are found in, neighbours of the new account make way, and at last they are put
# to the one on the left, take over their old row, or get a row of their own.
ENTRY_MOVES = f"""CREATE TRIGGER entry_moves AFTER INSERT ON entry BEGIN
    -- what stays behind on the left keeps its row
    UPDATE block SET last = NEW.first - 1, next_first = NEW.first
        WHERE issuance_id = NEW.issuance_id AND first < NEW.first AND first = (
            SELECT max(b.first) FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first <= NEW.first);
    -- what stays behind on the right gets one, or keeps it where nothing stays on the left
    INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
        SELECT i.id, i.quantity, NEW.last + 1, coalesce({NEXT} - 1, i.quantity), NEW.from_account_id, {NEXT}
        FROM issuance i WHERE i.id = NEW.issuance_id AND NEW.last < i.quantity AND NEW.last >= (
            SELECT b.last FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first <= NEW.last + 1
            ORDER BY b.first DESC LIMIT 1);
    UPDATE block SET first = NEW.last + 1
        WHERE issuance_id = NEW.issuance_id AND first = NEW.first AND last > NEW.last;
    -- neighbours of the new account make way: the one on the right, and what is put on to the one on the left
    DELETE FROM block WHERE issuance_id = NEW.issuance_id AND first = NEW.last + 1 AND account_id = NEW.to_account_id;
    DELETE FROM block WHERE issuance_id = NEW.issuance_id AND first = NEW.first AND EXISTS (SELECT 1 FROM block l
        WHERE l.issuance_id = NEW.issuance_id AND l.next_first = NEW.first AND l.account_id = NEW.to_account_id);
    -- one of these three carries the entry out
    UPDATE block SET last = coalesce({NEXT} - 1, issued), next_first = {NEXT}
        WHERE issuance_id = NEW.issuance_id AND next_first = NEW.first AND account_id = NEW.to_account_id;
    UPDATE block SET account_id = NEW.to_account_id, last = coalesce({NEXT} - 1, issued), next_first = {NEXT}
        WHERE issuance_id = NEW.issuance_id AND first = NEW.first;
    INSERT INTO block (issuance_id, issued, first, last, account_id, next_first)
        SELECT i.id, i.quantity, NEW.first, coalesce({NEXT} - 1, i.quantity), NEW.to_account_id, {NEXT}
        FROM issuance i WHERE i.id = NEW.issuance_id AND NEW.first > coalesce((
            SELECT b.last FROM block b WHERE b.issuance_id = NEW.issuance_id AND b.first <= NEW.first
            ORDER BY b.first DESC LIMIT 1), 0);
    SELECT RAISE(ABORT, 'ledger: an entry moves its serials') WHERE NEW.to_account_id IS NOT (
            {COVERING.format(of="NEW")});
END"""

POSTING_NEVER_REPLACED = """CREATE TRIGGER posting_never_replaced BEFORE INSERT ON posting
    WHEN EXISTS (SELECT 1 FROM posting old WHERE old.id = NEW.id)
      OR EXISTS (SELECT 1 FROM posting old WHERE old.event_id = NEW.event_id)
    BEGIN SELECT RAISE(ABORT, 'ledger: history is never rewritten'); END"""
POSTING_UNDER_AN_EVENT = """CREATE TRIGGER posting_under_an_event BEFORE INSERT ON posting
    WHEN NOT EXISTS (SELECT 1 FROM event e WHERE e.id = NEW.event_id)
    BEGIN SELECT RAISE(ABORT, 'ledger: a posting stands under an event'); END"""

WITHIN = "STRICT, WITHOUT ROWID"
BESIDE = "STRICT"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(HELD)
        op.execute("DROP INDEX ix_block_account_id_issuance_id_first")
        return
    rebuild_block(WITHIN, HELD, guards())
    drop_triggers("entry_moves", "event_carefully_insert", "posting_carefully_insert", "posting_never_replaced")
    op.execute("DROP TABLE moving")
    for statement in (ENTRY_MOVES, POSTING_NEVER_REPLACED, POSTING_UNDER_AN_EVENT):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(HELD_BESIDE)
        op.execute("DROP INDEX ix_block_account_id_issuance_id_first_last")
        return
    first, before = earlier("0001_ledger"), earlier("0032_fewer_pages")
    kept = {name_of(statement): statement for statement in first.keep_sqlite()}
    drop_triggers("entry_moves", "posting_never_replaced", "posting_under_an_event")
    rebuild_block(BESIDE, HELD_BESIDE, [kept[f"block_guarded_{act.lower()}"] for act in GUARDED])
    begins = [statement for statement in first.SQLITE_MOVES if name_of(statement) == "moving_begins"]
    names = ("event_carefully_insert", "posting_carefully_insert", "posting_never_replaced")
    for statement in (before.MOVING, *begins, before.ENTRY_MOVES, *(kept[name] for name in names)):
        op.execute(statement)


def guards() -> Iterator[str]:
    for act, (row, firsts) in GUARDED.items():
        carried_out = "\n      AND ".join(
            CARRIED_OUT.format(row=row, first=first, covering=COVERING.format(of="e")) for first in firsts
        )
        yield f"""CREATE TRIGGER block_guarded_{act.lower()} BEFORE {act} ON block
    WHEN {carried_out}
    BEGIN SELECT RAISE(ABORT, 'ledger: only an entry moves serials'); END"""


def earlier(revision: str) -> ModuleType:
    """The module of a revision before this one, which says how things were."""
    return context.script.get_revision(revision).module


def name_of(trigger: str) -> str:
    return trigger.split()[2]


def drop_triggers(*names: str) -> None:
    for name in names:
        op.execute(f"DROP TRIGGER {name}")


def rebuild_block(kind: str, held: str, guards: Iterable[str]) -> None:
    """Make the table anew with its rows. Its guards are made last, so they refuse none of them."""
    run = op.get_bind().exec_driver_sql
    (table,) = run("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'block'").scalars()
    unique = run("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'block' AND sql LIKE '%UNIQUE%'")
    indexes = unique.scalars().all()
    run("CREATE TEMPORARY TABLE kept AS SELECT * FROM block")
    run("DROP TABLE block")
    run(f"{table.rpartition(')')[0]}) {kind}")
    run("INSERT INTO block SELECT * FROM kept")
    run("DROP TABLE kept")
    for statement in (*indexes, held, *guards):
        run(statement)

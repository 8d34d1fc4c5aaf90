"""The ledger's promises, each asked of the database as it stands. Behind `flask ledger check`."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from credits.ledger.models import TERMINAL, Block, Entry


@dataclass(frozen=True)
class Promise:
    """A promise, whether it holds, and the first places where it does not."""

    name: str
    says: str
    broken: list[str]

    @property
    def holds(self) -> bool:
        return not self.broken


Held = tuple[int, int, int]
"""First serial, last serial and the account they are in."""

FINAL = ", ".join(f"'{kind.value}'" for kind in TERMINAL)

QUERIES = {
    "conservation": (
        "The blocks of every issuance sum to the issued quantity.",
        """SELECT i.id FROM issuance i LEFT JOIN block b ON b.issuance_id = i.id
           GROUP BY i.id, i.quantity HAVING coalesce(sum(b.last - b.first + 1), 0) <> i.quantity""",
    ),
    "tiling": (
        "The blocks of an issuance follow each other from 1 to its quantity without gap or overlap.",
        """SELECT b.issuance_id, b.first FROM block b JOIN issuance i ON i.id = b.issuance_id
           WHERE b.issued <> i.quantity
              OR (b.first > 1 AND NOT EXISTS (SELECT 1 FROM block p
                     WHERE p.issuance_id = b.issuance_id AND p.next_first = b.first AND p.last = b.first - 1))
              OR (b.last <> b.issued AND NOT EXISTS (SELECT 1 FROM block n
                     WHERE n.issuance_id = b.issuance_id AND n.first = b.last + 1))""",
    ),
    "unissued": (
        "No block belongs to an issuance that does not exist.",
        "SELECT issuance_id, first FROM block b WHERE NOT EXISTS (SELECT 1 FROM issuance i WHERE i.id = b.issuance_id)",
    ),
    "final": (
        "Nothing ever left an account of retired, cancelled, expired or exported serials.",
        f"""SELECT e.posting_id, e.first FROM entry e JOIN account a ON a.id = e.from_account_id
            WHERE a.kind IN ({FINAL})""",  # noqa: S608  words of our own
    ),
    "recorded": (
        "Every movement stands under an event of the journal, and is between accounts that there are.",
        """SELECT p.id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM event v WHERE v.id = p.event_id)
           UNION ALL SELECT e.posting_id FROM entry e
               WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.id = e.posting_id)
                  OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = e.to_account_id)
                  OR (e.from_account_id IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = e.from_account_id))""",
    ),
}


def check(session: Session) -> list[Promise]:
    """Every promise of the ledger with the places, at most ten each, where it is broken."""
    promises = []
    for name, (says, query) in QUERIES.items():
        rows = session.execute(text(query + " LIMIT 10")).all()
        promises.append(Promise(name, says, [" ".join(str(value) for value in row) for row in rows]))
    promises.append(
        Promise(
            "replay",
            "Playing the history again gives exactly the present holdings.",
            [place for _, place in zip(range(10), differing(session), strict=False)],
        )
    )
    return promises


def differing(session: Session) -> Iterator[str]:
    """Issuances whose blocks are not what their entries, replayed in order, make of them."""
    known = session.scalars(select(Entry.issuance_id).union(select(Block.issuance_id)).order_by("issuance_id"))
    for issuance_id in known.all():
        present = session.execute(
            select(Block.first, Block.last, Block.account_id).where(Block.issuance_id == issuance_id)
        )
        history = session.execute(
            select(Entry.first, Entry.last, Entry.from_account_id, Entry.to_account_id)
            .where(Entry.issuance_id == issuance_id)
            .order_by(Entry.posting_id, Entry.first)
        )
        if replayed(history) != merged(present):
            yield f"issuance {issuance_id}"


def replayed(history: Iterable[tuple[int, int, int | None, int]]) -> list[Held] | None:
    """What the entries (first, last, from, to), oldest first, come to; None where one took serials from elsewhere."""
    held: list[Held] = []
    for first, last, source, target in history:
        # Only what the entry touches, and one neighbour on each side to join it with.
        left = max(bisect_right(held, first, key=itemgetter(0)) - 2, 0)
        right = bisect_right(held, last, key=itemgetter(0)) + 1
        near = held[left:right]
        taken = [(max(a, first), min(b, last), owner) for a, b, owner in near if a <= last and b >= first]
        if merged(taken) != ([] if source is None else [(first, last, source)]):
            return None
        before = [(a, min(b, first - 1), owner) for a, b, owner in near if a < first]
        behind = [(max(a, last + 1), b, owner) for a, b, owner in near if b > last]
        held[left:right] = merged([*before, (first, last, target), *behind])
    return held


def merged(held: Iterable[Held]) -> list[Held]:
    """The same ranges, sorted, joined where neighbours have one owner."""
    joined: list[Held] = []
    for first, last, account in sorted(held):
        if joined and joined[-1][1] + 1 == first and joined[-1][2] == account:
            joined[-1] = (joined[-1][0], last, account)
        else:
            joined.append((first, last, account))
    return joined

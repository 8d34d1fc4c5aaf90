"""What the registry promises of the ledger's serials, each asked of the database. Behind `flask ledger check`.

The ledger promises that every serial is in one account; here, that it is known why.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from credits.ledger.invariants import Promise

QUERIES = {
    "retired": (
        "What is retired of an issuance are the serials of its retirements, and as many as they say.",
        """SELECT i.id FROM issuance i WHERE (
               SELECT coalesce(sum(b.last - b.first + 1), 0) FROM block b JOIN account a ON a.id = b.account_id
               WHERE b.issuance_id = i.id AND a.kind = 'retired'
           ) <> (SELECT coalesce(sum(r.last - r.first + 1), 0) FROM retired_range r WHERE r.issuance_id = i.id)
           OR EXISTS (SELECT 1 FROM retirement r WHERE r.issuance_id = i.id AND r.quantity <> (
               SELECT coalesce(sum(s.last - s.first + 1), 0) FROM retired_range s WHERE s.retirement_id = r.id))""",
    ),
    "retired_once": (
        "No serial is in two retirements, and each was retired in the posting of its retirement.",
        """SELECT r.retirement_id, r.first FROM retired_range r JOIN retirement t ON t.id = r.retirement_id
           WHERE r.issuance_id <> t.issuance_id
              OR r.last >= (SELECT min(n.first) FROM retired_range n
                     WHERE n.issuance_id = r.issuance_id AND n.first > r.first)
              OR r.last - r.first + 1 <> (
                     SELECT coalesce(sum(CASE WHEN e.last < r.last THEN e.last ELSE r.last END
                         - CASE WHEN e.first > r.first THEN e.first ELSE r.first END + 1), 0)
                     FROM entry e JOIN account a ON a.id = e.to_account_id
                     WHERE e.posting_id = t.posting_id AND e.issuance_id = r.issuance_id AND a.kind = 'retired'
                       AND e.first <= r.last AND e.last >= r.first AND e.first >= (
                           SELECT max(f.first) FROM entry f WHERE f.posting_id = t.posting_id
                           AND f.issuance_id = r.issuance_id AND f.first <= r.first))""",
    ),
    "on_their_way": (
        "What is frozen of a holder's credits are the serials of its open transfers, and as many as they say.",
        """SELECT h.organisation_id, b.issuance_id FROM block b JOIN holding h ON h.account_id = b.account_id
           WHERE h.kind = 'pending' AND NOT EXISTS (
               SELECT 1 FROM transfer t JOIN transfer_range r ON r.transfer_id = t.id
               WHERE t.state = 'pending' AND t.sender_id = h.organisation_id AND t.issuance_id = b.issuance_id
                 AND r.first <= b.last AND r.last >= b.first)
           UNION SELECT t.sender_id, t.issuance_id FROM transfer t JOIN transfer_range r ON r.transfer_id = t.id
           WHERE t.state = 'pending' GROUP BY t.sender_id, t.issuance_id
           HAVING sum(r.last - r.first + 1) <> (
               SELECT coalesce(sum(b.last - b.first + 1), 0) FROM block b JOIN holding h ON h.account_id = b.account_id
               WHERE h.kind = 'pending' AND h.organisation_id = t.sender_id AND b.issuance_id = t.issuance_id)
           UNION SELECT t.sender_id, t.issuance_id FROM transfer t WHERE t.quantity <> (
               SELECT coalesce(sum(r.last - r.first + 1), 0) FROM transfer_range r WHERE r.transfer_id = t.id)""",
    ),
    "set_apart": (
        "What is reserved or held of a holder's credits are the serials of its open reservations and holds.",
        """SELECT h.organisation_id, h.kind FROM holding h WHERE h.kind IN ('reserved', 'held') AND (
               SELECT coalesce(sum(b.last - b.first + 1), 0) FROM block b WHERE b.account_id = h.account_id
           ) <> (SELECT coalesce(sum(r.last - r.first + 1), 0)
                 FROM earmark e JOIN earmark_range r ON r.earmark_id = e.id
                 WHERE e.closing_posting_id IS NULL AND e.holder_id = h.organisation_id AND e.kind = h.kind)""",
    ),
    "origin": (
        "Of every issuance it is known what it stands for.",
        "SELECT i.id FROM issuance i WHERE NOT EXISTS (SELECT 1 FROM issuance_attributes a WHERE a.id = i.id)",
    ),
    "certified": (
        "Every certificate is of a retirement, and says its number.",
        """SELECT c.retirement_id, c.number FROM certificate c WHERE NOT EXISTS (
               SELECT 1 FROM retirement r WHERE r.id = c.retirement_id)
           OR c.number <> 'ASMC-R-' || CASE WHEN c.retirement_id < 1000000
               THEN substr(CAST(1000000 + c.retirement_id AS TEXT), 2) ELSE CAST(c.retirement_id AS TEXT) END""",
    ),
}


def check(session: Session) -> list[Promise]:
    """Every promise of the registry with the places, at most ten each, where it is broken."""
    promises = []
    for name, (says, query) in QUERIES.items():
        rows = session.execute(text(query + " LIMIT 10")).all()
        promises.append(Promise(name, says, [" ".join(str(value) for value in row) for row in rows]))
    return promises

"""The promises of the money, each asked of the database as it stands. Behind `flask money check`."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from credits.ledger.invariants import Promise

HELD = """(SELECT coalesce(sum(e.amount), 0) FROM money_entry e WHERE e.to_account_id = a.id)
    - (SELECT coalesce(sum(e.amount), 0) FROM money_entry e WHERE e.from_account_id = a.id)"""
FROM_HELD = """(SELECT coalesce(sum(e.amount), 0) FROM money_entry e JOIN money_posting p ON p.id = e.posting_id
    WHERE p.kind {kinds} AND e.from_account_id = h.id)"""
QUERIES = {
    "whole": (
        "Every sale is divided to the last minor unit: premium, shares, fee and tax are its total.",
        """SELECT p.id, p.order_id FROM money_posting p JOIN purchase o ON o.id = p.order_id
           LEFT JOIN money_entry e ON e.posting_id = p.id WHERE p.kind = 'sale'
           GROUP BY p.id, p.order_id, o.total HAVING coalesce(sum(e.amount), 0) <> o.total""",
    ),
    "collected": (
        "The money of every delivered order is divided, and of no other one.",
        """SELECT o.id, o.state FROM purchase o LEFT JOIN money_posting p ON p.order_id = o.id AND p.kind = 'sale'
           WHERE (o.delivered_at IS NOT NULL) <> (p.id IS NOT NULL)""",
    ),
    "returned": (
        "What went back to buyers is what their refunds and lost disputes say.",
        """SELECT p.id, p.order_id FROM money_posting p LEFT JOIN refund r ON r.id = p.refund_id
           LEFT JOIN dispute d ON d.id = p.dispute_id LEFT JOIN money_entry e ON e.posting_id = p.id
           WHERE p.kind IN ('refund', 'shortfall') GROUP BY p.id, p.order_id, r.amount, d.amount
           HAVING coalesce(sum(e.amount), 0) <> coalesce(r.amount, d.amount)""",
    ),
    "waited": (
        "No more is ordered of a standing order than was wanted, and what is counted is what its orders say.",
        """SELECT s.id, s.filled FROM standing_order s LEFT JOIN standing_part p ON p.standing_id = s.id
           LEFT JOIN purchase o ON o.id = p.order_id GROUP BY s.id, s.filled, s.quantity
           HAVING s.filled > s.quantity
               OR s.filled <> coalesce(sum(CASE WHEN o.state <> 'cancelled' THEN p.quantity ELSE 0 END), 0)""",
    ),
    "covered": (
        "No account that must hold money holds less than nothing.",
        f"""SELECT a.id, a.kind, a.currency FROM money_account a
            WHERE a.kind NOT IN ('paid_in', 'shortfall') AND {HELD} < 0""",  # noqa: S608  words of our own
    ),
    "decided": (
        "No more is paid out on a decision than its committee decided.",
        """SELECT m.id FROM premium_decision m JOIN disbursement d ON d.decision_id = m.id AND d.state = 'paid'
           GROUP BY m.id, m.amount HAVING sum(d.amount) > m.amount""",
    ),
    "disbursed": (
        "Every payout that is paid has left what the site held, and no other one.",
        """SELECT d.id, d.state FROM disbursement d LEFT JOIN money_posting p ON p.disbursement_id = d.id
           LEFT JOIN money_entry e ON e.posting_id = p.id
           WHERE (d.state = 'paid') <> (p.id IS NOT NULL) OR d.state = 'paid' AND coalesce(e.amount, 0) <> d.amount""",
    ),
    "used": (
        "No more is accounted for than was paid out.",
        """SELECT d.id FROM disbursement d JOIN premium_use u ON u.disbursement_id = d.id
           GROUP BY d.id, d.amount, d.state HAVING sum(CASE WHEN u.corrects_id IS NULL THEN u.amount ELSE -u.amount END)
               > CASE d.state WHEN 'paid' THEN d.amount ELSE 0 END""",
    ),
    "told": (
        "Every movement of money stands under an event of the journal.",
        """SELECT p.id FROM money_posting p WHERE NOT EXISTS (SELECT 1 FROM event v WHERE v.id = p.event_id
               AND v.kind IN ('premium.collected', 'premium.returned', 'premium.disbursed'))""",
    ),
}


@dataclass(frozen=True)
class Equation:
    """Invariant 19 for one site and currency, in minor units: disbursed + held = collected - refunded."""

    site: str
    currency: str
    collected: int
    refunded: int
    disbursed: int
    held: int

    @property
    def holds(self) -> bool:
        return self.disbursed + self.held == self.collected - self.refunded


def check(session: Session) -> list[Promise]:
    """Every promise, with the first ten places where it is broken."""
    parted = [f"{each.site} {each.currency}" for each in equations(session) if not each.holds]
    says = "Premium paid out and held is what was collected less what went back, for every site and currency."
    promises = [Promise("premium", says, parted[:10])]
    for name, (says, query) in QUERIES.items():
        rows = session.execute(text(query)).all()[:10]
        promises.append(Promise(name, says, [" ".join(str(value) for value in row) for row in rows]))
    return promises


def equations(session: Session) -> list[Equation]:
    """Invariant 19 for every site and currency, each side from rows of its own.

    Collected is what the delivered orders' lines say, refunded what left the site's account for buyers, disbursed what
    payouts say, and held what the entries leave.
    """
    rows: list[Any] = list(
        session.execute(
            text(
                f"""SELECT s.country, s.code, h.currency,
                    (SELECT coalesce(sum(l.premium), 0) FROM money_posting p
                        JOIN purchase_line l ON l.order_id = p.order_id JOIN purchase o ON o.id = p.order_id
                        JOIN issuance_attributes i ON i.id = l.issuance_id
                        WHERE p.kind = 'sale' AND i.site_id = h.site_id AND o.currency = h.currency) AS collected,
                    {FROM_HELD.format(kinds="IN ('refund', 'shortfall')")} AS refunded,
                    (SELECT coalesce(sum(d.amount), 0) FROM disbursement d
                        JOIN premium_decision m ON m.id = d.decision_id
                        WHERE d.state = 'paid' AND m.site_id = h.site_id AND m.currency = h.currency) AS disbursed,
                    {HELD.replace("a.id", "h.id")} AS held
                    FROM money_account h JOIN site s ON s.id = h.site_id WHERE h.kind = 'premium_held'
                    ORDER BY s.country, s.code, h.currency"""  # noqa: S608  words of our own
            )
        )
    )
    return [
        Equation(
            f"{row.country}-{row.code}",
            row.currency,
            int(row.collected),
            int(row.refunded),
            int(row.disbursed),
            int(row.held),
        )
        for row in rows
    ]

"""The independent judge of the market: reads the tables, and the payment provider's own books, and nothing else.

`market(connection, things)` gives every broken promise as a sentence. things: what the provider has, by the kind of its
objects and their ids, as the stand-in keeps it; None looks at the registry alone.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

Things = dict[str, dict[str, dict[str, Any]]]

# What the books of money say went back of each order that was delivered.
GONE_BACK = """SELECT o.id, coalesce(sum(e.amount), 0) FROM purchase o
    LEFT JOIN money_posting m ON m.order_id = o.id AND m.kind IN ('refund', 'shortfall')
    LEFT JOIN money_entry e ON e.posting_id = m.id WHERE o.posting_id IS NOT NULL GROUP BY o.id"""


def market(connection: Any, things: Things | None = None) -> list[str]:
    """Every broken promise of orders, payments and what was delivered."""
    found = [*delivered(connection), *set_apart(connection), *sold(connection), *divided(connection)]
    found += waited(connection)
    return found if things is None else [*found, *paid(connection, things)]


def rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(query)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def delivered(connection: Any) -> Iterator[str]:
    """Delivered once, to the buyer, what was ordered, against one payment of the whole."""
    payments = defaultdict(list)
    for order, *money in rows(connection, "SELECT order_id, amount, currency FROM payment WHERE state = 'paid'"):
        payments[order].append(tuple(money))
    lines: dict[int, Counter[int]] = defaultdict(Counter)
    for order, issuance, quantity in rows(connection, "SELECT order_id, issuance_id, quantity FROM purchase_line"):
        lines[order][issuance] += quantity
    moved: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    entries = """SELECT e.posting_id, e.issuance_id, h.organisation_id, e.last - e.first + 1
                 FROM entry e JOIN holding h ON h.account_id = e.to_account_id WHERE h.kind = 'available'"""
    for posting, issuance, holder, quantity in rows(connection, entries):
        moved[posting][issuance, holder] += quantity
    orders = "SELECT id, buyer_id, posting_id, total, currency FROM purchase WHERE posting_id IS NOT NULL"
    for order, buyer, posting, total, currency in rows(connection, orders):
        if payments[order] != [(total, currency)]:
            yield f"order {order} was delivered against {payments[order]}, and costs {total} {currency}"
        if moved[posting] != Counter({(issuance, buyer): many for issuance, many in lines[order].items()}):
            yield f"order {order} was delivered with other credits than were ordered"
    for (order,) in rows(connection, "SELECT id FROM purchase WHERE state = 'delivered' AND posting_id IS NULL"):
        yield f"order {order} is delivered and nothing moved"
    told = rows(connection, "SELECT body FROM event WHERE kind = 'order.delivered'")
    for subject, times in Counter(json.loads(body)["subject"] for (body,) in told).items():
        if times > 1:
            yield f"{subject} was delivered {times} times"


def set_apart(connection: Any) -> Iterator[str]:
    """What an order waits for is reserved for it, and no reservation serves two orders."""
    query = """SELECT o.id, o.state, l.quantity, e.id, e.closing_posting_id, o.posting_id,
                   (SELECT coalesce(sum(r.last - r.first + 1), 0) FROM earmark_range r WHERE r.earmark_id = e.id)
               FROM purchase o JOIN purchase_line l ON l.order_id = o.id LEFT JOIN earmark e ON e.id = l.earmark_id"""
    seen = set()
    for order, state, quantity, earmark, closed_by, posting, reserved in rows(connection, query):
        if state in {"awaiting_payment", "paid", "delivered"} and (earmark is None or reserved != quantity):
            yield f"order {order} is {state}, and {reserved} of {quantity} are reserved for it"
        if state in {"awaiting_payment", "paid"} and closed_by is not None:
            yield f"order {order} is {state}, and its reservation has ended"
        if posting is not None and closed_by != posting:
            yield f"order {order} was delivered with credits that were not reserved for it"
        if earmark is not None and earmark in seen:
            yield f"reservation {earmark} serves two orders"
        seen.add(earmark)


def sold(connection: Any) -> Iterator[str]:
    """No offer is sold beyond what it was."""
    taken: dict[int, Counter[str]] = defaultdict(Counter)
    query = "SELECT l.offer_id, o.state, l.quantity FROM purchase_line l JOIN purchase o ON o.id = l.order_id"
    for offer, state, quantity in rows(connection, query):
        taken[offer][state] += quantity
    for offer, quantity, remaining in rows(connection, "SELECT id, quantity, remaining FROM offer"):
        states = taken[offer]
        gone = states["awaiting_payment"] + states["paid"] + states["delivered"]
        if not gone <= quantity - remaining <= gone + states["refunded"]:
            yield f"offer {offer} had {quantity}, has {remaining}, and {gone} are sold"


def waited(connection: Any) -> Iterator[str]:
    """Of a standing order no more is ordered than was wanted, of its mineral, at no higher price, for its buyer."""
    ordered: Counter[int] = Counter()
    query = """SELECT p.standing_id, p.order_id, p.quantity, o.state, o.buyer_id, o.currency
        FROM standing_part p JOIN purchase o ON o.id = p.order_id"""
    parts = rows(connection, query)
    lines = defaultdict(list)
    query = """SELECT l.order_id, l.quantity, l.price, f.mineral_code FROM purchase_line l
        JOIN offer f ON f.id = l.offer_id"""
    for order, *line in rows(connection, query):
        lines[order].append(line)
    query = "SELECT id, buyer_id, currency, mineral_code, quantity, filled, price, state FROM standing_order"
    left = {standing: terms for standing, *terms in rows(connection, query)}
    for standing, order, quantity, state, buyer, currency in parts:
        ordered[standing] += quantity * (state != "cancelled")
        terms = left[standing]
        fits = all(price <= terms[5] and mineral == terms[2] for _, price, mineral in lines[order])
        if [buyer, currency] != terms[:2] or not fits or sum(line[0] for line in lines[order]) != quantity:
            yield f"order {order} is not what standing order {standing} asks for"
    for standing, (*_, quantity, filled, _price, state) in left.items():
        if not filled == ordered[standing] <= quantity or (state == "fulfilled") != (filled == quantity):
            yield f"standing order {standing} of {quantity} is {state}, counts {filled}, has {ordered[standing]}"


def divided(connection: Any) -> Iterator[str]:
    """Invariant 19, to the cent: what was paid for a delivered order is divided whole, once."""
    query = """SELECT o.id, o.total, o.premium + o.verification_share + o.registry_fee + o.tax, count(DISTINCT m.id),
                   coalesce(sum(e.amount), 0)
               FROM purchase o LEFT JOIN money_posting m ON m.order_id = o.id AND m.kind = 'sale'
               LEFT JOIN money_entry e ON e.posting_id = m.id WHERE o.posting_id IS NOT NULL GROUP BY o.id"""
    for order, total, parts, postings, booked in rows(connection, query):
        if not total == parts == booked or postings != 1:
            yield f"order {order} brought {total}, which was divided {postings} times into {booked}"


def paid(connection: Any, things: Things) -> Iterator[str]:
    """Who has paid has the credits or the money back; who has not paid has neither."""
    states = {f"ORDER-{order:06d}": state for order, state in rows(connection, "SELECT id, state FROM purchase")}
    query = "SELECT order_id, reference, state, amount FROM payment WHERE means = 'stripe'"
    ours = {
        reference: (f"ORDER-{order:06d}", state, amount) for order, reference, state, amount in rows(connection, query)
    }
    lost, disputed = taken_back(things)
    booked = {f"ORDER-{order:06d}": amount for order, amount in rows(connection, GONE_BACK)}
    cleared = set()
    for checkout in things["checkout.session"].values():
        intent = things["payment_intent"].get(checkout["payment_intent"] or "", {})
        charge = things["charge"].get(intent.get("latest_charge") or "")
        if charge is None:
            continue
        number, state, amount = ours.get(checkout["id"], (None, None, None))
        back = charge["amount_refunded"] + lost[charge["id"]]
        cleared.add(checkout["id"])
        if number != checkout["client_reference_id"] or amount != charge["amount"]:
            yield f"{checkout['id']} was paid for {checkout['client_reference_id']}, which does not know it"
        elif state not in {"paid", "surplus"}:
            yield f"{number} was paid, and its payment is {state}"
        elif charge["id"] in disputed:
            continue
        else:
            yield from gone_back(number, states[number], charge, back, booked.get(number) if state == "paid" else None)
    for reference, (number, state, _) in ours.items():
        if state in {"paid", "surplus"} and reference not in cleared:
            yield f"{number} counts as paid, and the provider has no money of it"


def taken_back(things: Things) -> tuple[Counter[str], set[str]]:
    """What the buyers' banks have taken of each charge, and which charges they ask for."""
    lost: Counter[str] = Counter()
    for each in things["dispute"].values():
        lost[each["charge"]] += each["amount"] if each["status"] == "lost" else 0
    return lost, {each["charge"] for each in things["dispute"].values() if each["status"] == "needs_response"}


def gone_back(number: str, state: str, charge: dict[str, Any], back: int, booked: int | None) -> Iterator[str]:
    """An order that keeps its money, but for what a bank has taken of it, is delivered; another keeps none.

    booked: what the books of money say went back, of one that was delivered.
    """
    kept = charge["amount"] - back
    if kept and state != "delivered":
        yield f"{number} was paid and is {state}, and {kept} were not sent back"
    elif state == "delivered" and (charge["amount_refunded"] or not kept):
        yield f"{number} was delivered, and the money went back"
    elif booked is not None and booked != back:
        yield f"{back} of {number} went back, and the books say {booked}"

"""What Stripe keeps and does: checkouts, payments, charges, refunds, disputes and events, on a clock that can be moved.

State is in memory and follows from what was asked alone: the same calls at the same times give the same ids.
"""

import copy
from collections.abc import Callable
from typing import Any

from tests.stripe_standin.params import Refused

Thing = dict[str, Any]

LEAST = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50}  # minor units that a charge must reach
MOST = 99_999_999
SOONEST, LATEST = 30 * 60, 24 * 3600  # seconds until a checkout expires
CLEARS_AFTER = 3 * 86_400  # seconds that a debit takes
TABLES = {
    "checkout.session": "cs_test_",
    "payment_intent": "pi_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "du_",
    "event": "evt_",
}
# What a field that holds an id leads to.
LEADS = {"payment_intent": "payment_intent", "latest_charge": "charge", "charge": "charge"}


class Provider:
    """One account in test mode.

    clock: seconds since 1970; `advance` adds to it. clears_after: seconds until the money of a debit arrives or fails.
    seed: a part of every id, so that another run's are told apart.
    """

    def __init__(self, clock: Callable[[], float], *, clears_after: int = CLEARS_AFTER, seed: str = "") -> None:
        self._clock = clock
        self.offset = 0.0
        self.clears_after = clears_after
        self.seed = seed
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in TABLES}
        self.open: dict[str, Thing] = {}  # the checkouts that may still be paid
        self.clearing: dict[str, tuple[float, bool]] = {}  # a checkout's id: when its money comes, and whether it does
        self.refunds_fail = False

    def now(self) -> int:
        return int(self._clock() + self.offset)

    def advance(self, seconds: float) -> None:
        """Let time pass, and what is due happen in its order."""
        target = self.now() + seconds
        while due := [at for at, _act in self._due(target)]:
            self.offset += max(0.0, min(due) - self.now())
            self.catch_up()
        self.offset += max(0.0, target - self.now())

    def catch_up(self) -> None:
        """Let happen what is due by now."""
        for _at, act in sorted(self._due(self.now()), key=lambda due: due[0]):
            act()

    def _due(self, until: float) -> list[tuple[float, Callable[[], None]]]:
        due: list[tuple[float, Callable[[], None]]] = []
        for session in self.open.values():
            if session["expires_at"] <= until:
                due.append((session["expires_at"], lambda session=session: self._expire(session)))
        for reference, (at, good) in self.clearing.items():
            if at <= until:
                due.append((at, lambda reference=reference, good=good: self._clear(reference, good)))
        return due

    # What the API asks

    def find(self, kind: str, reference: str) -> Thing:
        self.catch_up()
        try:
            return self.things[kind][reference]
        except KeyError:
            message = f"No such {kind}: '{reference}'"
            raise Refused(404, message, code="resource_missing", param=kind.rpartition(".")[2]) from None

    def listed(self, kind: str, asked: Thing) -> Thing:
        """A page of a list, the newest first."""
        self.catch_up()
        found = [thing for thing in reversed(self.things[kind].values()) if fits(thing, asked)]
        ids = [thing["id"] for thing in found]
        if after := asked.get("starting_after"):
            if after not in ids:
                raise Refused(400, f"No such {kind}: '{after}'", code="resource_missing", param="starting_after")
            found = found[ids.index(after) + 1 :]
        limit = asked.get("limit", 10)
        if not 1 <= limit <= 100:
            raise Refused(400, "Invalid limit: 1 to 100", param="limit")
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": "/v1/"}

    def open_session(self, asked: Thing, address: str) -> Thing:
        if asked.get("mode") != "payment":
            raise Refused(400, "This stand-in knows checkouts in payment mode alone.", param="mode")
        if not asked.get("success_url"):
            raise Refused(400, "Missing required param: success_url.", code="parameter_missing", param="success_url")
        currency, total = bill(asked.get("line_items") or [])
        expires_at = asked.get("expires_at", self.now() + LATEST)
        if not self.now() + SOONEST <= expires_at <= self.now() + LATEST:
            message = "The `expires_at` timestamp must be 30 minutes to 24 hours from Checkout Session creation."
            raise Refused(400, message, param="expires_at")
        metadata(asked.get("metadata", {}))
        metadata(asked.get("payment_intent_data", {}).get("metadata", {}))
        if len(asked.get("client_reference_id", "")) > 200:
            raise Refused(400, "Invalid string: at most 200 characters", param="client_reference_id")
        session = self._keep(
            "checkout.session",
            amount_subtotal=total,
            amount_total=total,
            cancel_url=asked.get("cancel_url"),
            client_reference_id=asked.get("client_reference_id"),
            currency=currency,
            customer_email=asked.get("customer_email"),
            expires_at=expires_at,
            line_items=asked["line_items"],
            metadata=asked.get("metadata", {}),
            mode="payment",
            payment_intent=None,
            payment_intent_data=asked.get("payment_intent_data", {}),
            payment_method_types=["card", "sepa_debit"],
            payment_status="unpaid",
            status="open",
            success_url=asked["success_url"],
            ui_mode="hosted_page",
        )
        session["url"] = f"{address}/c/pay/{session['id']}"
        self.open[session["id"]] = session
        return session

    def expire(self, reference: str) -> Thing:
        session = self.find("checkout.session", reference)
        if session["status"] != "open":
            raise Refused(
                400, f'Only Checkout Sessions with a status in ["open"] can be expired; this is {session["status"]}.'
            )
        self._expire(session)
        return session

    def refund(self, asked: Thing) -> Thing:
        if "payment_intent" in asked:
            charge = self._charge_of(self.find("payment_intent", asked["payment_intent"]))
        elif "charge" in asked:
            charge = self.find("charge", asked["charge"])
        else:
            raise Refused(400, "One of the following params should be provided: payment_intent or charge.")
        left = charge["amount"] - charge["amount_refunded"]
        amount = asked.get("amount", left)
        if charge["disputed"]:
            raise Refused(400, f"Charge {charge['id']} has been charged back.", code="charge_disputed")
        if not left:
            raise Refused(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if not 1 <= amount <= left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            raise Refused(400, message, param="amount")
        metadata(asked.get("metadata", {}))
        refund = self._keep(
            "refund",
            amount=amount,
            charge=charge["id"],
            currency=charge["currency"],
            metadata=asked.get("metadata", {}),
            payment_intent=charge["payment_intent"],
            reason=asked.get("reason"),
            status="pending" if self.refunds_fail else "succeeded",
        )
        self._refunded(charge, amount)
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        if self.refunds_fail:
            self._fail_refund(refund, charge)
        return refund

    # What the buyer and the buyer's bank do

    def pay(self, reference: str, how: str) -> Thing:
        """Let the buyer pay: by `card`, one that `declines`, or a `debit` that clears later or `debit_fails`."""
        session = self.find("checkout.session", reference)
        if session["status"] != "open":
            raise Refused(400, "You're all done here.", code="checkout_session_not_open")
        intent = self._intent_of(session)
        if how == "declines":
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"code": "card_declined", "type": "card_error"}
            self._tell("payment_intent.payment_failed", intent)
        elif how == "card":
            self._complete(session)
            self._receive(session, intent)
            self._tell("checkout.session.completed", session)
        elif how in {"debit", "debit_fails"}:
            self._complete(session)
            intent["status"] = "processing"
            self.clearing[reference] = (self.now() + self.clears_after, how == "debit")
            self._tell("payment_intent.processing", intent)
            self._tell("checkout.session.completed", session)
        else:
            raise Refused(400, f"Nobody pays by {how}.", param="how")
        return session

    def dispute(self, reference: str, amount: int | None = None) -> Thing:
        """Let the buyer's bank take the money of a checkout back."""
        session = self.find("checkout.session", reference)
        charge = self._charge_of(self.find("payment_intent", session["payment_intent"] or ""))
        charge["disputed"] = True
        dispute = self._keep(
            "dispute",
            amount=amount or charge["amount"],
            charge=charge["id"],
            currency=charge["currency"],
            metadata={},
            payment_intent=charge["payment_intent"],
            reason="fraudulent",
            status="needs_response",
        )
        self._tell("charge.dispute.created", dispute)
        self._tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, reference: str, outcome: str) -> Thing:
        dispute = self.find("dispute", reference)
        if outcome not in {"won", "lost"}:
            raise Refused(400, "A dispute is won or lost.", param="outcome")
        dispute["status"] = outcome
        self._tell("charge.dispute.closed", dispute)
        if outcome == "won":
            self._tell("charge.dispute.funds_reinstated", dispute)
        return dispute

    def let_refunds_fail(self, fail: bool) -> Thing:
        """Whether the banks send back what is refunded from now on."""
        self.refunds_fail = fail
        return {"fail": fail}

    # What follows

    def _keep(self, kind: str, **fields: Any) -> Thing:
        shelf = self.things[kind]
        reference = f"{TABLES[kind]}{self.seed}{len(shelf) + 1:08d}"
        shelf[reference] = {"id": reference, "object": kind, "created": self.now(), "livemode": False} | fields
        return shelf[reference]

    def _tell(self, kind: str, about: Thing) -> None:
        self._keep("event", type=kind, data={"object": self.shown(copy.deepcopy(about), [])}, pending_webhooks=1)

    def _intent_of(self, session: Thing) -> Thing:
        if session["payment_intent"]:
            return self.things["payment_intent"][session["payment_intent"]]
        asked = session["payment_intent_data"]
        intent = self._keep(
            "payment_intent",
            amount=session["amount_total"],
            amount_received=0,
            currency=session["currency"],
            description=asked.get("description"),
            latest_charge=None,
            metadata=asked.get("metadata", {}),
            status="requires_payment_method",
        )
        session["payment_intent"] = intent["id"]
        return intent

    def _receive(self, session: Thing, intent: Thing) -> None:
        charge = self._keep(
            "charge",
            amount=intent["amount"],
            amount_refunded=0,
            currency=intent["currency"],
            disputed=False,
            metadata=intent["metadata"],
            paid=True,
            payment_intent=intent["id"],
            refunded=False,
            status="succeeded",
        )
        intent.update(status="succeeded", latest_charge=charge["id"], amount_received=intent["amount"])
        session["payment_status"] = "paid"
        self._tell("charge.succeeded", charge)
        self._tell("payment_intent.succeeded", intent)

    def _clear(self, reference: str, good: bool) -> None:
        self.clearing.pop(reference, None)
        session = self.things["checkout.session"][reference]
        intent = self._intent_of(session)
        if good:
            self._receive(session, intent)
            self._tell("checkout.session.async_payment_succeeded", session)
        else:
            intent["status"] = "requires_payment_method"
            self._tell("payment_intent.payment_failed", intent)
            self._tell("checkout.session.async_payment_failed", session)

    def _complete(self, session: Thing) -> None:
        session["status"] = "complete"
        del self.open[session["id"]]

    def _expire(self, session: Thing) -> None:
        session["status"] = "expired"
        del self.open[session["id"]]
        self._tell("checkout.session.expired", session)

    def _charge_of(self, intent: Thing) -> Thing:
        if not intent["latest_charge"]:
            message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise Refused(400, message, code="payment_intent_unexpected_state")
        return self.things["charge"][intent["latest_charge"]]

    def _refunded(self, charge: Thing, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]

    def _fail_refund(self, refund: Thing, charge: Thing) -> None:
        refund["status"] = "failed"
        self._refunded(charge, -refund["amount"])
        self._tell("refund.failed", refund)

    # How it is shown

    def shown(self, thing: Thing, expand: list[str]) -> Thing:
        """A thing as the API shows it: with ids for what it leads to, unless that was asked for. Raises Refused."""
        out = {name: value for name, value in thing.items() if name not in {"payment_intent_data", "line_items"}}
        if thing["object"] == "list":
            deeper = [path.removeprefix("data.") for path in expand]
            if any(path == before for path, before in zip(deeper, expand, strict=True)):
                raise Refused(400, "What is expanded in a list begins with `data.`.", param="expand")
            return out | {"data": [self.shown(each, deeper) for each in thing["data"]]}
        for path in expand:
            if path.count(".") > 3:
                raise Refused(400, "You cannot expand more than 4 levels of a property.", param="expand")
        for field in {path.partition(".")[0] for path in expand}:
            deeper = [rest for path in expand for head, _, rest in [path.partition(".")] if head == field and rest]
            out[field] = self._expanded(thing, field, deeper)
        return out

    def _expanded(self, thing: Thing, field: str, deeper: list[str]) -> Any:
        if field == "refunds" and thing["object"] == "charge":
            found = [each for each in reversed(self.things["refund"].values()) if each["charge"] == thing["id"]]
            return {"object": "list", "data": [self.shown(each, []) for each in found], "has_more": False}
        if field not in LEADS or field not in thing:
            raise Refused(400, f"This property cannot be expanded ({field}).", param="expand")
        reference = thing[field]
        return self.shown(self.things[LEADS[field]][reference], deeper) if reference else None


def bill(lines: list[Thing]) -> tuple[str, int]:
    """Currency and sum of the lines. Raises Refused."""
    if not lines:
        raise Refused(400, "Missing required param: line_items.", code="parameter_missing", param="line_items")
    currencies, total = set(), 0
    for at, line in enumerate(lines):
        price, where = line.get("price_data"), f"line_items[{at}]"
        if price is None or "unit_amount" not in price or "product_data" not in price:
            raise Refused(400, "This stand-in wants price_data with unit_amount and product_data.", param=where)
        if price["unit_amount"] < 0 or line.get("quantity", 1) < 1 or not price["product_data"]["name"].strip():
            raise Refused(400, f"Invalid line: {where}", param=where)
        currencies.add(price["currency"].lower())
        total += price["unit_amount"] * line.get("quantity", 1)
    if len(currencies) != 1 or not currencies <= set(LEAST):
        raise Refused(400, "All prices must have the same currency, one of the account's.", param="line_items")
    currency = currencies.pop()
    if total < LEAST[currency]:
        raise Refused(400, "The Checkout Session's total amount is too small.", code="amount_too_small")
    if total > MOST:
        raise Refused(400, "The Checkout Session's total amount is too large.", code="amount_too_large")
    return currency, total


def metadata(given: dict[str, str]) -> None:
    """Raises Refused."""
    if len(given) > 50 or any(len(name) > 40 or len(text) > 500 for name, text in given.items()):
        raise Refused(400, "Metadata is at most 50 names of 40 characters with 500 each.", param="metadata")


def fits(thing: Thing, asked: Thing) -> bool:
    created = asked.get("created") or {}
    if isinstance(created, int):
        created = {"gte": created, "lte": created}
    at = thing["created"]
    within = created.get("gte", at) <= at <= created.get("lte", at) and created.get("gt", at - 1) < at < created.get(
        "lt", at + 1
    )
    words = ("payment_intent", "charge", "status", "type")
    among = thing.get("type") in asked["types"] if "types" in asked else True
    return within and among and all(thing.get(word) == asked[word] for word in words if word in asked)

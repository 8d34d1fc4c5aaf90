"""What Stripe keeps and does: checkouts, payments, charges, refunds, disputes and events, on a clock that can be moved.

State is in memory and follows from what was asked alone: the same calls at the same times give the same ids.
"""

from collections.abc import Callable

from tests.stripe_standin.bills import bill, metadata
from tests.stripe_standin.params import Refused
from tests.stripe_standin.shelf import Shelf, Thing

SOONEST, LATEST = 30 * 60, 24 * 3600  # seconds until a checkout expires
CLEARS_AFTER = 3 * 86_400  # seconds that a debit takes


class Provider(Shelf):
    """One account in test mode.

    clock: seconds since 1970; `advance` adds to it. clears_after: seconds until the money of a debit arrives or fails.
    seed: a part of every id, so that another run's are told apart.
    """

    def __init__(self, clock: Callable[[], float], *, clears_after: int = CLEARS_AFTER, seed: str = "") -> None:
        super().__init__(clock, seed)
        self.clears_after = clears_after
        self.open: dict[str, Thing] = {}  # the checkouts that may still be paid
        self.clearing: dict[str, tuple[float, bool]] = {}  # a checkout's id: when its money comes, and whether it does
        self.refunds_fail: float | None = None  # after so many seconds; None: they do not
        self.failing: dict[str, float] = {}  # a refund's id: when its bank sends the money back

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
        for reference, at in self.failing.items():
            if at <= until:
                due.append((at, lambda reference=reference: self._fail_refund(reference)))
        return due

    # What the API asks

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
        left = self._left_of(charge)
        amount = asked.get("amount", left)
        if left < charge["amount"] - charge["amount_refunded"] and amount > left:
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
            status="succeeded",
        )
        self._refunded(charge, amount)
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        if self.refunds_fail is not None:
            self.failing[refund["id"]] = self.now() + self.refunds_fail
            self.catch_up()
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
        left = self._left_of(charge)
        if not 1 <= (amount := amount or left) <= left:
            raise Refused(400, f"Of charge {charge['id']} {left} are left to dispute.", param="amount")
        charge["disputed"] = True
        dispute = self._keep(
            "dispute",
            amount=amount,
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

    def let_refunds_fail(self, fail: bool, after: float = 0.0) -> Thing:
        """Whether the banks send back what is refunded from now on; after: so many seconds later."""
        self.refunds_fail = after if fail else None
        return {"fail": fail}

    # What follows

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

    def _fail_refund(self, reference: str) -> None:
        del self.failing[reference]
        refund = self.things["refund"][reference]
        refund["status"] = "failed"
        self._refunded(self.things["charge"][refund["charge"]], -refund["amount"])
        self._tell("refund.failed", refund)

    def _left_of(self, charge: Thing) -> int:
        """What of a charge neither went back nor is wanted back by the buyer's bank."""
        mine = [each for each in self.things["dispute"].values() if each["charge"] == charge["id"]]
        disputed = sum(each["amount"] for each in mine if each["status"] != "won")
        return int(charge["amount"] - charge["amount_refunded"] - disputed)

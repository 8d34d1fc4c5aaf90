"""The market's acts of two people, made known to `registry.decisions`, which stands below it."""

from functools import partial

from credits.payments import bank
from credits.payments.delivering import Certify
from credits.payments.going_back import refunding, releasing
from credits.payments.premiums import disbursing
from credits.registry import decisions, holds
from credits.registry.decisions import Act
from credits.registry.movements import DecisionKind


def register(certify: Certify) -> None:
    """Let issuers propose and approve them. Once, when the application is put together.

    certify: who certifies what a confirmed transfer retires at once.
    """
    # Amounts and the references of banks and mobile money are nobody's business: the log has their salted hashes.
    acts: dict[DecisionKind, Act] = {
        DecisionKind.BANK_PAYMENT: Act(
            bank.check, partial(bank.confirm, certify=certify), must_be_timely=bank.must_have_come
        ),
        DecisionKind.RELEASE: Act(holds.check_release, releasing.release),
        DecisionKind.REFUND: Act(refunding.check, refunding.refund),
        DecisionKind.DISBURSEMENT: Act(disbursing.check, disbursing.pay, frozenset({"paid_on", "sha256", "open"})),
    }
    decisions.ACTS.update(acts)

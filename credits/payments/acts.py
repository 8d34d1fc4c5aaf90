"""The market's acts of two people, made known to `registry.decisions`, which stands below it."""

from credits.payments import bank, disbursing, refunding, releasing
from credits.registry import decisions, holds
from credits.registry.decisions import Act
from credits.registry.movements import DecisionKind

# Amounts and the references of banks and mobile money are nobody's business: the log has their salted hashes.
ACTS: dict[DecisionKind, Act] = {
    DecisionKind.BANK_PAYMENT: Act(bank.check, bank.confirm),
    DecisionKind.RELEASE: Act(holds.check_release, releasing.release),
    DecisionKind.REFUND: Act(refunding.check, refunding.refund),
    DecisionKind.DISBURSEMENT: Act(disbursing.check, disbursing.pay, frozenset({"paid_on", "sha256", "open"})),
}


def register() -> None:
    """Let issuers propose and approve them. Once, when the application is put together."""
    decisions.ACTS.update(ACTS)

"""What the themes, means and papers of the premium are called."""

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext

from credits.payments.premiums.premium_models import PaperKind, PayoutMeans, PayoutState, Theme

THEMES: dict[StrEnum, Any] = {
    Theme.HEALTH_AND_SAFETY: lazy_gettext("Health and safety"),
    Theme.CHILD_RIGHTS: lazy_gettext("Child rights"),
    Theme.GOVERNANCE: lazy_gettext("Governance"),
    Theme.ENVIRONMENT: lazy_gettext("Environment"),
    Theme.INCOME: lazy_gettext("Income"),
    Theme.OTHER: lazy_gettext("Other"),
}
MEANS: dict[StrEnum, Any] = {
    PayoutMeans.MOBILE_MONEY: lazy_gettext("Mobile money"),
    PayoutMeans.BANK: lazy_gettext("Bank"),
    PayoutMeans.CASH: lazy_gettext("Cash, with a receipt"),
}
PAPERS: dict[StrEnum, Any] = {
    PaperKind.MINUTE: lazy_gettext("Minute"),
    PaperKind.PROOF: lazy_gettext("Proof of payment"),
    PaperKind.RECEIPT: lazy_gettext("Receipt"),
    PaperKind.PHOTO: lazy_gettext("Photo"),
}
PAYOUT_STATES: dict[StrEnum, Any] = {
    PayoutState.ASKED: lazy_gettext("Asked for"),
    PayoutState.PAID: lazy_gettext("Paid out"),
    PayoutState.WITHDRAWN: lazy_gettext("Taken back"),
}
PREMIUM_WORDS: dict[Any, Any] = THEMES | MEANS | PAPERS | PAYOUT_STATES

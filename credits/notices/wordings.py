"""What each kind of notice says: a title, what has happened, what to do next, and the page where that is done.

One entry a kind, in the module of `words` that is named for its subject, and nothing else knows a sentence.
"""

from collections.abc import Callable, Mapping
from typing import Any

from credits.notices.words import batches, decisions, orders, premium, sites, transfers, units
from credits.notices.words.wording import N_, Kind, Wording

__all__ = ["ACTS", "MINERALS", "N_", "WORDINGS", "Kind", "Wording", "wording"]

# Facts that are words themselves.
MINERALS = (
    N_("gold"), N_("cobalt"), N_("copper"), N_("lithium"), N_("tin"), N_("tantalum"), N_("tungsten"), N_("rare earths"),
)  # fmt: skip
ACTS = {
    "release": N_("Release a hold"),
    "cancellation": N_("Cancel credits"),
    "export": N_("Export credits"),
    "buffer_draw": N_("Draw from the buffer"),
    "roll_back": N_("Roll an issuance back"),
    "debit": N_("Debit the producer"),
    "lift": N_("Lift a suspension"),
    "ceiling": N_("Let a batch through above its ceiling"),
    "reinstatement": N_("Let a site return to active"),
    "disbursement": N_("Pay premium out"),
    "bank_payment": N_("Confirm a transfer"),
    "refund": N_("Refund an order"),
    "annotation": N_("Annotate a certificate"),
    "annulment": N_("Annul a certificate"),
}

SUBJECTS = (units, transfers, batches, sites, premium, decisions, orders)
WORDINGS: dict[Kind, Wording] = {kind: words for subject in SUBJECTS for kind, words in subject.WORDINGS.items()}


def wording(kind: Kind, facts: Mapping[str, Any], translate: Callable[[str], str]) -> Wording:
    """What a notice of this kind says about these facts, to somebody who reads the language of `translate`."""
    return WORDINGS[kind].told(facts, translate)

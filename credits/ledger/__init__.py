"""Ground floor: who has which serials, and how that came to be. Knows no mineral, person or money."""

from credits.ledger.claims import claim, remember_refusal, settle
from credits.ledger.once import Wanted, post_once
from credits.ledger.posting import Move, Told, issue, move, post

__all__ = ["Move", "Told", "Wanted", "claim", "issue", "move", "post", "post_once", "remember_refusal", "settle"]

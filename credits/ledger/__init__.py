"""Ground floor: who has which serials, and how that came to be. Knows no mineral, person or money."""

from credits.ledger.claims import claim, remember_refusal, settle
from credits.ledger.posting import Move, Told, issue, move, post

__all__ = ["Move", "Told", "claim", "issue", "move", "post", "remember_refusal", "settle"]

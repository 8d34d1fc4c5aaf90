"""The panel for verifiers and the registry. A module of views takes part by being named here."""

from credits.admin import decisions, issuances, organisations, queue, reviews, verifications
from credits.admin.blueprint import bp

__all__ = ["bp", "decisions", "issuances", "organisations", "queue", "reviews", "verifications"]

"""The panel for verifiers and the registry. A module of views takes part by being named here."""

from credits.admin import issuances, organisations, queue, reviews, verifications
from credits.admin.blueprint import bp

__all__ = ["bp", "issuances", "organisations", "queue", "reviews", "verifications"]

"""The market's acts of two people, made known to `registry.decisions`, which stands below it."""

from credits.payments import models, money_models  # noqa: F401  the tables belong to the registry's schema
from credits.registry import decisions
from credits.registry.decisions import Act
from credits.registry.movements import DecisionKind

ACTS: dict[DecisionKind, Act] = {}


def register() -> None:
    """Let issuers propose and approve them. Once, when the application is put together."""
    decisions.ACTS.update(ACTS)

"""The panel for verifiers and the registry. A module of views takes part by being named here."""

from credits.admin import (
    assessments,
    decisions,
    findings,
    holds,
    issuances,
    organisations,
    questions,
    queue,
    reviews,
    sites,
    suspensions,
    verifications,
)
from credits.admin.blueprint import bp

__all__ = [
    "assessments",
    "bp",
    "decisions",
    "findings",
    "holds",
    "issuances",
    "organisations",
    "questions",
    "queue",
    "reviews",
    "sites",
    "suspensions",
    "verifications",
]

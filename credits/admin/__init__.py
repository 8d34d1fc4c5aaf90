"""The panel for verifiers and the registry. A module of views takes part by being named here."""

from credits.admin import (
    assessments,
    assignments,
    decisions,
    findings,
    floors,
    grievances,
    groups,
    holds,
    issuances,
    likenesses,
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
    "assignments",
    "bp",
    "decisions",
    "findings",
    "floors",
    "grievances",
    "groups",
    "holds",
    "issuances",
    "likenesses",
    "organisations",
    "questions",
    "queue",
    "reviews",
    "sites",
    "suspensions",
    "verifications",
]

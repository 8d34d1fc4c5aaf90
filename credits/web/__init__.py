"""The pages of the public and of holders. A module of views takes part by being named here."""

from credits.web import (
    accounts,
    batches,
    certificates,
    evidence,
    health,
    holdings,
    issuances,
    log,
    members,
    public,
    retirements,
    search,
    sites,
    tokens,
    transfers,
)
from credits.web.blueprint import bp

__all__ = [
    "accounts",
    "batches",
    "bp",
    "certificates",
    "evidence",
    "health",
    "holdings",
    "issuances",
    "log",
    "members",
    "public",
    "retirements",
    "search",
    "sites",
    "tokens",
    "transfers",
]

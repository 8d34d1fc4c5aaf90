"""The pages of the public and of holders. A module of views takes part by being named here."""

from credits.web import (
    accounts,
    batches,
    certificates,
    evidence,
    exports,
    health,
    holdings,
    issuances,
    log,
    members,
    notices,
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
    "exports",
    "health",
    "holdings",
    "issuances",
    "log",
    "members",
    "notices",
    "public",
    "retirements",
    "search",
    "sites",
    "tokens",
    "transfers",
]

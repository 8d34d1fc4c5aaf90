"""The pages of the public and of holders. A module of views takes part by being named here."""

from credits.web import accounts, batches, evidence, health, members, sites, tokens
from credits.web.blueprint import bp

__all__ = ["accounts", "batches", "bp", "evidence", "health", "members", "sites", "tokens"]

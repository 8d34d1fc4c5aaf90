"""The pages of the public and of holders. A module of views takes part by being named here."""

from credits.web import accounts, health, members, tokens
from credits.web.blueprint import bp

__all__ = ["accounts", "bp", "health", "members", "tokens"]

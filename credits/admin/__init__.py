"""The panel for verifiers and the registry. A module of views takes part by being named here."""

from credits.admin import organisations
from credits.admin.blueprint import bp

__all__ = ["bp", "organisations"]

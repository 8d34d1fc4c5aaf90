"""The tamper-evident log: what happened, when, who decided and why."""

from credits.journal.events import append

__all__ = ["append"]

from tests.journal.publishing import log

__all__ = ["log"]

"""The family of refusals. A concrete refusal lives beside the rule that raises it."""

from typing import ClassVar


class CreditsError(Exception):
    """A rule of the registry said no. Anticipated, told to the caller, never logged as a fault.

    message: a sentence for the person who asked, saying what to do.
    detail: plain values (str, int, lists of them) that a machine may read.
    """

    code: ClassVar[str] = "refused"  # public and stable

    def __init__(self, message: str, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class Invalid(CreditsError):
    """The request itself is not sound: a wrong form, unit, range or word."""

    code = "invalid"


class NotAllowed(CreditsError):
    """The person may know of it, but may not do this."""

    code = "not_allowed"


class Missing(CreditsError):
    """There is no such thing, or none that this person may know of."""

    code = "missing"


class Conflict(CreditsError):
    """A sound request that the present state of the registry refuses."""

    code = "conflict"

"""What banks and mobile money call a payment: compared as one however it was typed, and shown as it was."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from credits.participants.wording import UnsoundText, line

LONGEST = 100


def tidied(typed: str, what: str, most: int = LONGEST) -> str:
    """The ASCII letters, in capitals, and digits of a reference; `what` names the field. Raises UnsoundText.

    Blanks, hyphens, points and wide signs are typed in many ways. A letter of another script that only looks alike
    would make a second reference out of one line of a statement, so it is refused.
    """
    signs = [sign for sign in unicodedata.normalize("NFKC", line(typed, what, most)).casefold() if sign.isalnum()]
    if not signs:
        raise UnsoundText(f"{what}: write its letters and digits.", field=what)
    if strange := sorted({sign for sign in signs if not sign.isascii()}):
        raise UnsoundText(
            f"{what}: type it with the letters A to Z and the digits 0 to 9; {', '.join(strange)} is none of them.",
            field=what,
        )
    return "".join(signs).upper()


def shown(request: Mapping[str, Any]) -> str:
    """The reference of what was proposed, as it was typed; of proposals that kept only what is compared, that."""
    return str(request.get("typed") or request.get("reference", "")).removeprefix("BANK:")

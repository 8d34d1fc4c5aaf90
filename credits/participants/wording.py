"""What a text must be like before it is kept: something to read, of bounded length, that any database can store."""

import re
import unicodedata
from datetime import date, datetime

from credits.errors import Invalid
from credits.typefaces import named, undrawable

LINE, PARAGRAPHS = 200, 2_000  # characters
# What stands before and behind the @ (RFC 5321); accents before it need servers that few people have (RFC 6531).
MAILBOX = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LONGEST_MAILBOX = 64
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
# Of any width, or unbreakable: two names that look alike would be two names.
SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn")  # control and invisible characters, halves of pairs, none at all
# They turn the reading direction around: a name could then show as something else than it is.
DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class UnsoundText(Invalid):
    code = "unsound_text"


def day_shown(day: date) -> str:
    """A day as sentences and pages say it: 1 Jul 2026."""
    return f"{day.day} {day:%b %Y}"


def moment_shown(moment: datetime) -> str:
    """A time in UTC as sentences and pages say it: 1 Jul 2026, 12:00 UTC."""
    return f"{day_shown(moment)}, {moment:%H:%M} UTC"


def line(text: str, what: str, most: int = LINE) -> str:
    """One line of text without spaces around it. `what` names the field to the person. Raises UnsoundText."""
    return _sound(text, what, most, allowed="")


def paragraphs(text: str, what: str, most: int = PARAGRAPHS) -> str:
    """As `line`, with line breaks."""
    return _sound(text.replace("\r\n", "\n").replace("\r", "\n"), what, most, allowed="\n\t")


def printed(text: str, what: str, most: int = LINE) -> str:
    """As `line`, for what certificates print: in letters that their typefaces have. Raises UnsoundText."""
    return _drawn(line(text, what, most), what)


def printed_paragraphs(text: str, what: str, most: int = PARAGRAPHS) -> str:
    """As `printed`, with line breaks."""
    return _drawn(paragraphs(text, what, most), what)


def email_address(text: str) -> str:
    """An address in lower case, such as every mail server can be asked to write to. Raises UnsoundText."""
    address = line(text, "Email").lower()
    mailbox, _, domain = address.rpartition("@")
    if not MAILBOX.fullmatch(mailbox) or len(mailbox) > LONGEST_MAILBOX or not _is_domain(domain):
        raise UnsoundText(
            "Email: write an address such as name@example.org, without accents or brackets before the @.", field="Email"
        )
    return address


def _is_domain(name: str) -> bool:
    """Whether name servers could know it, in its international form too."""
    try:
        return DOMAIN.fullmatch(name.encode("idna").decode("ascii")) is not None
    except UnicodeError:
        return False


def _sound(text: str, what: str, most: int, allowed: str) -> str:
    text = unicodedata.normalize("NFC", SPACES.sub(" ", text).strip())
    if not text:
        raise UnsoundText(f"{what}: write something here.", field=what)
    if len(text) > most:
        raise UnsoundText(f"{what}: at most {most} characters.", field=what, most=most)
    if any(
        character not in allowed and (unicodedata.category(character) in UNPRINTABLE or character in DIRECTION)
        for character in text
    ):
        raise UnsoundText(f"{what}: remove the characters that cannot be printed.", field=what)
    return text


def _drawn(text: str, what: str) -> str:
    if strange := undrawable(text):
        shown = " ".join(map(named, strange[:10]))
        raise UnsoundText(
            f"{what}: certificates cannot show {shown}. Please use Latin, Greek or Cyrillic letters.",
            field=what,
            characters=strange[:10],
        )
    return text

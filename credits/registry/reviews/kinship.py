"""Whether two parties of a job may be one: the same person under two accounts, the same organisation under two names.

Mailboxes that both have used and whole registration numbers are certain, and shut a party out. Names are not, for many
people share one; nor is what one party alone could have written to shut others out: an invitation nobody has followed,
a number somewhere in a text. There a person of the registry is asked. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from credits.participants.models import Organisation, User
from credits.registry.production import Site

# They say what an organisation is, not which one.
_FORMS = """
    ab ag asbl bv co company coop cooperative coopec cooperativa corp eurl gmbh inc ltd limited llc llp lp oy plc pty sa
    sarl sas sarlu scoops snc spa sprl srl ste societe the et and de des du la le
"""
LEGAL_FORMS = frozenset(_FORMS.split())
NEAR = 0.88  # of 1: names this like are asked about
DOTLESS = frozenset({"gmail.com", "googlemail.com"})  # their mailboxes ignore dots


@dataclass(frozen=True)
class Tie:
    """Why two parties may be one. about: the same for the same two. certain: shuts out; otherwise somebody is asked."""

    about: str
    certain: bool
    sentence: str


def between_people(one: User, other: User) -> Tie | None:
    """Why two accounts of different organisations may be one person's."""
    if one.id == other.id or one.organisation_id == other.organisation_id:
        return None
    about = "person " + " ".join(sorted((one.number, other.number)))
    accounts = (
        f"{one.name} of {one.organisation.name} ({one.number}) and "
        f"{other.name} of {other.organisation.name} ({other.number})"
    )
    if address_key(one.email) == address_key(other.email):
        if not (one.has_signed_in and other.has_signed_in):
            return Tie(
                about, False, f"{accounts} have the same mailbox, which not both have used. Are they one person?"
            )
        return Tie(about, True, f"{accounts} read the same mailbox: they count as one person.")
    if name_key(one.name) == name_key(other.name):
        return Tie(about, False, f"{accounts} have the same name. Are they one person?")
    return None


def among_people(ones: Iterable[User], others: Iterable[User]) -> list[Tie]:
    """Every tie between a person of one side and a person of the other."""
    theirs = list(others)
    return [tie for one in ones for other in theirs if (tie := between_people(one, other))]


def between_organisations(one: Organisation, other: Organisation) -> Tie | None:
    """Why two organisations may be one."""
    if one.id == other.id:
        return None
    about = "organisation " + " ".join(sorted((one.number, other.number)))
    both = f"{one.name} ({one.number}) and {other.name} ({other.number})"
    numbers = {number_key(each.registration_number or "") for each in (one, other)}
    if one.country == other.country and len(numbers) == 1 and "" not in numbers:
        return Tie(about, True, f"{both} have the same registration number: they count as one organisation.")
    likeness = alike(one.name, other.name)
    if likeness == 1 and one.country == other.country:
        return Tie(about, True, f"{both} have the same name in the same country: they count as one organisation.")
    if likeness >= NEAR:
        return Tie(about, False, f"{both} have nearly the same name. Are they one, or of one house?")
    return None


def to_owner(organisation: Organisation, site: Site) -> Tie | None:
    """Why an organisation may own the concession on which a site is worked."""
    about = f"owner {organisation.number} {site.country}-{site.code}"
    owner = site.concession_owner
    who = f"{organisation.name} ({organisation.number}) and the owner of the concession of {site.name}, {owner},"
    number = number_key(organisation.registration_number or "")
    if number and number == number_key(owner):
        return Tie(about, True, f"{who} have the same registration number: an owner does not verify.")
    likeness = alike(organisation.name, owner)
    if likeness == 1:
        return Tie(about, True, f"{who} have the same name: an owner does not verify.")
    if len(number) > 4 and number in number_key(owner):
        return Tie(about, False, f"{who} seem to have the same registration number. Are they one, or of one house?")
    if likeness >= NEAR:
        return Tie(about, False, f"{who} have nearly the same name. Are they one, or of one house?")
    return None


def address_key(email: str) -> str:
    """The mailbox behind an address: what follows a plus sign leads nowhere else."""
    mailbox, _, domain = email.strip().lower().rpartition("@")
    mailbox = mailbox.partition("+")[0]
    return f"{mailbox.replace('.', '') if domain in DOTLESS else mailbox}@{domain}"


def name_key(name: str) -> str:
    """A person's name without accents, capitals and the order of its words."""
    return " ".join(sorted(_words(name)))


def number_key(number: str) -> str:
    """A registration number as it is compared: its letters and digits."""
    return "".join(re.findall(r"[a-z0-9]", _plain(number)))


def alike(one: str, other: str) -> float:
    """How like two names of organisations are, from 0 to 1, legal forms aside."""
    mine, theirs = _telling(one), _telling(other)
    if not mine or not theirs or re.findall(r"\d+", mine) != re.findall(r"\d+", theirs):
        return 0.0  # "Kamilombe 2" is not "Kamilombe 3"
    return 1.0 if mine == theirs else SequenceMatcher(None, mine, theirs, autojunk=False).ratio()


def _telling(name: str) -> str:
    return " ".join(sorted(word for word in _words(name) if word not in LEGAL_FORMS))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"(?<=\b\w)\.(?=\w\b)", "", _plain(text)))


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in folded if not unicodedata.combining(sign))

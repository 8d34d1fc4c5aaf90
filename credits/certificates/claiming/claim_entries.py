"""Writing down one text of a claim: checked, with its event. Later texts stand beside earlier ones."""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from credits.certificates.claiming.claim_models import ClaimEntry, EntryKind, PublishedClaim
from credits.certificates.claiming.published import marks_in, unread_in
from credits.errors import Invalid
from credits.journal import events
from credits.participants.models import Language, User
from credits.participants.wording import line, paragraphs


class SaysTooMuch(Invalid):
    """The text says what nobody may say. detail: what was found, why not, and what to say instead."""

    code = "claim_says_too_much"


class NotRead(Invalid):
    """A part of the text is in a sixth language: nobody has checked it, so it is not recorded as checked."""

    code = "claim_not_read"


class BadPlacement(Invalid):
    code = "bad_placement"


@dataclass(frozen=True)
class Placement:
    """Where a text stands and since when. address: of the page, "" where there is none."""

    medium: str
    address: str
    published_on: date
    language: Language
    text: str


def enter(
    session: Session,
    claim: PublishedClaim,
    kind: EntryKind,
    placement: Placement,
    corrects: ClaimEntry | None,
    by: User,
    at: datetime,
) -> None:
    """Write a placement down, and its event. Raises SaysTooMuch, BadPlacement, UnsoundText."""
    text = paragraphs(placement.text, "Text", 2_000)
    claimed = [(part.retirement.issuance.mineral, part.quantity) for part in claim.parts]
    about = [part.retirement_id for part in claim.parts]
    if marks := marks_in(session, text, about, claimed, placement.language.value):
        raise SaysTooMuch(
            "This text says what nobody may say: "
            + "; ".join(f"“{mark.found}”" for mark in marks[:5])
            + ". Please change it.",
            marks=[f"{mark.found}: {mark.reason} → {mark.instead}" for mark in marks[:50]],
        )
    if foreign := unread_in(session, text, about):
        raise NotRead(
            f"“{foreign[0][:100]}” seems to be in none of the languages that are checked: English, French, Spanish, "
            "Portuguese and Swahili. Record a text in one of them, in whole sentences.",
        )
    first = min(part.retirement.retired_at.date() for part in claim.parts)
    if not first <= placement.published_on <= at.date():
        raise BadPlacement(f"The day lies between the retirement ({first}) and today.")
    entry = ClaimEntry(
        claim_id=claim.id,
        kind=kind,
        corrects_id=corrects.id if corrects else None,
        medium=line(placement.medium, "Where it stands", 200),
        address=sound_address(placement.address),
        published_on=placement.published_on,
        language=placement.language,
        text=text,
        said_by_id=by.id,
        said_at=at,
    )
    write(session, claim, entry, by, at)


def sound_address(address: str) -> str | None:
    """The address of a page. Raises BadPlacement."""
    if not address.strip():
        return None
    tidy = line(address, "Address", 500)
    try:
        parts = urlsplit(tidy)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in tidy
    except ValueError:
        sound = False
    if not sound:
        raise BadPlacement("An address begins with https://, for example https://example.org/report.")
    return tidy


def write(session: Session, claim: PublishedClaim, entry: ClaimEntry, by: User, at: datetime) -> None:
    session.add(entry)
    session.flush()
    session.expire(claim, ["entries"])
    parts = [f"{part.retirement.number} {part.quantity}" for part in claim.parts]
    told = ("medium", "address", "text", "reason")
    events.append(
        session,
        kind={"placed": "claim.placed", "corrected": "claim.corrected"}.get(entry.kind.value, "claim.withdrawn"),
        subject=claim.number,
        actor=by.number,
        at=at,
        facts={"organisation": claim.organisation.number, "parts": parts, "entry": entry.id},
        private={name: value for name in told if (value := getattr(entry, name))},
    )


def told_of(placement: Placement) -> dict[str, str]:
    return {name: str(value) for name, value in vars(placement).items()}

"""What may be said after a retirement, the check of a text, and published claims."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, page_of
from credits.api.schemas.claims import (
    Checked,
    CheckRequest,
    Claim,
    ClaimsQuery,
    PlaceRequest,
    PublishRequest,
    SentenceSchema,
    SentencesQuery,
    WithdrawRequest,
)
from credits.certificates.claiming import claims as saying
from credits.certificates.claiming import published, publishing
from credits.certificates.claiming.claim_entries import Placement
from credits.certificates.claiming.claim_models import ClaimedQuantity, PublishedClaim
from credits.certificates.claiming.claim_tongues import unread
from credits.certificates.claiming.publishing import may_claim
from credits.certificates.facts import read
from credits.certificates.models import Certificate
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import queries
from credits.registry.annotating import Standing
from credits.registry.retirement import NoSuchRetirement

area = Area("claims", "What may be said after a retirement, and what was published.")


def check_claim(asked: dict[str, Any]) -> dict[str, Any]:
    """What in a text may not be said, with the reason and a safe wording. Public; nothing is kept."""
    text = asked["text"]
    marks = published.marks_in(db.session(), text, published.mentioned(db.session(), text))
    return {"marks": marks, "unread": unread(text, marks)}


# It changes nothing, so it takes no key.
area.opened("/claims/check", "POST", [area.arguments(CheckRequest), area.response(200, Checked)], public=True)(
    check_claim
)


@area.get("/claims/sentences", takes=SentencesQuery, gives=SentenceSchema(many=True))
def show_sentences(asked: dict[str, Any]) -> list[saying.Sentence]:
    """What may be said after retirements of yours, in one of five languages."""
    numbers = [number.strip() for number in asked["retirements"].split(",")]
    chosen = [queries.retirement_numbered(db.session(), number) for number in numbers]
    if not all(may_claim(current_user().organisation, each) for each in chosen):
        raise NoSuchRetirement("There is no such retirement.")
    publishing.must_be_valid(db.session(), chosen)
    wanted = select(Certificate).where(Certificate.retirement_id.in_([each.id for each in chosen]))
    facts = [read(each.facts) for each in db.session.scalars(wanted.order_by(Certificate.retirement_id))]
    return saying.sentences(facts, asked["language"].value)


@area.get("/claims", takes=ClaimsQuery, gives=Claim(many=True))
def list_claims(asked: dict[str, Any]) -> tuple[list[With], dict[str, str]]:
    """What your organisation has published, newest first, also what is withdrawn."""
    rows, total = page_of(published.claims_by(current_user().organisation), asked)
    return told(rows), total


@area.post("/claims", takes=PublishRequest, gives=Claim, creates=True)
def publish_claim(key: str, asked: dict[str, Any]) -> Sent:
    """Record a claim and where it stands. A text that says too much is refused, with what was found in it."""
    user, parts, about = current_user(), asked.pop("parts"), asked.pop("about")
    made = publishing.publish(
        db.session(),
        organisation=user.organisation,
        parts=[(queries.retirement_numbered(db.session(), part["retirement"]), part["quantity"]) for part in parts],
        about=about,
        placement=Placement(**asked),
        by=user,
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told([made])[0], "api.claims.show_claim", number=made.number)


@area.get("/claims/<number>", gives=Claim, public=True)
def show_claim(number: str) -> With:
    """One published claim, with all that was said of it later. Public."""
    return told([published.claim_numbered(db.session(), number)])[0]


@area.post("/claims/<number>/placements", takes=PlaceRequest, gives=Claim)
def place_claim(key: str, asked: dict[str, Any], number: str) -> With:
    """Record that the same claim stands in another place too."""
    claim = own(number)
    publishing.place(db.session(), claim=claim, placement=Placement(**asked), by=current_user(), key=key, at=now())
    db.session.commit()
    return told([claim])[0]


@area.post("/claims/<number>/entries/<int:entry_id>/correct", takes=PlaceRequest, gives=Claim)
def correct_claim(key: str, asked: dict[str, Any], number: str, entry_id: int) -> With:
    """Record that a text reads otherwise now. The earlier one stays in the record."""
    claim = own(number)
    entry = next((each for each in claim.entries if each.id == entry_id and each.text is not None), None)
    if entry is None:
        raise published.NoSuchClaim("There is no such text.")
    placement = Placement(**asked)
    publishing.correct(
        db.session(), claim=claim, entry=entry, placement=placement, by=current_user(), key=key, at=now()
    )
    db.session.commit()
    return told([claim])[0]


@area.post("/claims/<number>/withdraw", takes=WithdrawRequest, gives=Claim)
def withdraw_claim(key: str, asked: dict[str, Any], number: str) -> With:
    """Record that a claim is made no more, anywhere."""
    claim = own(number)
    publishing.withdraw(db.session(), claim=claim, reason=asked["reason"], by=current_user(), key=key, at=now())
    db.session.commit()
    return told([claim])[0]


def told(claims: Sequence[PublishedClaim]) -> list[With]:
    """With how the certificates stand today that they rest on."""
    standings = published.standings_in(db.session(), claims)

    def part(each: ClaimedQuantity) -> With:
        return With(each, status=standings.get(each.retirement_id, Standing.RETIRED).value)

    return [With(claim, parts=[part(each) for each in claim.parts]) for claim in claims]


def own(number: str) -> PublishedClaim:
    """A claim of one's own organisation. Raises NoSuchClaim."""
    claim = published.claim_numbered(db.session(), number)
    if claim.organisation_id != current_user().organisation_id:
        raise published.NoSuchClaim("There is no such claim.")
    return claim

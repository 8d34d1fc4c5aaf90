"""What may be said after a retirement: the sentence to copy, the check of a text, and what was published."""

from collections.abc import Mapping, Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from credits import languages
from credits.certificates.claiming import claims as saying
from credits.certificates.claiming import published, publishing
from credits.certificates.claiming.claim_checking import LONGEST_TEXT, Mark
from credits.certificates.claiming.claim_tongues import unread
from credits.certificates.claiming.claims import Sentence
from credits.certificates.claiming.publishing import may_claim, must_publish
from credits.certificates.facts import read
from credits.certificates.models import Certificate
from credits.certificates.wording import LANGUAGES
from credits.errors import CreditsError
from credits.extensions import csrf, db
from credits.identity import current_user, signed_in, visitor
from credits.participants.models import User
from credits.registry import queries
from credits.registry.annotating import standings_among
from credits.registry.models import Retirement
from credits.registry.retirement import NoSuchRetirement
from credits.web.blueprint import bp
from credits.web.holdings import may_move
from credits.web.paging import page_of

MOST_CHOSEN = 20
SPOKEN = {"en": "English", "fr": "Français", "es": "Español", "pt": "Português", "sw": "Kiswahili"}


class CheckForm(FlaskForm):
    """A text to check. Nothing of it is kept."""

    text = TextAreaField(lazy_gettext("Your text"), [DataRequired(), Length(max=LONGEST_TEXT)])


@bp.route("/claims/check", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # it changes nothing and keeps nothing
def check_claim() -> ResponseReturnValue:
    form = CheckForm()
    status, marks, parts, foreign = 200, None, [], []
    if form.is_submitted():
        status = 422
        if form.validate_on_submit():
            text = form.text.data or ""
            status = 200
            marks = published.marks_in(db.session(), text, published.mentioned(db.session(), text))
            parts, foreign = in_parts(text, marks), unread(text, marks)
    page = render_template(
        "claims/check_claim.html", form=form, marks=marks, parts=parts, unread=foreign, most=LONGEST_TEXT
    )
    return page, status


@bp.get("/claims")
@signed_in
def claims() -> ResponseReturnValue:
    user = current_user()
    page = page_of(published.claims_by(user.organisation))
    standings = published.standings_in(db.session(), page.rows)
    return render_template("claims/claims.html", page=page, may=publishes(user), standings=standings)


@bp.get("/claims/sentences")
@signed_in
def claim_sentences() -> ResponseReturnValue:
    """The assistant: choose retirements, copy what may be said of them."""
    user = current_user()
    chosen = chosen_retirements(user)
    publishing.must_be_valid(db.session(), chosen)
    language = request.args.get("language", languages.current())
    language = language if language in LANGUAGES else "en"
    wanted = published.claimable_by(user.organisation).options(joinedload(Retirement.issuance))
    page = page_of(wanted)
    return render_template(
        "claims/claim_sentences.html",
        page=page,
        standings=standings_among(db.session(), [each.id for each in page.rows]),
        chosen=chosen,
        told=sentences_of(chosen, language),
        language=language,
        spoken=SPOKEN,
        may=publishes(user),
    )


@bp.get("/claims/<number>")
def claim(number: str) -> ResponseReturnValue:
    found = published.claim_numbered(db.session(), number)
    user = visitor()
    may = user is not None and user.organisation_id == found.organisation_id and publishes(user)
    standings = published.standings_in(db.session(), [found])
    return render_template("claims/claim.html", claim=found, may=may and not found.withdrawn, standings=standings)


def publishes(user: User) -> bool:
    try:
        must_publish(user, user.organisation)
    except CreditsError:
        return False
    return may_move(user, user.organisation)


def chosen_retirements(user: User) -> list[Retirement]:
    """The retirements that the address names, all of them one's own. Raises NoSuchRetirement."""
    numbers = list(dict.fromkeys(request.args.getlist("retirement")))[:MOST_CHOSEN]
    chosen = [queries.retirement_numbered(db.session, number) for number in numbers]
    if not all(may_claim(user.organisation, each) for each in chosen):
        raise NoSuchRetirement("There is no such retirement.")
    return chosen


def sentences_of(chosen: Sequence[Retirement], language: str, left: Mapping[int, int] | None = None) -> list[Sentence]:
    """left: base units by the id of the retirement, where it is to be told of so many alone."""
    wanted = select(Certificate).where(Certificate.retirement_id.in_([each.id for each in chosen]))
    told = []
    for each in db.session.scalars(wanted.order_by(Certificate.retirement_id)):
        facts = read(each.facts)
        told.append(facts if left is None else facts | {"quantity_base_units": left[each.retirement_id]})
    return saying.sentences(told, language)


def in_parts(text: str, marks: Sequence[Mark]) -> list[tuple[str, int]]:
    """The text cut at its marks, each part with the number of its mark, or 0."""
    parts, place = [], 0
    for number, mark in enumerate(marks, 1):
        parts += [(text[place : mark.start], 0), (text[mark.start : mark.end], number)]
        place = mark.end
    return [*parts, (text[place:], 0)]

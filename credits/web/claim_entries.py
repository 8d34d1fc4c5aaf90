"""Recording where a claim is published, in which words, and what becomes of it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.certificates.claiming import published, publishing
from credits.certificates.claiming.claim_entries import NotRead, Placement, SaysTooMuch
from credits.certificates.claiming.claim_models import ClaimEntry, PublishedClaim
from credits.certificates.claiming.publishing import must_publish
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, Day, OnceForm, printable, tell_at
from credits.identity import current_user, now, signed_in
from credits.participants.models import Language
from credits.registry.models import Retirement
from credits.web.blueprint import bp
from credits.web.claims import SPOKEN, chosen_retirements, sentences_of
from credits.web.sites import not_ahead


class PlacementForm(OnceForm):
    """Where a text stands, since when, and how it reads."""

    field_for: ClassVar[dict[str, str]] = {SaysTooMuch.code: "text", NotRead.code: "text"}

    medium = StringField(lazy_gettext("Where does it stand?"), [DataRequired(), Length(max=200), printable])
    address = StringField(lazy_gettext("Address of the page"), [Optional(), Length(max=500), printable])
    published_on = Day(lazy_gettext("Since which day?"), [InputRequired(), not_ahead])
    language = SelectField(
        lazy_gettext("Language of the text"),
        [InputRequired()],
        choices=[SelectChoice(code, name) for code, name in SPOKEN.items()],
    )
    text = TextAreaField(lazy_gettext("The text, word for word"), [DataRequired(), Length(max=2_000), printable])

    @property
    def placement(self) -> Placement:
        return Placement(
            medium=self.medium.data or "",
            address=self.address.data or "",
            published_on=self.published_on.data,
            language=Language(self.language.data),
            text=self.text.data or "",
        )

    def refused(self, refusal: CreditsError) -> int:
        """As every form, with what was marked in the text, each with its reason."""
        status = super().refused(refusal)
        if refusal.code == SaysTooMuch.code:
            for mark in refusal.detail.get("marks", []):  # type: ignore[attr-defined]
                tell_at(self, "text", str(mark))
        return status


class PublishForm(PlacementForm):
    about = StringField(lazy_gettext("What is the claim for?"), [DataRequired(), Length(max=200), printable])
    quantities: ClassVar[dict[str, str]]  # the fields by the numbers of the retirements

    def refused(self, refusal: CreditsError) -> int:
        """As every form; what is said of one retirement stands at its quantity."""
        if field := self.quantities.get(str(refusal.detail.get("retirement"))):
            self.field_for = self.field_for | {refusal.code: field}  # type: ignore[misc]
        return super().refused(refusal)


class WithdrawForm(OnceForm):
    reason = TextAreaField(lazy_gettext("Why is it withdrawn?"), [DataRequired(), Length(max=500), printable])


@bp.route("/claims/publish", methods=["GET", "POST"])
@signed_in
def publish_claim() -> ResponseReturnValue:
    user = current_user()
    must_publish(user, user.organisation)
    chosen = chosen_retirements(user)
    if not chosen:
        return redirect(url_for("web.claim_sentences"), 303)
    form = quantities_form(chosen)()
    if not form.is_submitted():
        suggest(form, chosen)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = publishing.publish(
                db.session(),
                organisation=user.organisation,
                parts=[(each, each.issuance.mineral.base_units(form[field_of(each)].plain)) for each in chosen],
                about=form.about.data or "",
                placement=form.placement,
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("The claim is recorded."), "success")
            return redirect(url_for("web.claim", number=made.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    fields = [(each, form[field_of(each)]) for each in chosen]
    return render_template("claims/publish_claim.html", form=form, fields=fields), status


@bp.route("/claims/<number>/place", methods=["GET", "POST"])
@signed_in
def place_claim(number: str) -> ResponseReturnValue:
    found, user = own_claim(number), current_user()

    def place(form: PlacementForm) -> None:
        publishing.place(db.session(), claim=found, placement=form.placement, by=user, key=form.key.data, at=now())

    return entry_page(found, None, place)


@bp.route("/claims/<number>/correct/<int:entry_id>", methods=["GET", "POST"])
@signed_in
def correct_claim(number: str, entry_id: int) -> ResponseReturnValue:
    found, user = own_claim(number), current_user()
    entry = next((each for each in found.entries if each.id == entry_id and each.text is not None), None)
    if entry is None:
        raise published.NoSuchClaim("There is no such text.")

    def correct(form: PlacementForm) -> None:
        publishing.correct(
            db.session(), claim=found, entry=entry, placement=form.placement, by=user, key=form.key.data, at=now()
        )

    return entry_page(found, entry, correct)


@bp.route("/claims/<number>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw_claim(number: str) -> ResponseReturnValue:
    found, form = own_claim(number), WithdrawForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            asked = {"claim": found, "reason": form.reason.data or "", "key": form.key.data}
            publishing.withdraw(db.session(), **asked, by=current_user(), at=now())
            db.session.commit()
            flash(_("The claim is withdrawn."), "success")
            return redirect(url_for("web.claim", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("claims/withdraw_claim.html", form=form, claim=found), status


def entry_page(found: PublishedClaim, entry: ClaimEntry | None, enter: Any) -> ResponseReturnValue:
    """The form for one more text of a claim: in another place, or instead of an earlier one."""
    form = PlacementForm()
    if not form.is_submitted() and entry is not None:
        form.process(obj=entry, key=form.key.data)
        form.language.data = entry.language.value if entry.language else "en"
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            enter(form)
            db.session.commit()
            flash(_("It is recorded."), "success")
            return redirect(url_for("web.claim", number=found.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("claims/place_claim.html", form=form, claim=found, entry=entry), status


def own_claim(number: str) -> PublishedClaim:
    """A claim of one's own organisation, by somebody who may publish. Raises NoSuchClaim, NotAllowed."""
    found, user = published.claim_numbered(db.session(), number), current_user()
    if found.organisation_id != user.organisation_id:
        raise published.NoSuchClaim("There is no such claim.")
    must_publish(user, user.organisation)
    return found


def field_of(retirement: Retirement) -> str:
    return f"quantity_{retirement.id}"


def quantities_form(chosen: Sequence[Retirement]) -> type[PublishForm]:
    """The form with a quantity for each retirement."""
    fields = {
        field_of(each): Amount(
            _("Credits claimed of %(number)s", number=each.number), [InputRequired(), Length(max=40)]
        )
        for each in chosen
    }
    quantities = {each.number: field_of(each) for each in chosen}
    return type("PublishChosenForm", (PublishForm,), fields | {"quantities": quantities})


def suggest(form: PublishForm, chosen: Sequence[Retirement]) -> None:
    """Fill in what is not claimed yet, and the allowed sentences."""
    language = languages.current()
    left = {each.id: each.quantity - published.claimed_of(db.session(), each) for each in chosen}
    for each in chosen:
        form[field_of(each)].data = each.issuance.mineral.in_credits(left[each.id])
    form.language.data = language if language in SPOKEN else "en"
    form.text.data = "\n".join(each.plain for each in sentences_of(chosen, form.language.data, left))

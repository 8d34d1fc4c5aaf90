"""A batch entered in five short steps, saved at each: site and mineral, days, weight, grade and sale, papers."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from credits.errors import CreditsError, Invalid, Missing
from credits.extensions import db
from credits.form_fields import with_point
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import queries
from credits.registry.making import batches as registry_batches
from credits.registry.making import completeness, entering, vintages
from credits.registry.making.batch_entries import BatchEntry, EntryState
from credits.registry.making.drying import moisture_of
from credits.registry.making.reckoning import SoFar, reckon, so_far
from credits.registry.minerals import Mineral
from credits.registry.mines.licensed import uncovered
from credits.registry.mines.sites import number_of
from credits.registry.production import Batch, BatchState, EvidenceKind, Site
from credits.web.batch_entries import to_step, whole_form, wrong_step
from credits.web.batch_forms import FIELD_NAMES, FIELDS, StepForm
from credits.web.batches import AMENDABLE, own_batch, start_form, to_batch, typed
from credits.web.blueprint import bp
from credits.web.story import KINDS_OF_PAPER, MINERAL_NAMES

PAPERS_STEP = 5
STEPS = (
    lazy_gettext("Site and mineral"),
    lazy_gettext("Days and work"),
    lazy_gettext("Weight"),
    lazy_gettext("Grade and sale"),
    lazy_gettext("Papers"),
)


@dataclass(frozen=True)
class Going:
    """What is being entered: no batch yet, or one that can still be changed. typed: all that stands in its fields."""

    number: str
    site: Site
    mineral: Mineral
    typed: dict[str, str]
    reached: int  # the furthest step that can be opened
    entry: BatchEntry | None = None
    batch: Batch | None = None


@bp.route("/batches/<number>/steps/<int:step>", methods=["GET", "POST"])
@signed_in
def batch_step(number: str, step: int) -> ResponseReturnValue:
    going = going_on(number)
    if not 1 <= step <= PAPERS_STEP:
        raise Missing("There are five steps.")
    if going.entry and going.entry.state is EntryState.FINISHED and going.entry.batch:
        return to_batch(going.entry.batch)  # sent twice, or an old page
    if step == PAPERS_STEP and going.batch:
        return papers_page(going.batch)
    if step > going.reached or (step == 1 and going.batch) or step == PAPERS_STEP:
        return to_step(number, max(min(step, going.reached), 2 if going.batch else 1))
    return first_step(going) if step == 1 else figures_step(going, step)


def first_step(going: Going) -> ResponseReturnValue:
    """Site and mineral of what was begun already."""
    assert going.entry is not None
    form, sites = start_form(site=number_of(going.site), mineral=going.mineral.code)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            chosen = queries.site_coded(db.session, current_user(), form.site.data.strip().upper())
            asked = {"entry": going.entry, "site": chosen, "mineral_code": form.mineral.data}
            entering.move(db.session, **asked, by=current_user(), at=now())
            db.session.commit()
            return to_step(going.number, 2)
        except CreditsError as refusal:
            status = form.refused(refusal)
            going = going_on(going.number)
    return page_of(going, 1, form, sites=sites), status


def figures_step(going: Going, step: int) -> ResponseReturnValue:
    filled = MultiDict(request.form) if request.method == "POST" else None
    standing = {name: going.typed.get(name, "") for name in FIELDS[step]}
    if filled is None:
        form = StepForm(going.mineral, step, going.typed, formdata=MultiDict(standing | trying(step)))
        return page_of(going, step, form)
    form = StepForm(going.mineral, step, going.typed, formdata=filled)
    if going.batch:
        form.known_ppm = going.batch.grade_ppm
    if "look" in filled:
        return page_of(going, step, form)
    if "back" in filled or "leave" in filled:
        return leave(going, step, form)
    status = 422
    if form.validate():
        try:
            return saved(going, step, form)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return page_of(going_on(going.number), step, form), status


def trying(step: int) -> dict[str, str]:
    """What stands in the fields of a page that shows its arithmetic while somebody types."""
    return {name: request.args[name][: entering.MOST_TYPED] for name in FIELDS[step] if name in request.args}


def saved(going: Going, step: int, form: StepForm) -> ResponseReturnValue:
    """Keep a sound step and go on to the next. Raises CreditsError."""
    raw = blank(step) | form.raw
    if going.batch:
        whole = whole_form(going.mineral, going.typed | raw, form.key.data)
        whole.known_ppm = going.batch.grade_ppm
        if not whole.validate():
            return to_step(going.number, wrong_step(whole))
        if "seen" in request.form and request.form["seen"] != str(going.batch.revision):
            raise registry_batches.ChangedMeanwhile(
                _("The batch was changed in the meantime. Look at it again before you change it.")
            )
        period = (whole.production.produced_from, whole.production.produced_to)
        if period != (going.batch.produced_from, going.batch.produced_to):
            vintages.must_be_one(*period)
        registry_batches.amend(
            db.session,
            batch=going.batch,
            production=whole.production,
            seen=going.batch.revision,
            by=current_user(),
            at=now(),
        )
        db.session.commit()
        return to_step(going.number, step + 1)
    assert going.entry is not None
    entering.save(db.session, entry=going.entry, typed=raw, step=step, by=current_user(), at=now())
    if step < entering.LAST_STEP:
        db.session.commit()
        return to_step(going.number, step + 1)
    return finished(going.entry, form)


def finished(entry: BatchEntry, form: StepForm) -> ResponseReturnValue:
    """After the last figure: a draft, or the question how to divide it. Raises CreditsError."""
    whole = whole_form(entry.mineral, entry.typed, form.key.data)
    if not whole.validate():
        db.session.commit()
        flash(_("One of the earlier steps needs another look."), "warning")
        return to_step(entry.number, wrong_step(whole))
    if whole.production.produced_from.year != whole.production.produced_to.year:
        db.session.commit()
        return redirect(url_for("web.split_entry", number=entry.number), 303)
    asked = {"productions": [whole.production], "by": current_user(), "key": form.key.data, "at": now()}
    made = entering.finish(db.session, entry=entry, **asked)
    db.session.commit()
    flash(_("The figures are saved as draft %(number)s. Now the papers.", number=made[0].number), "success")
    return to_step(made[0].number, PAPERS_STEP)


def leave(going: Going, step: int, form: StepForm) -> ResponseReturnValue:
    """Go back, or away, with what was typed so far, right or wrong."""
    if going.entry:
        raw = blank(step) | form.raw
        entering.save(db.session, entry=going.entry, typed=raw, step=None, by=current_user(), at=now())
        db.session.commit()
    if "back" in request.form:
        return to_step(going.number, max(step - 1, 2 if going.batch else 1))
    if going.entry:
        flash(_("Saved. You find it under Batches, and can go on at any time."), "success")
    return redirect(url_for("web.batches"), 303)


def going_on(number: str) -> Going:
    """What is entered under this number, for those who may. Raises Missing, NotAllowed."""
    if number.startswith("ENTRY-"):
        entry = entering.entry_numbered(db.session, current_user(), number)
        may_register_for(current_user(), entry.site.producer)
        if entry.state is EntryState.DROPPED:
            raise entering.EntryClosed(_("This batch was deleted before it was finished. Begin a new one."))
        reached = min(entry.step + 1, entering.LAST_STEP)
        return Going(number, entry.site, entry.mineral, dict(entry.typed), reached, entry=entry)
    batch = own_batch(number)
    if batch.state not in AMENDABLE:
        raise registry_batches.WrongState(_("The figures of this batch can no longer be changed."))
    figures = {name: "" if value is None else str(value) for name, value in typed(batch).items()}
    return Going(number, batch.site, batch.mineral, figures, PAPERS_STEP, batch=batch)


def blank(step: int) -> dict[str, str]:
    """A field that is not sent, such as a box without a tick, is empty."""
    return dict.fromkeys(FIELDS[step], "")


def page_of(going: Going, step: int, form: Any, **more: Any) -> str:
    texts = going.typed | {field.name: str(field.data or "") for field in form if field.name in FIELD_NAMES}
    days = days_of(texts)
    return render_template(
        "batches/step.html",
        form=form,
        going=going,
        step=step,
        steps=STEPS,
        names=MINERAL_NAMES,
        sums=sums_of(going.mineral, texts) if step in (3, 4) else None,
        unlicensed=uncovered(going.site.licences, *days) if days and step > 1 else None,
        years=vintages.years(*days) if days and step > 1 else [],
        wanted=[] if going.batch else [KINDS_OF_PAPER[kind] for kind in required_evidence()],
        **more,
    )


def sums_of(mineral: Mineral, texts: dict[str, str]) -> SoFar:
    """The arithmetic as far as the figures go; what cannot be read is left out."""

    def plain(name: str) -> str:
        with suppress(Invalid):
            return with_point(texts.get(name, ""))
        return ""

    gross, moisture = plain("gross_kg"), plain("moisture")
    with suppress(Invalid):
        if gross and not moisture and plain("dry_kg"):
            moisture = moisture_of(gross, plain("dry_kg"))
    return so_far(mineral, gross, "0" if mineral.per_thousand else moisture, plain("grade"))


def days_of(texts: dict[str, str]) -> tuple[date, date] | None:
    with suppress(ValueError):
        first, last = (date.fromisoformat(texts.get(name, "")) for name in ("produced_from", "produced_to"))
        if first <= last and last.year - first.year <= 1:
            return first, last
    return None


def papers_page(batch: Batch) -> ResponseReturnValue:
    """The last step: which papers there are, what is missing, and the way to the verifiers."""
    missing = completeness.missing(batch, current_app.extensions["policy"])
    page = render_template(
        "batches/papers_step.html",
        batch=batch,
        step=PAPERS_STEP,
        steps=STEPS,
        names=MINERAL_NAMES,
        papers=KINDS_OF_PAPER,
        required=required_evidence(),
        there={paper.kind for paper in batch.evidence},
        unlicensed=uncovered(batch.site.licences, batch.produced_from, batch.produced_to),
        missing=missing,
        reckoning=reckon(batch),
        site_number=number_of(batch.site),
        draft=batch.state is BatchState.DRAFT,
    )
    return page, 200


def required_evidence() -> tuple[EvidenceKind, ...]:
    kinds: tuple[EvidenceKind, ...] = current_app.extensions["policy"].required_evidence
    return kinds

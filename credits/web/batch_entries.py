"""What becomes of a batch that is being entered: one draft for each year it lies in, or nothing."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry.making import entering, vintages
from credits.registry.making.batch_entries import EntryState
from credits.registry.making.reckoning import so_far
from credits.registry.minerals import Mineral
from credits.web.batch_forms import FIELDS, BatchForm
from credits.web.batches import to_batch
from credits.web.blueprint import bp
from credits.web.story import MINERAL_NAMES


@bp.route("/batches/<number>/split", methods=["GET", "POST"])
@signed_in
def split_entry(number: str) -> ResponseReturnValue:
    """What lies in two calendar years becomes one draft for each."""
    entry = entering.entry_numbered(db.session, current_user(), number)
    may_register_for(current_user(), entry.site.producer)
    if entry.state is EntryState.FINISHED and entry.batch:
        return to_batch(entry.batch)
    form = OnceForm()
    status = 422 if form.is_submitted() else 200
    whole = whole_form(entry.mineral, entry.typed, form.key.data)
    if not whole.validate():
        return to_step(number, wrong_step(whole))
    parts = vintages.divided(whole.production)
    if form.validate_on_submit():
        try:
            asked = {"productions": parts, "by": current_user(), "key": form.key.data, "at": now()}
            made = entering.finish(db.session, entry=entry, **asked)
            db.session.commit()
            numbers = ", ".join(batch.number for batch in made)
            flash(_("Saved as drafts %(numbers)s. Look at the figures of each, and correct them.", numbers=numbers))
            return to_batch(made[0])
        except CreditsError as refusal:
            status = form.refused(refusal)
    spans = [(part.produced_to - part.produced_from).days + 1 for part in parts]
    sums = [so_far(entry.mineral, part.gross_kg, part.moisture, part.grade) for part in parts]
    page = {"form": form, "entry": entry, "parts": list(zip(parts, spans, sums, strict=True)), "days": sum(spans)}
    return render_template("batches/split_entry.html", **page, whole=whole.production, names=MINERAL_NAMES), status


@bp.route("/batches/<number>/drop", methods=["GET", "POST"])
@signed_in
def drop_entry(number: str) -> ResponseReturnValue:
    entry = entering.entry_numbered(db.session, current_user(), number)
    may_register_for(current_user(), entry.site.producer)
    if entry.state is not EntryState.OPEN:
        return redirect(url_for("web.batches"), 303)
    form = OnceForm()
    if form.validate_on_submit():
        entering.drop(db.session, entry=entry, by=current_user(), at=now())
        db.session.commit()
        flash(_("The unfinished batch is deleted."), "success")
        return redirect(url_for("web.batches"), 303)
    return render_template("batches/drop_entry.html", form=form, entry=entry, names=MINERAL_NAMES)


def whole_form(mineral: Mineral, figures: dict[str, str], key: Any) -> BatchForm:
    """All figures of all steps as one form, to be looked at together."""
    asked = {name: value for name, value in figures.items() if value}
    form = BatchForm(mineral, formdata=MultiDict(asked), meta={"csrf": False})
    form.key.data = key
    return form


def wrong_step(form: BatchForm) -> int:
    return next((step for step, names in FIELDS.items() if any(name in form.errors for name in names)), 2)


def to_step(number: str, step: int) -> ResponseReturnValue:
    return redirect(url_for("web.batch_step", number=number, step=step), 303)

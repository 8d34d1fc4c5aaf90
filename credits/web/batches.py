"""A producer's batches: drafted, handed in, answered for and followed to the credits."""

from datetime import datetime
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms.fields import SelectChoice

from credits.certificates import verified
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.registry import queries, searching
from credits.registry.doubts import plausibility
from credits.registry.doubts.plausibility_chart import chart_of
from credits.registry.making import batches as registry_batches
from credits.registry.making import completeness, entering
from credits.registry.making.reckoning import MG_DIGITS, PERCENT_DIGITS, grade_digits, reckon, shown
from credits.registry.minerals import MINERALS, mineral_of
from credits.registry.mines.sites import number_of
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reviews import review_threads
from credits.web.batch_forms import FIELD_NAMES, BatchForm, ChangeForm, StartAmongManyForm, StartForm
from credits.web.blueprint import bp
from credits.web.paging import asked_text, page_of
from credits.web.story import KINDS_OF_PAPER, MINERAL_NAMES, story_of

AMENDABLE = (BatchState.DRAFT, BatchState.INFORMATION_REQUESTED)
MOST_LISTED = 200  # sites that are offered to choose from
NEXT_STEPS: dict[BatchState, Any] = {
    BatchState.DRAFT: lazy_gettext("Add the papers and submit"),
    BatchState.SUBMITTED: lazy_gettext("Wait for a verifier"),
    BatchState.IN_REVIEW: lazy_gettext("Wait for the verifier"),
    BatchState.INFORMATION_REQUESTED: lazy_gettext("Answer the verifier"),
    BatchState.VERIFIED: lazy_gettext("Wait for the credits"),
    BatchState.ISSUED: lazy_gettext("None: see the holdings"),
}
WITHDRAWABLE = (*AMENDABLE, BatchState.SUBMITTED, BatchState.IN_REVIEW, BatchState.VERIFIED)


@bp.get("/batches")
@signed_in
def batches() -> ResponseReturnValue:
    user = current_user()
    asked, text = request.args.get("state", ""), asked_text()
    state = BatchState(asked) if asked in list(BatchState) else None
    return render_template(
        "batches/batches.html",
        page=page_of(searching.batches(user, state=state, text=text)),
        state=state,
        states=list(BatchState),
        text=text,
        names=MINERAL_NAMES,
        sites=searching.sites_to_produce(db.session, user, most=1),
        may_record=bool(searching.producers_for(db.session, user)),
        reckon=reckon,
        entries=entering.entries_of(db.session, user) if not (state or text) else [],
        next_steps=NEXT_STEPS,
    )


@bp.route("/batches/new", methods=["GET", "POST"])
@signed_in
def new_batch() -> ResponseReturnValue:
    user = current_user()
    may_register_for(user, user.organisation)
    if not (request.args.get("site") and request.args.get("mineral")):
        return _begin()
    site = queries.site_coded(db.session, user, request.args["site"])
    may_register_for(user, site.producer)
    form = BatchForm(mineral_of(request.args["mineral"]))
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            asked = {"by": user, "key": form.key.data, "at": now()}
            if form.production.produced_from.year != form.production.produced_to.year:
                return _to_divide(site, form, **asked)
            made = registry_batches.draft(db.session, site=site, production=form.production, **asked)
            db.session.commit()
            flash(_("The draft is saved. Nobody outside sees it before you submit it."), "success")
            return to_batch(made)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("batches/new_batch.html", form=form, place=site, names=MINERAL_NAMES), status


def _begin() -> ResponseReturnValue:
    """The first step: of which site and mineral? From here on everything is saved."""
    form, sites = start_form(site=request.args.get("site"))
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        if "one_page" in request.form:
            address = {"site": form.site.data, "mineral": form.mineral.data}
            return redirect(url_for("web.new_batch", **address), 303)
        try:
            site = queries.site_coded(db.session, current_user(), form.site.data.strip().upper())
            asked = {"by": current_user(), "key": form.key.data, "at": now()}
            entry = entering.begin(db.session, site=site, mineral_code=form.mineral.data, **asked)
            db.session.commit()
            return redirect(url_for("web.batch_step", number=entry.number, step=2), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("batches/start_batch.html", form=form, sites=sites), status


def start_form(**values: Any) -> tuple[StartForm, list[Site]]:
    """The form of the first step, and sites that it offers: by choice, or by number where there are very many."""
    sites = searching.sites_to_produce(db.session, current_user(), most=MOST_LISTED + 1)
    choose = [SelectChoice("", _("Choose…"))]
    form = StartForm(**values) if len(sites) <= MOST_LISTED else StartAmongManyForm(**values)
    if len(sites) <= MOST_LISTED:
        form.site.choices = (choose if len(sites) > 1 else []) + [
            SelectChoice(number_of(site), f"{site.name} ({number_of(site)}) · {site.producer.name}") for site in sites
        ]
    form.mineral.choices = choose + [SelectChoice(code, MINERAL_NAMES[code]) for code in MINERALS]
    return form, sites


def _to_divide(site: Site, form: BatchForm, by: User, key: str, at: datetime) -> ResponseReturnValue:
    """Keep what was typed and ask how to divide it: the days lie in two calendar years."""
    entry = entering.begin(db.session, site=site, mineral_code=form.mineral.code, by=by, key=key, at=at)
    if entry.step == 1:
        raw = {name: str((form[name].raw_data or [""])[0]) for name in FIELD_NAMES if name in form}
        entering.save(db.session, entry=entry, typed=raw, step=entering.LAST_STEP, by=by, at=at)
    db.session.commit()
    return redirect(url_for("web.split_entry", number=entry.number), 303)


@bp.get("/batches/<number>")
@signed_in
def batch(number: str) -> ResponseReturnValue:
    user = current_user()
    shown_batch = queries.batch_numbered(db.session, user, number)
    weighed = plausibility.of_batch(db.session, shown_batch)
    weighed = plausibility.seen_by(user, weighed)
    return render_template(
        "batches/batch.html",
        batch=shown_batch,
        site_number=number_of(shown_batch.site),
        names=MINERAL_NAMES,
        papers=KINDS_OF_PAPER,
        reckoning=reckon(shown_batch),
        missing=completeness.missing(shown_batch, current_app.extensions["policy"]),
        licensed=completeness.is_licensed(shown_batch),
        weighed=weighed,
        chart=chart_of(weighed),
        overrides=plausibility.overrides_of(db.session, shown_batch),
        story=story_of(db.session, user, shown_batch),
        issuance=searching.issuance_of(db.session, shown_batch),
        threads=review_threads.threads_of(db.session(), shown_batch),
        statement=verified.statement_of(db.session(), shown_batch),
        may_record=searching.registers_for(user, shown_batch.site.producer),
        amendable=shown_batch.state in AMENDABLE,
        withdrawable=shown_batch.state in WITHDRAWABLE,
    )


@bp.route("/batches/<number>/edit", methods=["GET", "POST"])
@signed_in
def edit_batch(number: str) -> ResponseReturnValue:
    changed = own_batch(number)
    if request.method == "GET" and changed.state not in AMENDABLE:
        return to_batch(changed)
    form = ChangeForm(changed.mineral, **typed(changed), seen=changed.revision)
    form.known_ppm = changed.grade_ppm
    form.stands = (changed.produced_from, changed.produced_to)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            registry_batches.amend(
                db.session,
                batch=changed,
                production=form.production,
                seen=form.revision,
                by=current_user(),
                at=now(),
            )
            db.session.commit()
            flash(_("The figures are saved."), "success")
            return to_batch(changed)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("batches/edit_batch.html", form=form, batch=changed, names=MINERAL_NAMES), status


@bp.route("/batches/<number>/submit", methods=["GET", "POST"])
@signed_in
def submit_batch(number: str) -> ResponseReturnValue:
    handed_in = own_batch(number)
    if handed_in.state is not BatchState.DRAFT:
        return to_batch(handed_in)  # sent twice, or an old page: the batch itself says where it is
    policy = current_app.extensions["policy"]
    form = OnceForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            registry_batches.submit(db.session, batch=handed_in, policy=policy, by=current_user(), at=now())
            db.session.commit()
            flash(_("%(number)s is with the verifiers now.", number=number), "success")
            return to_batch(handed_in)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = render_template(
        "batches/submit_batch.html",
        form=form,
        batch=handed_in,
        names=MINERAL_NAMES,
        reckoning=reckon(handed_in),
        missing=completeness.missing(handed_in, policy),
    )
    return page, status


@bp.route("/batches/<number>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw_batch(number: str) -> ResponseReturnValue:
    taken_back = own_batch(number)
    if taken_back.state not in WITHDRAWABLE:
        return to_batch(taken_back)
    form = OnceForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            registry_batches.withdraw(db.session, batch=taken_back, by=current_user(), at=now())
            db.session.commit()
            flash(_("%(number)s is withdrawn.", number=number), "success")
            return to_batch(taken_back)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("batches/withdraw_batch.html", form=form, batch=taken_back, names=MINERAL_NAMES), status


def own_batch(number: str) -> Batch:
    """The batch with this number, for somebody who may record for its producer. Raises NoSuchBatch, NotAllowed."""
    found = queries.batch_numbered(db.session, current_user(), number)
    may_register_for(current_user(), found.site.producer)
    return found


def to_batch(shown_batch: Batch) -> ResponseReturnValue:
    return redirect(url_for("web.batch", number=shown_batch.number), 303)


def typed(changed: Batch) -> dict[str, Any]:
    """The figures of a batch as somebody would type them."""
    return {
        "delivered_as": changed.form,
        "produced_from": changed.produced_from,
        "produced_to": changed.produced_to,
        "gross_kg": shown(changed.gross_mg, MG_DIGITS, thousands=""),
        "moisture": shown(changed.moisture_ppm, PERCENT_DIGITS),
        "grade": shown(changed.grade_ppm, grade_digits(changed), thousands=""),
        "miners": changed.miners,
        "days_worked": changed.days_worked,
        "sold_to": changed.sold_to,
        "sold_with_premium": changed.sold_with_premium,
        "registered_elsewhere": changed.registered_elsewhere,
    }

"""The papers behind a batch: sent in by the producer, read by whoever may see the batch."""

from io import BytesIO

from flask import current_app, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import evidence as registry_evidence
from credits.registry import queries
from credits.registry.evidence import OPEN_FOR_EVIDENCE, NoSuchEvidence
from credits.registry.production import EvidenceKind
from credits.web.blueprint import bp
from credits.web.fields import OnceForm, printable
from credits.web.story import KINDS_OF_PAPER


class EvidenceForm(OnceForm):
    kind = SelectField(lazy_gettext("What is it?"), [InputRequired()])
    reference = StringField(
        lazy_gettext("Number on the paper"),
        [Optional(), Length(max=80), printable],
    )
    file = FileField(lazy_gettext("File"), [FileRequired(lazy_gettext("Choose the file."))])


@bp.route("/batches/<number>/evidence/new", methods=["GET", "POST"])
@signed_in
def add_evidence(number: str) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    may_register_for(user, batch.site.producer)
    policy = current_app.extensions["policy"]
    form = EvidenceForm()
    there = {paper.kind for paper in batch.evidence}
    form.kind.choices = [
        SelectChoice("", _("Choose…")),
        *(SelectChoice(kind.value, KINDS_OF_PAPER[kind]) for kind in EvidenceKind),
    ]
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            registry_evidence.add(
                db.session,
                batch=batch,
                kind=EvidenceKind(form.kind.data),
                reference=form.reference.data or "",
                filename=form.file.data.filename,
                content=form.file.data.read(),
                files=current_app.extensions["evidence_files"],
                policy=policy,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("The paper is with the batch."), "success")
            return redirect(url_for("web.batch", number=number, _anchor="papers"), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = render_template(
        "evidence/add_evidence.html",
        form=form,
        number=number,
        open=batch.state in OPEN_FOR_EVIDENCE,
        wanted=[KINDS_OF_PAPER[kind] for kind in policy.required_evidence if kind not in there],
        megabytes=policy.largest_file_bytes // 1_000_000,
    )
    return page, status


@bp.get("/batches/<number>/evidence/<int:evidence_id>")
@signed_in
def evidence(number: str, evidence_id: int) -> ResponseReturnValue:
    """The file as it was sent, to be kept, never shown: what somebody uploads must not run as a page of ours."""
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    content = current_app.extensions["evidence_files"].read(paper.sha256)
    answer = send_file(
        BytesIO(content),
        mimetype=paper.media_type,
        as_attachment=True,
        download_name=paper.filename,
        etag=paper.sha256,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@bp.post("/batches/<number>/evidence/<int:evidence_id>/remove")
@signed_in
def remove_evidence(number: str, evidence_id: int) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    may_register_for(user, batch.site.producer)
    try:
        paper = queries.evidence_of(db.session, user, number, evidence_id)
        registry_evidence.remove(db.session, paper=paper, by=user, at=now())
        db.session.commit()
        flash(_("The paper is taken away."), "success")
    except NoSuchEvidence:
        db.session.rollback()  # asked twice: it is gone already
    return redirect(url_for("web.batch", number=number, _anchor="papers"), 303)

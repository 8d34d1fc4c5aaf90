"""The papers behind a batch: sent in by the producer, whole or in pieces, and handed over to whoever may see it."""

from contextlib import suppress
from io import BytesIO

from flask import Response, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits import receiving
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm, printable
from credits.identity import current_user, new_handle, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import queries
from credits.registry.papers import evidence as registry_evidence
from credits.registry.papers import evidence_uploads
from credits.registry.papers.evidence import OPEN_FOR_EVIDENCE, NoSuchEvidence
from credits.registry.papers.evidence_looking import UnusableFile
from credits.registry.papers.evidence_models import Upload
from credits.registry.papers.evidence_tables import FormulaCell, NoTable
from credits.registry.papers.evidence_uploads import NoSuchUpload
from credits.registry.production import Batch, EvidenceKind
from credits.web.blueprint import bp
from credits.web.story import KINDS_OF_PAPER

UNUSABLE = (UnusableFile, FormulaCell, NoTable)  # the file has to be another one, whatever else is in the form


class EvidenceForm(OnceForm):
    kind = SelectField(lazy_gettext("What is it?"), [InputRequired()])
    reference = TextAreaField(
        lazy_gettext("Numbers on the paper"),
        [Optional(), Length(max=40_000), printable],
    )
    issuer = StringField(lazy_gettext("Who gave the numbers?"), [Optional(), Length(max=120), printable])
    upload = HiddenField()  # the handle of a file that is here already
    file = FileField(lazy_gettext("File"))

    def validate(self, extra_validators: object = None) -> bool:
        sound = super().validate(extra_validators)
        if not (self.upload.data or self.file.data):
            self.file.errors = [_("Choose the file.")]
            return False
        return sound


@bp.route("/batches/<number>/evidence/new", methods=["GET", "POST"])
@signed_in
def add_evidence(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    may_register_for(current_user(), batch.site.producer)
    form = EvidenceForm(kind=request.args.get("kind"))
    form.kind.choices = [
        SelectChoice("", _("Choose…")),
        *(SelectChoice(kind.value, KINDS_OF_PAPER[kind]) for kind in EvidenceKind),
    ]
    upload = upload_named(form, batch)
    if upload is not None and upload.evidence_id is not None:
        return added(number)  # sent twice: it is a paper already
    sent = form.file.data.read() if form.file.data else b""
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            add_paper(form, upload, sent, number)
            return added(number)
        except CreditsError as refusal:
            status = form.refused(refusal)
            if isinstance(refusal, UNUSABLE):
                form.upload.data, sent = "", b""
    if sent and not form.upload.data:
        keep_until_right(form, sent, number)
    return add_evidence_page(form, batch, status)


def add_evidence_page(form: EvidenceForm, batch: Batch, status: int) -> ResponseReturnValue:
    policy = current_app.extensions["policy"]
    there = {paper.kind for paper in batch.evidence}
    here = upload_named(form, batch)
    form.file.flags.required = here is None
    page = render_template(
        "evidence/add_evidence.html",
        form=form,
        number=batch.number,
        open=batch.state in OPEN_FOR_EVIDENCE,
        wanted=[KINDS_OF_PAPER[kind] for kind in policy.required_evidence if kind not in there],
        largest=policy.largest_file_bytes,
        here=here,
    )
    return page, status


def added(number: str) -> ResponseReturnValue:
    flash(_("The paper is with the batch."), "success")
    return redirect(url_for("web.batch", number=number, _anchor="papers"), 303)


def upload_named(form: EvidenceForm, batch: Batch) -> Upload | None:
    """The file in pieces that the form speaks of, if it was begun by this person for this batch and is whole."""
    with suppress(NoSuchUpload):
        if form.upload.data:
            upload = evidence_uploads.upload_of(db.session, current_user(), form.upload.data)
            there = evidence_uploads.arrived(upload, current_app.extensions["evidence_parts"])
            if upload.batch_id == batch.id and there == upload.size:
                return upload
    form.upload.data = ""
    return None


def add_paper(form: EvidenceForm, upload: Upload | None, sent: bytes, number: str) -> None:
    """Put the file behind the batch. Commits."""
    parts = current_app.extensions["evidence_parts"]
    handle = None
    if upload is None:
        looked = receiving.looked_at(form.file.data.filename, sent)
    else:
        handle = upload.handle
        looked = receiving.looked_at(upload.filename, evidence_uploads.whole(upload, parts))
    paper = registry_evidence.add(
        db.session,
        batch=queries.batch_numbered(db.session, current_user(), number),
        kind=EvidenceKind(form.kind.data),
        reference=form.reference.data or "",
        issuer=form.issuer.data or "",
        looked=looked,
        files=current_app.extensions["evidence_files"],
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=form.key.data,
        at=now(),
    )
    if handle is not None:
        evidence_uploads.become(db.session, evidence_uploads.upload_of(db.session, current_user(), handle), paper)
    db.session.commit()
    if handle is not None:
        parts.drop(handle)


def keep_until_right(form: EvidenceForm, sent: bytes, number: str) -> None:
    """Keep a file whose form was refused: nobody sends it twice over a slow link for a forgotten word. Commits."""
    parts = current_app.extensions["evidence_parts"]
    try:
        upload = evidence_uploads.begin(
            db.session,
            batch=queries.batch_numbered(db.session, current_user(), number),
            filename=form.file.data.filename,
            size=len(sent),
            handle=new_handle(),
            parts=parts,
            policy=current_app.extensions["policy"],
            by=current_user(),
            key=new_handle(),
            at=now(),
        )
        evidence_uploads.append(upload, offset=0, piece=sent, parts=parts)
        form.upload.data = upload.handle
        db.session.commit()
    except CreditsError:
        db.session.rollback()
        form.upload.data = ""


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
    return sealed(answer)


def sealed(answer: Response) -> Response:
    """Let a browser take what others made for nothing else than it is, and let nothing in it run."""
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
        registry_evidence.remove(
            db.session, paper=paper, files=current_app.extensions["evidence_files"], by=user, at=now()
        )
        db.session.commit()
        flash(_("The paper is taken away."), "success")
    except NoSuchEvidence:
        db.session.rollback()  # asked twice: it is gone already
    return redirect(url_for("web.batch", number=number, _anchor="papers"), 303)

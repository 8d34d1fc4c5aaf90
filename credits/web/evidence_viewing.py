"""Papers on the screen: as pictures that we drew ourselves, or as the cells of a table. The original stays sealed."""

from itertools import islice

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.exceptions import NotFound
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm, printable
from credits.identity import current_user, now, signed_in
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, is_verifier
from credits.registry import queries
from credits.registry.papers import evidence_likeness, evidence_questions
from credits.registry.papers.evidence_looking import CSV, page_of
from credits.registry.papers.evidence_models import Likeness
from credits.registry.papers.evidence_tables import rows, table_text
from credits.registry.production import Batch, Evidence
from credits.web.blueprint import bp
from credits.web.evidence import sealed
from credits.web.story import KINDS_OF_PAPER

ROWS_SHOWN, COLUMNS_SHOWN, LONGEST_CELL = 200, 12, 300


class AnswerForm(OnceForm):
    text = TextAreaField(lazy_gettext("What did you find out?"), [InputRequired(), Length(max=2000), printable])


@bp.get("/batches/<number>/evidence/<int:evidence_id>/look")
@signed_in
def look_at_evidence(number: str, evidence_id: int) -> ResponseReturnValue:
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    return page_about(paper, AnswerForm(), None, 200)


@bp.get("/batches/<number>/evidence/<int:evidence_id>/pages/<int:page>.jpg")
@signed_in
def evidence_page(number: str, evidence_id: int, page: int) -> ResponseReturnValue:
    """One page as a picture of its pixels: no position, device or program of the original comes along."""
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    if paper.media_type == CSV or not 1 <= page <= (paper.pages or 1):
        raise NotFound
    pages, sha256, media_type = current_app.extensions["evidence_pages"], paper.sha256, paper.media_type
    picture = pages.find(sha256, page)
    if picture is None:
        db.session.rollback()  # drawing takes a while
        content = current_app.extensions["evidence_files"].read(sha256)
        picture = page_of(media_type, content, page, current_app.extensions["policy"])
        pages.keep(sha256, page, picture)
    return sealed(Response(picture, mimetype="image/jpeg"))


@bp.post("/batches/<number>/evidence/<int:evidence_id>/questions/<int:question_id>")
@signed_in
def answer_question(number: str, evidence_id: int, question_id: int) -> ResponseReturnValue:
    paper = queries.evidence_of(db.session, current_user(), number, evidence_id)
    likeness = evidence_questions.question_of(db.session, paper.batch, question_id)
    form = AnswerForm()
    status = 422
    if form.validate_on_submit():
        try:
            evidence_questions.answer(
                db.session, likeness=likeness, text=form.text.data, by=current_user(), key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("The answer is written down."), "success")
            return redirect(
                url_for("web.look_at_evidence", number=number, evidence_id=evidence_id, _anchor="questions"), 303
            )
        except CreditsError as refusal:
            status = form.refused(refusal)
    return page_about(paper, form, question_id, status)


def page_about(paper: Evidence, form: AnswerForm, answering: int | None, status: int) -> ResponseReturnValue:
    """answering: the question whose form is shown again with what was typed."""
    user = current_user()
    staff = sees_questions(user)
    asked = questions_about(paper) if staff else []
    page = render_template(
        "evidence/look_at_evidence.html",
        paper=paper,
        batch=paper.batch,
        kind=KINDS_OF_PAPER[paper.kind],
        staff=staff,
        page=shown_page(paper),
        cells=cells_of(paper) if paper.media_type == CSV else None,
        questions=asked,
        seen=evidence_questions.others_seen(db.session, user, asked),
        answerable=staff and evidence_questions.may_answer(user, paper.batch),
        form=form,
        answering=answering,
    )
    return page, status


def sees_questions(user: User) -> bool:
    """Whether `user` is told of papers that are alike: who reviews or keeps the registry, not who brought them."""
    return is_verifier(user) or is_issuer(user) or is_auditor(user)


def questions_about(paper: Evidence) -> list[Likeness]:
    batch: Batch = paper.batch
    return [each for each in evidence_likeness.likenesses_of(db.session, batch) if each.evidence_id == paper.id]


def shown_page(paper: Evidence) -> int:
    """The page of a PDF that was asked for, or the first."""
    asked = request.args.get("page", 1, type=int)
    return asked if 1 <= asked <= (paper.pages or 1) else 1


def cells_of(paper: Evidence) -> list[list[str]]:
    """The first rows of a table, cut where they are very wide; all as long as the first."""
    text = table_text(current_app.extensions["evidence_files"].read(paper.sha256)) or ""
    first = [[cell[:LONGEST_CELL] for cell in row[:COLUMNS_SHOWN]] for row in islice(rows(text), ROWS_SHOWN + 1) if row]
    wide = len(first[0]) if first else 0
    return [(row + [""] * wide)[:wide] for row in first]

"""Documents besides the certificates: asked for once, issued within a minute, the same bytes for ever."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

from flask import Response, current_app, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from credits import languages
from credits.certificates import issuing, records
from credits.certificates.account_facts import Days
from credits.certificates.facts import read
from credits.certificates.models import Record, RecordKind
from credits.certificates.records import Asking
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Day, OnceForm
from credits.identity import current_user, now, signed_in, visitor
from credits.participants.models import Language
from credits.registry.queries import issuance_numbered
from credits.registry.statements import statement_numbered
from credits.web.blueprint import bp
from credits.web.certificates import SECONDS_TO_WAIT, kept_for_ever
from credits.web.holdings import asked_holder

PRIVATE = "private, no-store"
MOST_LISTED = 20


class LanguageForm(OnceForm):
    language = SelectField(
        lazy_gettext("Language of the document"),
        [InputRequired()],
        choices=[SelectChoice(code, name) for code, name in languages.NAMES],
        default=lambda: current_user().language.value,
    )

    @property
    def asking(self) -> Asking:
        return Asking(current_app.extensions["issuer"], Language(self.language.data), current_user(), now())


class AccountForm(LanguageForm):
    first = Day(lazy_gettext("First day"), [InputRequired()])
    last = Day(lazy_gettext("Last day"), [InputRequired()])


@bp.route("/statements/<number>/document", methods=["GET", "POST"])
@signed_in
def document_of_statement(number: str) -> ResponseReturnValue:
    """The statement of a bulk retirement as a signed document."""
    found = statement_numbered(db.session(), current_user(), number)
    form = LanguageForm()
    return asked(
        form,
        RecordKind.BULK,
        found.number,
        lambda: records.of_bulk(db.session(), statement=found, asking=form.asking),
        lambda: records.records_of_bulk(db.session(), found),
    )


@bp.route("/issuances/<number>/document", methods=["GET", "POST"])
@signed_in
def document_of_issuance(number: str) -> ResponseReturnValue:
    """The certificate of an issuance."""
    found = issuance_numbered(db.session, number)
    form = LanguageForm()
    return asked(
        form,
        RecordKind.ISSUANCE,
        found.number,
        lambda: records.of_issuance(db.session(), issuance=found, asking=form.asking),
        lambda: records.records_of_issuance(db.session(), found),
    )


@bp.route("/holdings/statement", methods=["GET", "POST"])
@signed_in
def document_of_account() -> ResponseReturnValue:
    """The statement of an account for a period; its own people's alone."""
    holder = asked_holder(current_user())
    today = now().date()
    form = AccountForm(first=(today.replace(day=1) - timedelta(days=1)).replace(day=1), last=today)
    return asked(
        form,
        RecordKind.ACCOUNT,
        holder.name,
        lambda: records.of_account(
            db.session(),
            holder=holder,
            days=Days(form.first.data, form.last.data),
            asking=form.asking,
            key=form.key.data,
        ),
        lambda: records.accounts_of(db.session(), holder, MOST_LISTED),
    )


def asked(
    form: LanguageForm,
    kind: RecordKind,
    about: str,
    ask: Callable[[], Record],
    there: Callable[[], list[Record]],
) -> ResponseReturnValue:
    """The form for a document, with those that there are; sent, the document's page."""
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            made = ask()
            db.session.commit()
            return redirect(url_for("web.document", number=made.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "kind": kind.value, "about": about, "there": there(), "languages": dict(languages.NAMES)}
    return render_template("documents/new.html", **page), status


@bp.get("/documents/<number>")
def document(number: str) -> ResponseReturnValue:
    return page_of(records.record_for(db.session(), visitor(), number))


@bp.get("/documents/<number>.pdf")
def document_pdf(number: str) -> ResponseReturnValue:
    """The stored bytes, the same for ever. Until they are there, a page that says when to ask again."""
    found = records.record_for(db.session(), visitor(), number)
    digest = found.document_sha256
    if digest is None:
        page = page_of(found)
        return page, 503, {"Retry-After": str(SECONDS_TO_WAIT), "Cache-Control": "no-store"}
    answer = Response(current_app.extensions["certificate_files"].read(digest), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    return kept(answer, found, digest)


@bp.get("/documents/<number>.json")
def document_facts(number: str) -> ResponseReturnValue:
    """The frozen facts in their exact bytes."""
    found = records.record_for(db.session(), visitor(), number)
    return kept(Response(found.facts, mimetype="application/json"), found, sha256(found.facts).hexdigest())


@bp.get("/documents/<number>/status.json")
def document_status(number: str) -> ResponseReturnValue:
    """What became since of what a document tells of, for programs that have it: its number alone tells nobody of it."""
    told = records.status_told(db.session(), records.record_numbered(db.session(), number))
    if request.args.get("facts_sha256") != told["facts_sha256"]:
        raise records.NoSuchDocument("There is no such document.")
    answer = jsonify(told)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def kept(answer: Response, found: Record, digest: str) -> Response:
    """Let whoever has a public document keep it; what is private stays with who asked."""
    if found.kind is RecordKind.ISSUANCE:
        return kept_for_ever(answer, digest)
    answer.headers["Cache-Control"] = PRIVATE
    return answer


def page_of(found: Record) -> str:
    return render_template(
        "documents/document.html",
        document=found,
        facts=read(found.facts),
        kind=found.kind.value,
        progress=issuing.progress_of(db.session(), found),
        languages=dict(languages.NAMES),
        suspended=records.is_suspended(found),
        annulled=records.annulled_in(db.session(), found),
    )

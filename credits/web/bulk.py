"""Many lines at once: retired or offered, all of them or none, after a look at every line."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField
from sqlalchemy.orm import Session
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields import SelectChoice

from credits import languages
from credits.certificates.issuing import freeze_all
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm, legible
from credits.identity import current_user, now, signed_in
from credits.participants.models import Language, Organisation
from credits.participants.permissions import BUYERS, may_dispose_of
from credits.registry import bulk, bulk_checking
from credits.registry.minerals import Mineral
from credits.registry.models import Bulk, BulkKind
from credits.registry.retirement import NotABuyer
from credits.web import bulk_text
from credits.web.blueprint import bp
from credits.web.bulk_text import Lines, Unreadable
from credits.web.holdings import asked_holder

SHOWN = 25  # lines of a preview
MOST_WRONG = 500  # wrong lines that are told one by one


class LinesForm(OnceForm):
    file = FileField(lazy_gettext("CSV file"))
    text = TextAreaField(lazy_gettext("or the lines themselves"))
    language = SelectField(
        lazy_gettext("Language of the certificates"),
        choices=[SelectChoice(code, name) for code, name in languages.NAMES],
        default=lambda: current_user().language.value,
    )
    confirmed = HiddenField()


@dataclass(frozen=True)
class Preview:
    """What a statement would be. totals: base units by issuance."""

    kind: BulkKind
    lines: Lines[Any]
    totals: list[tuple[str, Mineral, int]]


@bp.route("/retirements/bulk", methods=["GET", "POST"])
@signed_in
def retire_in_bulk() -> ResponseReturnValue:
    return lines_page(BulkKind.RETIREMENT, current_user().organisation)


@bp.route("/transfers/bulk", methods=["GET", "POST"])
@signed_in
def transfer_in_bulk() -> ResponseReturnValue:
    return lines_page(BulkKind.TRANSFER, asked_holder(current_user()))


@bp.get("/retirements/bulk.csv")
@signed_in
def retirement_lines() -> Response:
    """A sheet to fill in, with an example."""
    year = now().year
    example = ["ASMC-CO-COD-KAM001-2026-0001", "1.5", "Nordlicht Batteries AB", "SWE", "SE 556000-0001"]
    example += ["Cobalt in battery cells", str(date(year, 1, 1)), str(date(year, 12, 31))]
    return sheet("retirement-lines.csv", bulk_text.written(bulk_text.RETIREMENT, [example]))


@bp.get("/transfers/bulk.csv")
@signed_in
def transfer_lines() -> Response:
    """A sheet to fill in, with an example."""
    example = ["ASMC-CO-COD-KAM001-2026-0001", "1.5", "ORG-000012", "As agreed"]
    return sheet("transfer-lines.csv", bulk_text.written(bulk_text.TRANSFER, [example]))


def sheet(name: str, text: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text, mimetype="text/csv", headers=disposition)


def lines_page(kind: BulkKind, holder: Organisation) -> ResponseReturnValue:
    """The form for the lines, their preview, and at last what they do."""
    may_dispose_of(current_user(), holder)
    if kind is BulkKind.RETIREMENT and holder.kind not in BUYERS:
        raise NotABuyer(_("Credits are retired by a manufacturer or reseller. A producer transfers or sells them."))
    form = LinesForm()
    status, preview = 200, None
    if form.is_submitted() and "change" not in request.form:
        status = 422
        if form.validate():
            try:
                if form.confirmed.data:
                    return made(kind, holder, form)
                preview = previewed(kind, holder, brought(form))
                if not preview.lines.wrong:
                    return checked(kind, holder, form, preview)
            except CreditsError as refusal:
                status = form.refused(refusal)
    form.confirmed.data = ""
    page = {"form": form, "kind": kind.value, "preview": preview, "holder": holder, "most_wrong": MOST_WRONG}
    return render_template("bulk/lines.html", **page), status


def brought(form: LinesForm) -> str:
    """The lines: those of the file, otherwise those typed. They stay in the form. Raises Unreadable."""
    uploaded = form.file.data
    if uploaded is not None and uploaded.filename:
        form.text.data = bulk_text.decoded(uploaded.read())
    if not (form.text.data or "").strip():
        raise Unreadable(_("Choose a file, or paste the lines."))
    text = str(form.text.data)
    if (shown := legible(text)) != text:
        form.text.data = shown
        raise Unreadable(_("It held characters that cannot be printed. They are taken out; please look at it again."))
    return text


def previewed(kind: BulkKind, holder: Organisation, text: str) -> Preview:
    """Every line looked at as the rules will. Raises Unreadable."""
    session, asked = db.session(), {"policy": current_app.extensions["policy"], "at": now()}
    session.rollback()  # this only reads: nobody should wait for it
    lines: Lines[Any]
    if kind is BulkKind.RETIREMENT:
        lines = bulk_text.retirements_in(session, text)
        refused = bulk_checking.wrong_retirements(session, holder=holder, lines=lines.sound, **asked)
    else:
        lines = bulk_text.transfers_in(session, text)
        refused = bulk_checking.wrong_transfers(session, sender=holder, lines=lines.sound, **asked)
    lines.wrong |= {number: refusal.message for number, refusal in refused.items()}
    return Preview(kind, lines, totals_of(session, lines))


def totals_of(session: Session, lines: Lines[Any]) -> list[tuple[str, Mineral, int]]:
    sums: dict[str, int] = {}
    for line in lines.sound.values():
        sums[line.issuance] = sums.get(line.issuance, 0) + line.quantity
    known = bulk_checking.issuances_named(session, sums)
    return [(number, known[number].mineral, sums[number]) for number in sorted(sums)]


def checked(kind: BulkKind, holder: Organisation, form: LinesForm, preview: Preview) -> ResponseReturnValue:
    """The last page before it happens."""
    form.confirmed.data = "yes"
    minerals = {number: mineral for number, mineral, _sum in preview.totals}
    some = list(preview.lines.sound.values())[:SHOWN]
    page = {"form": form, "kind": kind.value, "preview": preview, "holder": holder, "some": some, "minerals": minerals}
    return render_template("bulk/check.html", **page)


def made(kind: BulkKind, holder: Organisation, form: LinesForm) -> ResponseReturnValue:
    """Retire or offer every line, or none. Raises LineRefused."""
    session = db.session()
    asked = {"policy": current_app.extensions["policy"], "by": current_user(), "key": form.key.data, "at": now()}
    text = form.text.data or ""
    statement: Bulk
    if kind is BulkKind.RETIREMENT:
        retiring = whole(bulk_text.retirements_in(session, text))
        statement = bulk.retire(session, holder=holder, lines=retiring, **asked)
        language = Language(form.language.data)
        freeze_all(session, statement=statement, issuer=current_app.extensions["issuer"], language=language)
    else:
        offering = whole(bulk_text.transfers_in(session, text))
        statement = bulk.transfer(session, sender=holder, lines=offering, **asked)
    db.session.commit()
    return redirect(url_for("web.statement", number=statement.number), 303)


def whole(lines: Lines[bulk_text.L]) -> list[bulk_text.L]:
    """All the lines. Raises Unreadable where one of them is none."""
    for number, why in lines.wrong.items():
        raise Unreadable(_("Line %(number)s: %(why)s", number=number, why=why))
    return list(lines.sound.values())

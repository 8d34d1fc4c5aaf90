"""Many rows from a spreadsheet: sent, looked through cell by cell, shown, and entered on one's word, all or none."""

from collections.abc import Callable
from io import BytesIO
from threading import Thread
from typing import Any

from flask import Flask, Response, current_app, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField

from credits import jobs
from credits.db import begin_writing
from credits.errors import CreditsError, Missing
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import searching
from credits.registry.files import import_sheets, import_templates, importing
from credits.registry.files.import_columns import COLUMNS
from credits.registry.files.import_files import MOST_ROWS, ImportFile, ImportKind, ImportState
from credits.web.blueprint import bp
from credits.web.paging import page_of

AT_ONCE = 500  # rows that are looked through, or entered, while somebody waits for the page
LOOK_AGAIN = 2  # seconds
SHOWN = 5  # rows of what would be made
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADINGS: dict[ImportKind, Any] = {
    ImportKind.SITES: lazy_gettext("Many sites"),
    ImportKind.BATCHES: lazy_gettext("Many batches, as drafts"),
    ImportKind.MEMBERS: lazy_gettext("Many counts of members"),
}
STATES: dict[ImportState, Any] = {
    ImportState.CHECKING: (lazy_gettext("Being looked through"), "info"),
    ImportState.WRONG: (lazy_gettext("Not entered: something is wrong"), "stop"),
    ImportState.SOUND: (lazy_gettext("Waits for your word"), "wait"),
    ImportState.ENTERING: (lazy_gettext("Being entered"), "info"),
    ImportState.ENTERED: (lazy_gettext("Entered"), "good"),
    ImportState.REFUSED: (lazy_gettext("Not entered"), "stop"),
    ImportState.DROPPED: (lazy_gettext("Dropped"), "calm"),
}


class FileForm(OnceForm):
    file = FileField(lazy_gettext("File (XLSX or CSV)"))

    def validate(self, extra_validators: object = None) -> bool:
        sound = super().validate(extra_validators)
        if not self.file.data:
            self.file.errors = [_("Choose the file.")]
            return False
        return sound


@bp.get("/imports")
@signed_in
def imports() -> ResponseReturnValue:
    may_register_for(current_user(), current_user().organisation)
    page = page_of(importing.imports_of(current_user()))
    return render_template("imports/imports.html", page=page, headings=HEADINGS, states=STATES)


@bp.get("/imports/<kind>/template/<form>")
@signed_in
def import_template(kind: str, form: str) -> Response:
    """A sheet to fill in, with an example."""
    asked = kind_named(kind)
    name = f"{asked.value}.{form}"
    if form == "csv":
        content, media_type = import_templates.as_csv(asked).encode(), "text/csv"
    elif form == "xlsx":
        content, media_type = import_templates.as_xlsx(asked), XLSX
    else:
        raise Missing(_("There is no such page."))
    return send_file(BytesIO(content), mimetype=media_type, as_attachment=True, download_name=name)


@bp.route("/imports/<kind>/new", methods=["GET", "POST"])
@signed_in
def new_import(kind: str) -> ResponseReturnValue:
    asked = kind_named(kind)
    may_register_for(current_user(), current_user().organisation)
    form = FileForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            return sent(asked, form)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "kind": asked.value, "heading": HEADINGS[asked], "columns": COLUMNS[asked]}
    return render_template("imports/new_import.html", **page, most=MOST_ROWS), status


def sent(kind: ImportKind, form: FileForm) -> ResponseReturnValue:
    """Read the file, keep its rows, and begin to look them through. Raises UnreadableSheet."""
    uploaded = form.file.data
    content = uploaded.read()
    db.session.rollback()  # reading takes seconds: nobody should wait for them
    sheet = import_sheets.read(uploaded.filename or "file", content)
    begin_writing(db.session())
    file = importing.receive(db.session(), kind=kind, sheet=sheet, by=current_user(), at=now())
    number, file_id, rows = file.number, file.id, file.line_count
    if file.state is ImportState.ENTERED:
        flash(_("This very file was entered before. Nothing is entered twice."), "info")
    elif rows <= AT_ONCE:
        looked = importing.look_through(db.session(), file, by=current_user(), at=now())
        importing.note(db.session(), file, looked.findings, at=now())
    db.session.commit()
    if rows > AT_ONCE:
        set_going(jobs.check_import, file_id)
    return redirect(url_for("web.import_file", number=number), 303)


@bp.get("/imports/<number>")
@signed_in
def import_file(number: str) -> ResponseReturnValue:
    file = importing.import_numbered(db.session(), current_user(), number)
    page = render_template(
        "imports/import_file.html",
        file=file,
        form=OnceForm(),
        heading=HEADINGS[file.kind],
        state=STATES[file.state],
        columns=[column.name for column in COLUMNS[file.kind]],
        some=preview(file) if file.state is ImportState.SOUND else [],
        most_wrong=importing.MOST_FINDINGS,
        may_record=searching.registers_for(current_user(), file.organisation),
    )
    going = file.state in (ImportState.CHECKING, ImportState.ENTERING)
    return page, 200, {"Refresh": str(LOOK_AGAIN)} if going else {}


def preview(file: ImportFile) -> list[tuple[int, list[str]]]:
    """The first rows, as they would be entered."""
    return [(line[0], line[1]) for line in file.lines[1][:SHOWN]]


@bp.post("/imports/<number>/confirm")
@signed_in
def confirm_import(number: str) -> ResponseReturnValue:
    file = importing.import_numbered(db.session(), current_user(), number)
    form = OnceForm()
    if form.validate_on_submit():
        importing.confirm(db.session(), file=file, by=current_user(), key=form.key.data, at=now())
        file_id, rows = file.id, file.line_count
        db.session.commit()
        if rows > AT_ONCE:
            set_going(jobs.enter_import, file_id)
        else:
            jobs.enter_import(db.session(), file_id=file_id, at=now())
    return redirect(url_for("web.import_file", number=number), 303)


@bp.post("/imports/<number>/drop")
@signed_in
def drop_import(number: str) -> ResponseReturnValue:
    file = importing.import_numbered(db.session(), current_user(), number)
    importing.drop(db.session(), file=file, by=current_user(), at=now())
    db.session.commit()
    flash(_("Nothing of the file is entered."), "success")
    return redirect(url_for("web.imports"), 303)


def set_going(job: Callable[..., None], file_id: int) -> None:
    """Do it beside the answer. Should this process end meanwhile, the worker takes it up."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    Thread(target=done_beside, args=(app, job, file_id), daemon=True).start()


def done_beside(app: Flask, job: Callable[..., None], file_id: int) -> None:
    with app.app_context():
        try:
            job(db.session(), file_id=file_id, at=now())
        except Exception:
            app.logger.exception("The import %s was interrupted; the worker takes it up.", file_id)


def kind_named(word: str) -> ImportKind:
    """Raises Missing."""
    try:
        return ImportKind(word)
    except ValueError:
        raise Missing(_("There is no such page.")) from None

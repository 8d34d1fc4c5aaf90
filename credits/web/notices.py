"""What a person was told: read, and marked as read."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from credits.extensions import db
from credits.identity import current_user, now, signed_in, visitor
from credits.notices import reading
from credits.notices.wordings import wording
from credits.web.blueprint import bp
from credits.web.paging import page_of


@bp.app_context_processor
def counted() -> dict[str, Any]:
    """How many notices wait to be read: asked by the pages that show it alone."""
    return {"unread_notices": unread_notices}


def unread_notices() -> int:
    user = visitor()
    return reading.unread(db.session(), user) if user is not None else 0


@bp.get("/notices")
@signed_in
def notices() -> ResponseReturnValue:
    user, only = current_user(), request.args.get("show") == "unread"
    page = page_of(reading.notices_of(user, unread=only))
    return render_template(
        "notices/notices.html",
        page=page,
        said={notice.id: wording(notice.kind, notice.facts, gettext) for notice in page.rows},
        newest=max((notice.id for notice in page.rows), default=0),
        only=only,
    )


@bp.post("/notices/<int:notice_id>/read")
@signed_in
def read_notice(notice_id: int) -> ResponseReturnValue:
    """Mark one as read, and go on to the page it is about or back to the list."""
    notice = reading.read(db.session(), notice_id, by=current_user(), at=now())
    path = wording(notice.kind, notice.facts, gettext).path
    db.session.commit()
    return redirect(path if "open" in request.form else url_for("web.notices", show=request.args.get("show")), 303)


@bp.post("/notices/read")
@signed_in
def read_notices() -> ResponseReturnValue:
    """Mark all as read that the person has seen: up to the newest on the page that the button stood on."""
    typed = request.form.get("until", "")
    if typed.isascii() and typed.isdigit() and len(typed) <= 18:
        reading.read_all(db.session(), until=int(typed), by=current_user(), at=now())
        db.session.commit()
    return redirect(url_for("web.notices"), 303)

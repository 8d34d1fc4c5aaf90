"""What a producer has to put right at its sites, and until when."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from credits.extensions import db
from credits.identity import current_user, now, signed_in
from credits.registry.assurance import finding_lists
from credits.registry.assurance.finding_lists import Which
from credits.registry.mines.sites import number_of
from credits.web.blueprint import bp


@bp.get("/my/findings")
@signed_in
def findings() -> ResponseReturnValue:
    asked = request.args.get("show", Which.OPEN.value)
    which = Which(asked) if asked in list(Which) else Which.OPEN
    wanted = finding_lists.findings_seen(current_user(), which=which, text="", today=now().date())
    rows, page, pages = finding_lists.page_of(db.session(), wanted, request.args.get("page", 1, type=int))
    return render_template(
        "findings/findings.html",
        findings=rows,
        page=page,
        pages=pages,
        which=which,
        number_of=number_of,
        today=now().date(),
    )

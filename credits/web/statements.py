"""Statements: what was retired or offered in many lines at once."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from credits.certificates.issuing import issued_of
from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.registry.annotating import standings_among
from credits.registry.models import Bulk, BulkKind, Retirement, Transfer
from credits.registry.statements import statement_numbered, statements_of
from credits.web.blueprint import bp
from credits.web.paging import Page, page_of


@bp.get("/statements")
@signed_in
def statements() -> ResponseReturnValue:
    wanted = statements_of(current_user()).options(joinedload(Bulk.organisation))
    return render_template("bulk/statements.html", page=page_of(wanted))


@bp.get("/statements/<number>")
@signed_in
def statement(number: str) -> ResponseReturnValue:
    """One statement, its lines in their order, a page at a time."""
    found = statement_numbered(db.session(), current_user(), number)
    page: Page[Retirement] | Page[Transfer]
    if found.kind is BulkKind.RETIREMENT:
        retired = select(Retirement).where(Retirement.bulk_id == found.id).order_by(Retirement.id)
        page = page_of(retired.options(joinedload(Retirement.issuance)))
    else:
        offered = select(Transfer).where(Transfer.bulk_id == found.id).order_by(Transfer.id)
        page = page_of(offered.options(joinedload(Transfer.issuance), joinedload(Transfer.recipient)))
    its_own = [each.id for each in page.rows if isinstance(each, Retirement)]
    return render_template(
        "bulk/statement.html",
        statement=found,
        page=page,
        kind=found.kind.value,
        issued=issued_of(db.session(), found),
        standings=standings_among(db.session(), its_own),
    )

"""What a holder has: by mineral, by issuance, down to the serials."""

import csv
import io

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.ledger.models import AccountKind
from credits.participants.models import Organisation, User
from credits.participants.permissions import BUYERS, NoSuchOrganisation, may_dispose_of
from credits.payments.offering import offers
from credits.registry import queries
from credits.registry.minerals import Mineral
from credits.registry.queries import Held
from credits.web.blueprint import bp

STANDINGS = (AccountKind.AVAILABLE, AccountKind.PENDING, AccountKind.RESERVED, AccountKind.HELD)
COLUMNS = ("issuance", "mineral", "vintage", "producer", "serials", "state", "base_units", "base_unit", "credits")


def asked_holder(user: User) -> Organisation:
    """Whose credits the page is about: `?of=ORG-000012`, otherwise one's own. Raises NoSuchOrganisation."""
    asked = request.args.get("of", user.organisation.number)
    for holder in queries.holders_of(db.session, user):
        if holder.number == asked:
            return holder
    raise NoSuchOrganisation("There is no such organisation.")


def may_move(user: User, holder: Organisation) -> bool:
    """Whether to offer this person the buttons that move the holder's credits."""
    try:
        may_dispose_of(user, holder)
    except CreditsError:
        return False
    return True


def ways(user: User, held: Held, holder: Organisation) -> dict[str, bool]:
    """What this person can do with these credits now."""
    movable = bool(held.available) and may_move(user, holder)
    return {
        "transfer": movable,
        "retire": movable and holder.kind in BUYERS and holder.id == user.organisation_id,
        "offer": movable and held.issuance.producer_id == holder.id,
    }


def nothing_to_move(held: Held, holder: Organisation, step: str) -> ResponseReturnValue | None:
    """Why there is no form to `step` ("transfer" or "retire") these credits, as a page; None where there is one."""
    if not held.by_kind:
        raise queries.NoSuchIssuance("There is nothing of this issuance in your holdings.")
    sells = step == "retire" and holder.kind not in BUYERS
    if held.available and not sells:
        return None
    page = render_template("holdings/nothing_to_move.html", held=held, holder=holder, sells=sells)
    return page, 403 if sells else 409


@bp.get("/holdings")
@signed_in
def holdings() -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    by_mineral: dict[Mineral, list[Held]] = {}
    for held in queries.holdings_of(db.session, holder):
        by_mineral.setdefault(held.issuance.mineral, []).append(held)
    return render_template(
        "holdings/holdings.html",
        holder=holder,
        holders=queries.holders_of(db.session, user),
        by_mineral=by_mineral,
        kinds=AccountKind,
        on_offer=offers.all_offered(db.session(), holder),
        produces=holder.kind not in BUYERS,
    )


@bp.get("/holdings.csv")
@signed_in
def holdings_csv() -> ResponseReturnValue:
    holder = asked_holder(current_user())
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for held in queries.holdings_of(db.session, holder):
        issuance, mineral = held.issuance, held.issuance.mineral
        for kind, units, serial in queries.every_serial_held(db.session, holder, issuance):
            amounts = (units.quantity, mineral.base_unit, mineral.in_credits(units.quantity))
            producer = as_cell(issuance.producer.name)
            rows.writerow((issuance.number, mineral.code, issuance.vintage, producer, serial, kind.value, *amounts))
    return Response(
        "\ufeff" + text.getvalue(),  # the mark tells spreadsheets that this is UTF-8
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="holdings-{holder.number}.csv"'},
    )


def as_cell(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@bp.get("/holdings/<number>")
@signed_in
def holding(number: str) -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    issuance = queries.issuance_numbered(db.session, number)
    held = queries.held_of(db.session, holder, issuance)
    if not held.by_kind:
        raise queries.NoSuchIssuance("There is nothing of this issuance in your holdings.")
    return render_template(
        "holdings/holding.html",
        holder=holder,
        issuance=issuance,
        held=held,
        standings=[kind for kind in STANDINGS if held.by_kind.get(kind)],
        serials=queries.serials_held(db.session, holder, issuance),
        most=queries.MOST_STANDINGS,
        ways=ways(user, held, holder),
        on_offer=offers.offered_of(db.session(), holder, issuance),
    )

"""The papers of an order as PDF, drawn when they are asked for: what they say stands still."""

from flask import Response, current_app
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext

from credits.certificates import pdf
from credits.drawing import spoken
from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.participants.models import Language
from credits.payments import invoices, looking
from credits.payments.going_back import refunding
from credits.payments.invoices import NoSuchPaper, Paper
from credits.web.blueprint import bp


@bp.get("/orders/<number>/<kind>.pdf")
@signed_in
def order_document(number: str, kind: str) -> ResponseReturnValue:
    order = looking.order_numbered(db.session(), current_user(), number)
    if kind not in set(Paper):
        raise NoSuchPaper("There is no such document.")
    facts = invoices.facts_of(
        order,
        Paper(kind),
        refunding.refunds_of(db.session(), order),
        registry=current_app.extensions["issuer"].told,
        operator=current_app.extensions["policy"].operator,
        account=current_app.extensions["settings"].bank_account or "",
    )
    language = spoken(Language(facts["language"]))
    with force_locale(language.value):
        drawn = pdf.draw(facts | {"language": language.value}, document="order", translate=gettext)
    name = f"inline; filename={facts['number']}.pdf"
    return Response(drawn, mimetype="application/pdf", headers={"Content-Disposition": name})

"""A site's statement of its sales and their money: to be read, printed, and opened in a spreadsheet."""

import csv
import io
from typing import Any

from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from credits import languages
from credits.certificates import pdf
from credits.certificates.wording import LANGUAGES, Words, words_of
from credits.extensions import db
from credits.identity import current_user, now, signed_in
from credits.payments.premiums import premium_figures
from credits.payments.premiums.premium_models import Payout
from credits.payments.premiums.premium_statement import Sale, paid_of, sales_of
from credits.payments.premiums.statement_facts import language_of, statement_facts
from credits.payments.prices import plain
from credits.registry.production import Site
from credits.web.blueprint import bp
from credits.web.holdings import as_cell
from credits.web.paging import asked_number
from credits.web.premium import own_site

SALES_A_PAGE = 50
MOST_PRINTED = 300  # a second's work, and ten sheets; the spreadsheet has them all
COLUMNS = (
    "order",
    "paid_on",
    "buyer",
    "issuance",
    "mineral",
    "credits",
    "currency",
    "price_a_credit",
    "amount",
    "premium",
    "gone_back",
    "paid_out",
    "held",
    "days_to_payout",
    "payouts",
)
PAYOUT_COLUMNS = ("payout", "paid_on", "means", "reference", "decision", "currency", "amount")


@bp.get("/my/premium/<number>/statement")
@signed_in
def premium_statement(number: str) -> ResponseReturnValue:
    """Who bought, at what price, what was paid when, what is still held."""
    mine = own_site(number)
    facts, words = statement_of(mine)
    pages = max((-(-len(each["sales"]) // SALES_A_PAGE) for each in facts["currencies"]), default=1) or 1
    page = min(asked_number("page", 1), pages)
    return render_template(
        "premium/premium_statement.html",
        mine=mine,
        number=number,
        facts=facts,
        words=words,
        spoken=[(code, name) for code, name in languages.NAMES if code in LANGUAGES],
        page=page,
        pages=pages,
        shown=slice((page - 1) * SALES_A_PAGE, page * SALES_A_PAGE),
    )


@bp.get("/my/premium/<number>/statement.pdf")
@signed_in
def premium_statement_pdf(number: str) -> ResponseReturnValue:
    """The statement to be printed, with the newest sales where they are very many."""
    facts, _words = statement_of(own_site(number))
    db.session.rollback()  # drawing takes a while
    for each in facts["currencies"]:
        for listed in ("sales", "payouts"):
            each[f"all_{listed}"] = everything = len(each[listed])
            each[listed] = each[listed][max(0, everything - MOST_PRINTED) :]
    drawn = pdf.draw(facts, document="premium")
    name = f"inline; filename=premium-{number}-{facts['as_of']}-{facts['language']}.pdf"
    return Response(drawn, mimetype="application/pdf", headers={"Content-Disposition": name})


def statement_of(mine: Site) -> tuple[dict[str, Any], Words]:
    """What the statement says today, and the words of its language."""
    language = language_asked(mine)
    facts = statement_facts(
        db.session(), mine, language=language, registry=current_app.extensions["issuer"].told, as_of=now().date()
    )
    return facts, words_of(language)


def language_asked(mine: Site) -> str:
    asked = request.args.get("language", "")
    return asked if asked in LANGUAGES else language_of(db.session(), mine, current_user()).value


@bp.get("/my/premium/<number>/statement.csv")
@signed_in
def premium_statement_csv(number: str) -> ResponseReturnValue:
    mine = own_site(number)
    rows = [row_of(sale) for sales in sales_of(db.session(), mine).values() for sale in sales]
    return as_csv(named(COLUMNS, language_asked(mine)), rows, f"statement-{number}.csv")


@bp.get("/my/premium/<number>/payouts.csv")
@signed_in
def premium_payouts_csv(number: str) -> ResponseReturnValue:
    """What was paid out to the site, each payout a row."""
    mine = own_site(number)
    language = language_asked(mine)
    minutes = premium_figures.minutes_of(db.session(), mine)
    currencies = sorted({minute.currency for minute in minutes})
    rows = [payout_row(payout, language) for currency in currencies for payout in paid_of(minutes, currency)]
    return as_csv(named(PAYOUT_COLUMNS, language), rows, f"payouts-{number}.csv")


def named(columns: tuple[str, ...], language: str) -> tuple[str, ...]:
    """The headings of a spreadsheet in a language; in English they are the names that programs know."""
    return tuple(words_of(language).say(f"premium.columns.{column}") for column in columns)


def row_of(sale: Sale) -> tuple[Any, ...]:
    line, order, followed = sale.line, sale.order, sale.followed
    amounts = (line.price, line.amount, line.premium, sale.gone_back, followed.paid_out, followed.held)
    return (
        order.number,
        order.paid_at.date() if order.paid_at else "",
        as_cell(order.buyer.name),
        line.issuance.number,
        line.issuance.mineral_code,
        line.issuance.mineral.in_credits(line.quantity),
        order.currency.value,
        *(plain(amount, order.currency) for amount in amounts),
        "" if followed.days is None else followed.days,
        as_cell(" ".join(f"{piece.payout.number}:{piece.payout.paid_on}" for piece in followed.pieces)),
    )


def payout_row(payout: Payout, language: str) -> tuple[Any, ...]:
    minute = payout.minute
    means = words_of(language).say(f"premium.kinds.{payout.means.value}")
    amount = plain(payout.amount, minute.currency)
    reference = as_cell(payout.reference or "")
    return payout.number, payout.paid_on, means, reference, minute.number, minute.currency.value, amount


def as_csv(columns: tuple[str, ...], rows: list[Any], filename: str) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return Response(
        "\ufeff" + text.getvalue(),  # the mark tells spreadsheets that this is UTF-8
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )

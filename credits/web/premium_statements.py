"""A site's statement of its sales and their money: to be read, printed, and opened in a spreadsheet."""

import csv
import io
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from credits.extensions import db
from credits.identity import now, signed_in
from credits.payments import premium_figures
from credits.payments.premium_statement import Sale, paid_of, sales_of, sums_of
from credits.payments.prices import plain
from credits.premium_words import PREMIUM_WORDS
from credits.web.blueprint import bp
from credits.web.holdings import as_cell
from credits.web.premium import own_site

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


@bp.get("/my/premium/<number>/statement")
@signed_in
def premium_statement(number: str) -> ResponseReturnValue:
    """Who bought, at what price, what was paid when, what is still held."""
    mine = own_site(number)
    sales, minutes = sales_of(db.session(), mine), premium_figures.minutes_of(db.session(), mine)
    return render_template(
        "premium/premium_statement.html",
        mine=mine,
        number=number,
        figures=premium_figures.site_figures(db.session(), mine),
        sales=sales,
        totals={currency: sums_of(each) for currency, each in sales.items()},
        payouts={currency: paid_of(minutes, currency) for currency in sales},
        today=now().date(),
        words=PREMIUM_WORDS,
    )


@bp.get("/my/premium/<number>/statement.csv")
@signed_in
def premium_statement_csv(number: str) -> ResponseReturnValue:
    mine = own_site(number)
    rows = [row_of(sale) for sales in sales_of(db.session(), mine).values() for sale in sales]
    return as_csv(COLUMNS, rows, f"statement-{number}.csv")


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

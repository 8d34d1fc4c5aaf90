"""The page on which a buyer pays at the stand-in."""

from html import escape

from tests.stripe_standin.shelf import Thing


def page(session: Thing, said: str) -> str:
    """Where the buyer pays."""
    currency = session["currency"].upper()
    amount = session["amount_total"] if currency == "JPY" else f"{session['amount_total'] / 100:,.2f}"
    rows = "".join(f"<li>{escape(line['price_data']['product_data']['name'])}</li>" for line in session["line_items"])
    ways = {
        "card": "Pay by card",
        "declines": "Pay by a card that is declined",
        "debit": "Pay by bank debit that clears later",
        "debit_fails": "Pay by bank debit that fails later",
        "cancel": "Go back without paying",
    }
    buttons = "".join(f'<p><button name="how" value="{how}">{label}</button></p>' for how, label in ways.items())
    if session["status"] != "open":
        buttons = "<p>This checkout has expired.</p>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Test payment</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font:1rem/1.5 sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}"
        "button{font:inherit;padding:.5rem 1rem}</style></head><body>"
        f"<h1>Test payment: {currency} {amount}</h1><p>No money moves here.</p><p role=alert>{escape(said)}</p>"
        f"<ul>{rows}</ul><form method=post>{buttons}</form></body></html>"
    )

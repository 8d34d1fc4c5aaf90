"""A manufacturer buys in a real browser: from the catalogue past the payment page to a certificate that anybody checks.

The registry and the stand-in of the payment provider are two real servers, which tell each other over HTTP.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from config import Settings
from credits.app import create_app
from credits.extensions import db
from credits.provider import WEBHOOKS
from tests import servers
from tests.documents import worked
from tests.journeys.conftest import PASSWORD
from tests.stage import Stage
from tests.stripe_standin.deliveries import Deliveries
from tests.stripe_standin.in_process import KEY, SECRET
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.server import Server, Standin, serve


@pytest.fixture
def provider() -> Iterator[Server]:
    server = serve(lambda address: Standin(Provider(time.time), api_key=KEY, address=address), 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def registry(settings: Settings, provider: Server) -> Iterator[Flask]:
    """The registry with its payment provider."""
    port = servers.free_port()
    paid = {"stripe_api_key": KEY, "stripe_webhook_secret": SECRET, "stripe_api_base": provider.standin.address}
    app = create_app(Settings(**vars(settings) | paid | {"public_url": f"http://127.0.0.1:{port}"}))
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app
    server.shutdown()
    thread.join(10)
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.browser
@pytest.mark.parametrize(
    "database, javascript",
    [("sqlite", False), ("postgresql", True)],
    indirect=["database"],
    ids=["sqlite without JavaScript", "postgresql with JavaScript"],
)
def test_from_the_catalogue_to_the_certificate(
    phone: Callable[..., Page],
    stage: Stage,
    session: Session,
    registry: Flask,
    provider: Server,
    tmp_path: Path,
    javascript: bool,
) -> None:
    stage.for_sale(stage.issued())
    with registry.app_context():
        stage.buyer.password = hash_password(PASSWORD)
    session.commit()
    buyer = phone(stage.buyer, javascript=javascript)

    buyer.goto("/offers")
    buyer.get_by_role("link", name="OFFER-000001").click()
    buyer.get_by_label("How many credits?").fill("0.5")
    buyer.get_by_role("button", name="Show the price").click()
    expect(buyer.locator("main")).to_contain_text("2,288.00")  # 88 % of half of 5,200
    buyer.get_by_role("link", name="Order this").click()
    in_ones_own_name(buyer)
    buyer.get_by_role("button", name="Continue").click()
    expect(buyer.locator("main")).to_contain_text("Nothing is reserved yet")
    buyer.get_by_role("button", name="Reserve and pay").click()

    expect(buyer.locator("body")).to_contain_text("2,600.00")  # the provider's page
    buyer.locator("button[value=card]").click()
    buyer.wait_for_url("**/orders/ORDER-000001**")
    events = Deliveries(provider.standin.provider, secret=SECRET, url=registry.config["PUBLIC_URL"] + WEBHOOKS)
    with provider.standin.lock:
        ready = events.due()
    assert [status for event in ready for status in events.send(event, times=3)] == [200] * 3 * len(ready)
    buyer.goto("/orders/ORDER-000001")
    expect(buyer.locator("main")).to_contain_text("Retired in your name")

    number = buyer.locator("main a", has_text="ASMC-R-").first.inner_text()
    worked(registry, session)
    public = phone(None, javascript=javascript)
    public.goto(f"/certificates/{number}")
    expect(public.locator("main")).to_contain_text("500 kg")
    document = tmp_path / f"{number}.pdf"
    document.write_bytes(public.request.get(f"/certificates/{number}.pdf").body())
    public.goto("/verify")
    public.locator("input[type=file]").set_input_files(document)
    public.get_by_role("button", name="Check the file").click()
    expect(public.locator("main")).to_contain_text("genuine")
    public.goto(f"/premium/{number}")
    expect(public.locator("main")).to_contain_text("ORDER-000001")


def in_ones_own_name(buyer: Page) -> None:
    """Retired at once, paid by card."""
    buyer.locator("input[name=use][value=retire]").check()
    expect(buyer.locator("[name=beneficiary]")).to_be_visible()
    this_year = time.strftime("%Y")
    for name, text in {
        "beneficiary": "Nordlicht Batteries AB",
        "identifier": "SE 556000-0001",
        "purpose": "Cells of model N1",
        "claim_from": f"{this_year}-01-01",
        "claim_to": f"{this_year}-12-31",
    }.items():
        buyer.locator(f"[name={name}]").fill(text)
    for name in ("country", "beneficiary_country"):
        choice = buyer.locator(f"select[name={name}]")
        if choice.count():
            choice.select_option("SWE")
    buyer.locator("input[name=means][value=stripe]").check()

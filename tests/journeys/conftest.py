"""A running registry on a real port, and people who open it in a real browser on a phone."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_security import hash_password
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from config import Settings
from credits.app import create_app
from credits.extensions import db
from credits.participants.models import Kind, Organisation, User
from credits.registry.mines import ipis, observations
from credits.registry.trusted import Trust
from tests import servers
from tests.factories import AT, OrganisationFactory, UserFactory
from tests.registry.ipis_file import file_of

PASSWORD = "lantern under the hill"
PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ipis" / "drc_mine_sites.csv"
PHONE = {"width": 360, "height": 780}


@dataclass(frozen=True)
class Cast:
    """Who walks through the story, one person for each organisation."""

    coop: User
    verifier: User
    issuer: User
    maker: User
    second: User


@pytest.fixture
def cast(session: Session, settings: Settings) -> Cast:
    with create_app(settings).app_context():
        password = hash_password(PASSWORD)
        db.engine.dispose()

    def person(kind: Kind, name: str, country: str) -> User:
        organisation: Organisation = OrganisationFactory(kind=kind, name=name, country=country)
        return UserFactory(organisation=organisation, password=password)

    people = Cast(
        coop=person(Kind.COOPERATIVE, "Coopérative Minière de Kamilombe", "COD"),
        verifier=person(Kind.VERIFIER, "Great Lakes Assurance", "RWA"),
        issuer=person(Kind.REGISTRY, "ASM Credit Registry", "CHE"),
        maker=person(Kind.MANUFACTURER, "Nordlicht Batteries", "SWE"),
        second=person(Kind.MANUFACTURER, "Hikari Motors", "JPN"),
    )
    for buyer in (people.maker, people.second):  # as two people have decided last month
        session.add(
            Trust(
                holder=people.coop.organisation,
                recipient=buyer.organisation,
                proposed_by=people.coop,
                approved_by=people.issuer,
                **dict.fromkeys(("proposed_at", "approved_at", "in_force_from"), AT),
            )
        )
    observed(session)
    session.commit()
    return people


def observed(session: Session) -> None:
    """The open data of IPIS: the published file where it is at hand, otherwise a made-up one of the same form."""
    content = PUBLISHED.read_bytes() if PUBLISHED.exists() else made_up()
    reading = ipis.read(content, today=datetime.now(UTC).date())
    observations.enter(session, reading, actor="system", at=datetime.now(UTC))


def made_up() -> bytes:
    return file_of({"pcode": "codmine03715", "name": "Kamilombe"})


@pytest.fixture
def registry(settings: Settings) -> Iterator[Flask]:
    """The application, served on a port of its own with everything switched on that people meet."""
    port = servers.free_port()
    app = create_app(Settings(**vars(settings) | {"public_url": f"http://127.0.0.1:{port}"}))
    server = make_server("127.0.0.1", port, app, threaded=True)  # it can be shut down from another thread
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app
    server.shutdown()
    thread.join(10)
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = servers.chromium()
    assert executable is not None, "No Chromium was found: run `make test`, which installs it."
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.fixture
def phone(browser: Browser, registry: Flask) -> Iterator[Callable[..., Page]]:
    """A phone of its own for each person, signed in: `phone(user)`; `phone(None)` for the public."""
    contexts: list[Any] = []

    def opened(user: User | None = None, *, javascript: bool = True) -> Page:
        context = browser.new_context(
            viewport=PHONE, base_url=registry.config["PUBLIC_URL"], java_script_enabled=javascript
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        if user is not None:
            page.goto("/login")
            page.locator("input[name=email]").fill(user.email)
            page.locator("input[name=password]").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/start")
        return page

    yield opened
    for context in contexts:
        context.close()


def days_ago(days: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()

"""A registry with sellers and stock, made by the registry's own operations; and the same served over HTTP."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.books import ROOT, connected, recorded
from benchmarks.clients import Opening, Turn
from config import load
from credits import ledger
from credits.db import begin_writing
from credits.ledger.balances import balances_by_issuance
from credits.ledger.models import Account, AccountKind
from credits.participants import organisations, tokens
from credits.participants.models import Kind, Language, Organisation, User
from credits.registry import bulk, policy, retirement
from credits.registry.accounts import account_of
from credits.registry.bulk_lines import RetirementLine
from credits.registry.models import Issuance
from credits.registry.retirement import Claim
from credits.registry.trusted import Trust
from tests.servers import free_port

SELLERS = 64
CLIENTS = 16
LINES = 1_000  # of a statement in bulk
SECONDS_TO_START = 240
NOW = datetime.now(UTC)
CLAIM = Claim("Nordlicht Batteries", "SWE", "556000-0000", "Cells of the year", date(NOW.year, 1, 1), NOW.date())


@dataclass(frozen=True)
class Market:
    """What each seller needs to offer one base unit of its stock: a token, the issuance, who receives."""

    url: str
    home: Path
    issuance: str
    recipient: str
    secrets: list[str]


def opened(url: str, home: Path) -> Market:
    """Fill the empty database at `url` with the demo world, and with sellers who share its largest holding."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "--json", "--out", str(home / "out")]
    subprocess.run(flask, check=True, capture_output=True, cwd=ROOT, env=settings(url, home))
    with connected(url) as engine, Session(engine) as session:
        begin_writing(session)
        available = select(Account.id).where(Account.kind == AccountKind.AVAILABLE)
        held = balances_by_issuance(session, accounts=session.scalars(available).all())
        (source, issuance_id), quantity = max(held.items(), key=lambda one: one[1])
        issuance = session.get_one(Issuance, issuance_id)
        recipient, *sellers = [manufacturer(session, place) for place in range(SELLERS + 1)]
        stock(session, sellers[0], issuance, source, quantity // 2)  # who retires in bulk
        for seller in sellers:
            stock(session, seller, issuance, source, quantity // 2 // SELLERS)
            trust(session, seller, recipient.organisation)
        secrets = [token(session, seller, place) for place, seller in enumerate(sellers)]
        session.commit()
        return Market(url, home, issuance.number, recipient.organisation.number, secrets)


def settings(url: str, home: Path, **more: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": url, "DATA_DIR": str(home / "data")} | more


def issuer(session: Session) -> User:
    return session.scalars(select(User).join(User.organisation).where(Organisation.kind == Kind.REGISTRY)).all()[0]


def manufacturer(session: Session, place: int) -> User:
    """The first person of a manufacturer that the registry has approved."""
    made, user = organisations.sign_up(
        session,
        kind=Kind.MANUFACTURER,
        name=f"Works {place}",
        legal_form="AG",
        country_code="DEU",
        registration_number=None,
        address="1 Street",
        contact_email=f"works{place}@example.org",
        person=f"Buyer {place}",
        email=f"buyer{place}@example.org",
        language=Language.EN,
        password="unused",  # noqa: S106  nobody signs in
        handle=f"{place:064d}",
        at=NOW,
    )
    organisations.approve(session, made, by=issuer(session), at=NOW)
    return user


def stock(session: Session, seller: User, issuance: Issuance, source: int, quantity: int) -> None:
    """Hand `quantity` base units over at once."""
    ledger.post(
        session,
        issuance_id=issuance.id,
        source=source,
        target=account_of(session, seller.organisation, AccountKind.AVAILABLE),
        quantity=quantity,
        at=NOW,
        record=recorded(session, issuance.id),
    )


def trust(session: Session, seller: User, recipient: Organisation) -> None:
    """As two people decided some time ago, so that no transfer waits for a second one."""
    asked = dict.fromkeys(("proposed_at", "approved_at", "in_force_from"), NOW)
    session.add(
        Trust(holder=seller.organisation, recipient=recipient, proposed_by=seller, approved_by=issuer(session), **asked)
    )
    session.flush()


def token(session: Session, seller: User, place: int) -> str:
    secret = f"{tokens.MARK}{place:032d}"
    tokens.create(session, user=seller, name="benchmark", secret=secret, at=NOW)
    return secret


@contextmanager
def served(market: Market, application: str = "wsgi:app") -> Iterator[int]:
    """Serve it by gunicorn as in production; the port."""
    port = free_port()
    environment = settings(market.url, market.home, PORT=str(port))
    command = [sys.executable, "-m", "gunicorn", "--access-logfile=/dev/null", "--log-level=error", application]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            answer = asked(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        except OSError:
            answer = b""
        if b" 200 " in answer[:20]:
            return
        if time.monotonic() > ends:
            raise TimeoutError("The server does not answer.")
        time.sleep(0.1)


def transfer_http(market: Market, port: int) -> Opening:
    """Offer one base unit through the JSON API, each time with a new key, and by the next of the client's sellers."""
    body = json.dumps({"issuance": market.issuance, "recipient": market.recipient, "quantity": 1}).encode()

    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        mine = market.secrets[client::CLIENTS]
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            head = (
                "POST /api/v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {mine[turns % len(mine)]}\r\nIdempotency-Key: {uuid4().hex}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            answer = asked(port, head.encode() + body)
            if b" 201 " not in answer[:20]:
                raise RuntimeError(answer.decode())

        yield turn

    return opening


def asked(port: int, request: bytes) -> bytes:
    """Send a request on a line of its own and read until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        parts = []
        while part := line.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def retire_singly(market: Market) -> Opening:
    """One base unit in a transaction of its own."""

    def work(session: Session, by: User, issuance: Issuance, rules: policy.Policy) -> None:
        retirement.retire(
            session,
            issuance=issuance,
            holder=by.organisation,
            quantity=1,
            claim=CLAIM,
            policy=rules,
            by=by,
            key=uuid4().hex,
            at=NOW,
        )

    return retiring(market, work)


def retire_in_bulk(market: Market) -> Opening:
    """The same for a thousand lines at once."""
    lines = [RetirementLine(market.issuance, 1, CLAIM)] * LINES

    def work(session: Session, by: User, issuance: Issuance, rules: policy.Policy) -> None:
        bulk.retire(session, holder=by.organisation, lines=lines, policy=rules, by=by, key=uuid4().hex, at=NOW)

    return retiring(market, work)


def retiring(market: Market, work: Callable[[Session, User, Issuance, policy.Policy], None]) -> Opening:
    """`work` as a door does it, by one of the sellers."""
    rules = policy.read(load(settings(market.url, market.home)).policy_file)

    @contextmanager
    def opening(client: int) -> Iterator[Turn]:
        with connected(market.url) as engine:

            def turn() -> None:
                with Session(engine) as session:
                    begin_writing(session)
                    seller = tokens.find(session, market.secrets[client])
                    issuance = session.scalars(select(Issuance).where(Issuance.number == market.issuance)).one()
                    assert seller is not None
                    work(session, seller.user, issuance, rules)
                    session.commit()

            yield turn

    return opening

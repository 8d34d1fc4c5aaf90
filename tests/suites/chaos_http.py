"""Chaos over real HTTP: a registry and a provider that speak to each other, and many who tell of a payment at once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from config import load
from credits import market_jobs, market_rounds
from credits.app import create_app
from credits.db import begin_writing
from credits.extensions import db
from credits.market_jobs import Till
from credits.payments.gateway import ProviderUnreachable
from credits.payments.models import Means, Order, Payment, PaymentState
from credits.payments.stripe_gateway import StripeGateway
from credits.provider import WEBHOOKS
from tests.market_stage import certify
from tests.stripe_standin.deliveries import TOLD, Deliveries
from tests.stripe_standin.in_process import KEY, SECRET
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.server import Fault, Server, Standin, serve
from tests.suites.ground import Ground

AT_ONCE = 8
HOWS = ("card", "card", "card", "declines", "debit", "debit_fails", "leaves")


@contextmanager
def provider_at(clock: float) -> Iterator[Server]:
    """A stand-in on its own port, whose clock stands at `clock` until it is moved."""
    server = serve(lambda address: Standin(Provider(lambda: clock), api_key=KEY, address=address), 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def registry_at(url: str, data_dir: Path, api_base: str) -> Iterator[str]:
    """The registry as a server; its address."""
    given = {"DATABASE_URL": url, "DATA_DIR": str(data_dir), "STRIPE_API_BASE": api_base}
    app = create_app(load(given | {"STRIPE_API_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET}))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


def post(address: str, body: bytes, header: str) -> int:
    request = Request(address, body, {"Stripe-Signature": header, "Content-Type": "application/json"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def attempt(session: Session, payment_id: int, till: Till, standin: Standin, dice: random.Random) -> Counter[str]:
    """A buyer comes to the provider's page, where the first answer may be lost, and pays or not."""
    lost = 0
    standin.faults = [Fault("POST", "lose", dice.choice(("before", "after")))] if dice.random() < 0.2 else []
    for _ in range(2):
        payment = session.get_one(Payment, payment_id)
        try:
            market_jobs.open_checkout(session, payment_id=payment_id, till=till, at=payment.opened_at)
        except ProviderUnreachable:
            lost += 1
    how = dice.choice(HOWS)
    if how != "leaves":
        standin.provider.pay(session.get_one(Payment, payment_id).reference or "", how)
    session.rollback()
    return Counter({"answers lost": lost, how: 1})


def over_http(url: str, home: Path, orders: int) -> tuple[Counter[str], list[str], Provider]:
    """So many orders, each told of three times by eight at once, in no order: what came of them, and what is wrong."""
    ground, dice = Ground(url, home / "papers"), random.Random(5)
    stage, session = ground.stage, ground.session
    counted: Counter[str] = Counter()
    with (
        provider_at(stage.at.timestamp()) as server,
        registry_at(url, home / "data", server.standin.address) as registry,
    ):
        standin, provider = server.standin, server.standin.provider
        gateway = StripeGateway(api_key=KEY, webhook_secret=SECRET, api_base=standin.address, retries=0)
        till = Till(gateway, stage.policy, lambda number: ("http://localhost", "http://localhost"), certify)
        begin_writing(session)
        offer = stage.for_sale(ground.issuance, quantity=1_000 * orders, price=600)
        payments = [stage.begun(stage.ordered((offer, 1_000), means=Means.STRIPE)).id for _ in range(orders)]
        session.commit()
        for payment_id in payments:
            counted += attempt(session, payment_id, till, standin, dice)
        provider.advance(5 * 86_400)
        deliveries = Deliveries(provider, secret=SECRET, url=registry + WEBHOOKS)
        events = [each for each in provider.things["event"].values() if each["type"].startswith(TOLD)] * 3
        dice.shuffle(events)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for statuses in threads.map(deliveries.send, events):
                counted[f"answered {statuses[0]}"] += 1
        forged = [post(registry + WEBHOOKS, b"{}", f"t={int(time.time())},v1={'0' * 64}") for _ in range(10)]
        counted["forged events refused"] = forged.count(400)
        at = stage.at.fromtimestamp(provider.now(), stage.at.tzinfo)
        market_rounds.poll(session, till=till, at=at)
        market_rounds.poll(session, till=till, at=at, states=[PaymentState.PROCESSING])
        found = market_rounds.reconcile(session, gateway=gateway, at=at)
    states = Counter(order.state.value for order in session.query(Order))
    ground.close()
    wrong = [f"{each.subject}: {each.says}" for each in found.disagreements]
    wrong += [f"{states[state]} orders are {state}" for state in sorted(states.keys() - {"delivered", "cancelled"})]
    return counted + states, wrong, provider

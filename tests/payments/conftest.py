"""What tests of the market share: races, and the stand-in for the provider over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.ledger import remember_refusal
from credits.payments.stripe_gateway import StripeGateway
from tests.payments.stripe_door import AT, gateway_to
from tests.stripe_standin.in_process import KEY
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.server import Server, Standin, serve


@pytest.fixture
def at_once(engine: Engine) -> Callable[[int, Callable[[Session, int], object]], list[object]]:
    """Have several people do something at once, each in a transaction of their own: what came of it, or the refusal."""

    def run(how_many: int, act: Callable[[Session, int], object]) -> list[object]:
        gate = threading.Barrier(how_many)

        def one(number: int) -> object:
            with Session(engine) as session:
                gate.wait()
                begin_writing(session)
                try:
                    came_of_it = act(session, number)
                    session.commit()
                except CreditsError as refusal:
                    return remember_refusal(session, refusal)
                return came_of_it

        with ThreadPoolExecutor(how_many) as threads:
            return list(threads.map(one, range(how_many)))

    return run


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = serve(lambda address: Standin(Provider(AT.timestamp), api_key=KEY, address=address), 0)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def standin(server: Server) -> Standin:
    """A stand-in in which nothing has happened yet, at noon of the last of March."""
    address = server.standin.address
    server.standin = Standin(Provider(AT.timestamp), api_key=KEY, address=address)
    return server.standin


@pytest.fixture
def gateway(standin: Standin) -> StripeGateway:
    return gateway_to(standin.address)

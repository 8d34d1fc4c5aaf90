"""What tests of races share."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.ledger import remember_refusal


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

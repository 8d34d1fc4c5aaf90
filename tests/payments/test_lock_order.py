"""That nobody waits for whom who waits for them: what locks several rows locks them in one order. PostgreSQL."""

import threading
from datetime import date

import pytest
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.participants.models import User
from credits.payments import reserving
from credits.payments.models import Order
from credits.registry import holds, sale
from credits.registry.production import Site

MEETING = 0.4  # seconds: long enough for the other one to come as far as it can


@pytest.fixture
def postgresql(engine):
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")


class TestTwoIssuances:
    def test_are_locked_alike_by_an_order_and_by_a_hold(self, stage, engine, postgresql, monkeypatch):
        site = stage.site()
        first, second = (
            stage.verified(site, produced_from=date(2026, month, 1), produced_to=date(2026, month, 28))
            for month in (4, 5)
        )
        issued = [stage.issue(batch) for batch in (second, first)]  # the later batch first
        order = stage.ordered(*((stage.for_sale(made, 100), 10) for made in issued))
        ids, issuer = (order.id, site.id), stage.issuer.id
        stage.session.commit()
        half_way, set_aside, came = threading.Event(), sale.set_aside, []

        def slowly(session, **asked):
            made = set_aside(session, **asked)
            if not half_way.is_set():
                half_way.set()
                threading.Event().wait(MEETING)
            return made

        def pay(session):
            found = session.get_one(Order, ids[0])
            asked = {"seen": found.revision, "policy": stage.policy, "by": found.placed_by, "key": "p", "at": stage.at}
            reserving.begin_payment(session, order=found, **asked)

        def hold(session):
            half_way.wait(5)
            days = {"first_day": date(2026, 4, 1), "last_day": date(2026, 5, 31)}
            asked = {"site": session.get_one(Site, ids[1]), "by": session.get_one(User, issuer), "key": "h"}
            holds.hold_periods(session, **asked, **days, reason="A check.", at=stage.at)

        def alone(act):
            with Session(engine) as session:
                begin_writing(session)
                act(session)
                session.commit()
                came.append(act.__name__)

        monkeypatch.setattr(sale, "set_aside", slowly)
        threads = [threading.Thread(target=alone, args=(act,)) for act in (pay, hold)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(came) == ["hold", "pay"]

import json

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from credits.errors import Invalid, NotAllowed
from credits.journal.models import Event
from credits.payments.models import Currency, OfferState
from credits.payments.offering import floors
from credits.payments.offering.floor_models import Floor
from credits.payments.offering.floors import BelowFloor, NoFloor
from credits.registry.minerals import mineral_of

USD, EUR = Currency.USD, Currency.EUR
COBALT = mineral_of("CO")


def told_of(session, subject):
    """The kinds and facts of what the log says of `subject`, in order."""
    found = session.scalars(select(Event).where(Event.subject == subject).order_by(Event.id))
    return [(event.kind, json.loads(bytes(event.body))["facts"]) for event in found]


class TestSeed:
    def test_sets_what_others_have_set_once(self, stage):
        made = floors.seed(stage.session, by=stage.issuer, at=stage.at)

        assert {(each.mineral_code, each.currency, each.price) for each in made} == {
            ("AU", USD, 400),
            ("CO", USD, 500_000),
        }
        assert all(each.source for each in made)
        assert floors.seed(stage.session, by=stage.issuer, at=stage.at) == []
        assert told_of(stage.session, made[0].number) == [
            ("floor.set", {"mineral": "AU", "currency": "USD", "price": 400, "source": made[0].source})
        ]

    def test_leaves_a_floor_that_the_registry_has_set_itself(self, stage):
        stage.floor("CO", 510_000)
        floors.seed(stage.session, by=stage.issuer, at=stage.at)

        assert [(each.mineral_code, each.price) for each in floors.newest(stage.session)] == [
            ("AU", 400),
            ("CO", 510_000),
        ]


class TestSetFloor:
    def test_counts_from_now_on_and_keeps_the_earlier_ones(self, stage):
        first, second = stage.floor(price=500_000), stage.floor(price=480_000)
        stage.floor(price=450_000, currency=EUR)

        assert floors.newest_of(stage.session, COBALT, USD) is second
        assert floors.earlier_than(stage.session, second) == [first]
        assert floors.newest_of(stage.session, COBALT, Currency.JPY) is None

    def test_closes_the_offers_below_it_alone(self, stage):
        issuance = stage.issued()
        low, high = (stage.for_sale(issuance, 1_000, price) for price in (500_000, 520_000))
        raised = stage.floor(price=510_000)

        assert (low.state, high.state) == (OfferState.CLOSED, OfferState.OPEN)
        assert low.closed_at == stage.at
        facts = {"remaining": 1_000, "floor": raised.number}
        assert told_of(stage.session, low.number)[-1] == ("offer.closed", facts)

    def test_is_done_by_issuers_alone_and_once_a_key(self, stage):
        asked = {"mineral_code": "SN", "currency": USD, "price": 100, "source": "ours", "key": "k", "at": stage.at}
        made = floors.set_floor(stage.session, **asked, by=stage.issuer)

        assert floors.set_floor(stage.session, **asked, by=stage.issuer) is made
        with pytest.raises(NotAllowed):
            floors.set_floor(stage.session, **asked, by=stage.manager)

    def test_refuses_what_is_no_floor(self, stage):
        asked = {"mineral_code": "SN", "currency": USD, "price": 100, "source": "ours", "at": stage.at}
        for bent in ({"price": 0}, {"price": 10**16}, {"source": " "}, {"mineral_code": "XX"}):
            with pytest.raises(Invalid):
                floors.set_floor(stage.session, **asked | bent, key=stage.key(), by=stage.issuer)

    def test_is_never_changed_or_taken_back(self, stage):
        made = stage.floor()
        for statement in (Floor.__table__.update().values(price=1), Floor.__table__.delete()):
            with pytest.raises(DBAPIError), stage.session.begin_nested():
                stage.session.execute(statement.where(Floor.__table__.c.id == made.id))


class TestMustReach:
    def test_says_what_is_missing(self, stage):
        with pytest.raises(NoFloor, match="No floor is set yet for cobalt in EUR"):
            floors.must_reach(stage.session, COBALT, EUR, 10**9)
        stage.floor()
        floors.must_reach(stage.session, COBALT, USD, 500_000)
        with pytest.raises(BelowFloor, match=r"at least USD 5,000\.00; you asked for USD 4,999\.99"):
            floors.must_reach(stage.session, COBALT, USD, 499_999)

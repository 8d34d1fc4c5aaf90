"""Two at the same moment, each in its own session: neither way round the second person opens between them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from threading import Thread

import pytest
from sqlalchemy.orm import Session

from config import ROOT
from credits.db import begin_writing
from credits.participants.models import Organisation, RoleName, User
from credits.registry import guarding, policy, transfer, trust
from credits.registry.models import Cause, Issuance, Transfer
from credits.registry.trusted import Trust
from tests.factories import UserFactory

HOUSE = replace(policy.read(ROOT / "policy.toml"), large_credits=(("CO", 1),))
JUNE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}
WAITED = 0.4  # seconds in which the second has come as far as it comes beside the first


@pytest.fixture
def trusting(stage):
    """The stage under the house's policy, the buyer trusted since long."""
    stage.partner = UserFactory(organisation=stage.coop, may=[RoleName.MANAGER])
    stage.trust = trust.propose(
        stage.session,
        holder=stage.coop,
        recipient=stage.buyer.organisation,
        by=stage.manager,
        key=stage.key(),
        at=stage.at - timedelta(days=9),
    )
    trust.approve(stage.session, trust=stage.trust, policy=HOUSE, by=stage.partner, at=stage.at - timedelta(days=9))
    stage.policy = HOUSE
    return stage


def beside(engine, first: Callable[[Session], object], second: Callable[[Session], object]) -> None:
    """Do the second while the first is done and not yet committed."""

    def after() -> None:
        with Session(engine) as session:
            begin_writing(session)
            second(session)
            session.commit()

    with Session(engine) as session:
        begin_writing(session)
        first(session)
        thread = Thread(target=after)
        thread.start()
        thread.join(WAITED)
        session.commit()
    thread.join()


def test_two_offers_at_once_are_summed(trusting, engine):
    site = trusting.site()
    issued = [trusting.issued(site), trusting.issued(site, **JUNE)]
    for each in issued:  # their accounts are there, which would else be waited for
        opened = trusting.offered(each, 1)
        transfer.withdraw(trusting.session, transfer=opened, by=trusting.manager, at=trusting.at)
    made = [each.id for each in issued]
    coop, buyer, manager, at = trusting.coop.id, trusting.buyer.organisation_id, trusting.manager.id, trusting.at
    trusting.session.commit()

    def offering(issuance: int, key: str) -> Callable[[Session], object]:
        return lambda session: transfer.propose(
            session,
            issuance=session.get_one(Issuance, issuance),
            sender=session.get_one(Organisation, coop),
            recipient=session.get_one(Organisation, buyer),
            quantity=600,
            note="",
            policy=HOUSE,
            by=session.get_one(User, manager),
            key=key,
            at=at,
        )

    beside(engine, offering(made[0], "one"), offering(made[1], "two"))

    offers = trusting.session.query(Transfer).filter_by(quantity=600).order_by(Transfer.id).all()
    assert [offer.guard and offer.guard.cause for offer in offers] == [None, Cause.LARGE]


def test_trust_ended_while_a_first_transfer_is_accepted_stays_ended(trusting, engine):
    at = trusting.at
    early = at - timedelta(days=8)  # before the trust is in force
    offer = trusting.offered(trusting.issued(), 10, at=early)
    guarding.approve(trusting.session, transfer=offer, policy=HOUSE, by=trusting.partner, at=early)
    number, listed, manager, buyer = offer.id, trusting.trust.id, trusting.manager.id, trusting.buyer.id
    trusting.session.commit()

    def ending(session: Session) -> None:
        trust.end(session, trust=session.get_one(Trust, listed), by=session.get_one(User, manager), at=at)

    def accepting(session: Session) -> None:
        transfer.accept(session, transfer=session.get_one(Transfer, number), by=session.get_one(User, buyer), at=at)

    beside(engine, ending, accepting)

    assert [each.ended_at for each in trusting.session.query(Trust)] == [at]
    trusting.must_be_sound()

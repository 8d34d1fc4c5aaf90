"""Payouts: asked for, recorded with their proof, approved by another person, each once."""

import json
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.journal import events
from credits.participants.models import User
from credits.payments.premiums import disbursing, premium
from credits.payments.premiums.committees import NotHeld
from credits.payments.premiums.disbursing import BadPayout, BeyondDecision, PayoutClosed, ReferenceUsed
from credits.payments.premiums.premium_models import PayoutState
from credits.registry import decisions
from credits.registry.movements import Decision, DecisionKind
from credits.registry.second_person import SamePerson
from tests.factories import UserFactory
from tests.payments.house import House
from tests.payments.selling import refunded


class TestPayOut:
    def test_needs_two_issuers_and_moves_the_money_once(self, house):
        house.sold()
        payout = house.asked(house.decided(), 20_000)
        decision = house.recorded(payout, reference=" mp 77 a")

        with pytest.raises(SamePerson):
            house.stage.approve(decision, by=house.stage.issuer)
        assert house.figures == (88_000, 0, 0, 88_000)
        house.stage.approve(decision)

        assert (payout.state, payout.reference) == (PayoutState.PAID, "MP77A")
        assert house.figures == (88_000, 0, 20_000, 68_000)
        house.must_be_sound()

    def test_tells_nobody_outside_its_reference(self, house):
        house.sold()
        decision = house.recorded(house.asked(house.decided()), reference="MP-77")

        (told,) = events.story(house.session, decision.number)
        said = json.loads(told.body)
        assert set(said["facts"]["request"]) == {"paid_on", "sha256", "open"}
        assert set(said["hashed"]) == {"reason", "reference", "typed"}
        assert "MP77" not in told.body.decode()

    def test_shows_its_proof_to_everybody_only_when_it_is_approved(self, house):
        house.sold()
        payout = house.asked(house.decided())
        declined = house.recorded(payout, open_to_public=True)
        decisions.decline(house.session, decision=declined, by=house.stage.colleague, key="no", at=house.at)
        waits = house.recorded(payout, open_to_public=True)
        house.session.refresh(payout)
        assert [paper.open_to_public for paper in payout.papers] == [False, False]
        house.stage.approve(waits)

        assert [paper.open_to_public for paper in payout.papers] == [False, True]

    def test_takes_a_reference_once_whoever_waits(self, house):
        house.sold()
        minute = house.decided()
        waits = house.recorded(house.asked(minute, 1_000), reference="A-1")
        with pytest.raises(ReferenceUsed):
            house.recorded(house.asked(minute, 1_000), reference="a-1")
        house.stage.approve(waits)

        for spelt in ("A -1", "a1", "Ａ–1", "A.1."):
            with pytest.raises(ReferenceUsed):
                house.recorded(house.asked(minute, 1_000), reference=spelt)

    def test_goes_to_what_was_decided_and_is_held(self, house):
        order = house.sold()
        minute = house.decided(income=80_000)
        with pytest.raises(BeyondDecision):
            house.asked(minute, 80_001)
        waits = house.recorded(house.asked(minute, 80_000))
        premium.book_refund(house.session, refund=refunded(house.stage, order), at=house.at)

        with pytest.raises(NotHeld):
            house.stage.approve(waits)

    def test_is_recorded_once_at_a_time_and_on_a_day_that_can_be(self, house):
        house.sold()
        payout = house.asked(house.decided())
        with pytest.raises(BadPayout):
            house.recorded(payout, paid_on=house.at.date() + timedelta(days=1))
        house.recorded(payout)

        with pytest.raises(PayoutClosed):
            house.recorded(payout)
        with pytest.raises(PayoutClosed):
            disbursing.withdraw(house.session, payout=payout, **house.by_manager())

    def test_cannot_be_proposed_without_its_proof(self, house):
        house.sold()
        payout = house.asked(house.decided())

        with pytest.raises(BadPayout):
            house.stage.proposed(DecisionKind.DISBURSEMENT, payout.number, reference="A-1")

    def test_is_unknown_to_others(self, house):
        house.sold()
        payout = house.asked(house.decided())

        with pytest.raises(disbursing.NoSuchPayout):
            disbursing.payout_numbered(house.session, UserFactory(), payout.number)


class TestTogether:
    def test_a_refund_and_a_payout_never_take_the_same_money(self, house, engine):
        """The payout waits for the refund that has begun, and then finds that the money is gone."""
        order = house.sold()
        payout = house.asked(house.decided(income=80_000), 80_000)
        decision = house.recorded(payout)
        refund = refunded(house.stage, order)
        house.session.commit()
        begin_writing(house.session)
        premium.book_refund(house.session, refund=refund, at=house.at)
        outcome: list[BaseException | None] = []
        paying = Thread(target=lambda: outcome.append(paid_elsewhere(engine, house, decision.id)))
        paying.start()
        paying.join(0.3)
        assert paying.is_alive()  # it waits
        house.session.commit()
        paying.join()

        assert [type(each) for each in outcome] == [NotHeld]
        house.must_be_sound()


def paid_elsewhere(engine: Engine, house: House, decision_id: int) -> BaseException | None:
    """Approve the payout in a session of its own; what it is refused with."""
    with Session(engine) as session:
        begin_writing(session)
        try:
            decision, by = session.get_one(Decision, decision_id), session.get_one(User, house.stage.colleague.id)
            disbursing.pay(session, decision, house.stage.policy, by, house.at)
        except CreditsError as refusal:
            return refusal
        session.commit()
    return None

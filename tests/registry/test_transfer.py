from datetime import timedelta

import pytest

from credits import jobs
from credits.errors import Missing
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.participants import organisations
from credits.participants.models import Kind, Kyc, RoleName
from credits.participants.permissions import NotApproved, WrongRole
from credits.registry import queries, transfer
from credits.registry.models import TransferState
from credits.registry.production import BatchState
from credits.registry.transfer import AlreadyClosed, CannotHold, PartySuspended, Suspended, ToOneself
from tests.factories import OrganisationFactory, UserFactory


def held(stage, made, organisation):
    return queries.held_of(stage.session, organisation, made).by_kind


class TestPropose:
    def test_freezes_the_lowest_serials(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 1_500)

        assert held(stage, made, stage.coop) == {AccountKind.AVAILABLE: 1_000, AccountKind.PENDING: 1_500}
        assert transfer.serials_of(offer) == [
            "ASMC-CO-COD-KAM001-2026-0001-000000001-000001500-" + transfer.serials_of(offer)[0][-1]
        ]

    def test_refuses_more_than_is_available(self, stage):
        made = stage.issued()
        stage.offered(made, 2_000)
        with pytest.raises(InsufficientBalance) as refusal:
            stage.offered(made, 501)

        assert refusal.value.detail == {"asked": 501, "available": 500}

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**63, 0.5, "1"])
    def test_refuses_what_is_no_quantity(self, stage, quantity):
        with pytest.raises(BadQuantity):
            stage.offered(stage.issued(), quantity)

    def test_refuses_oneself(self, stage):
        with pytest.raises(ToOneself):
            stage.offered(stage.issued(), 1, to=stage.manager)

    @pytest.mark.parametrize("kind", [Kind.VERIFIER, Kind.REGISTRY])
    def test_refuses_who_holds_no_credits(self, stage, kind):
        with pytest.raises(CannotHold):
            stage.offered(stage.issued(), 1, to=UserFactory(kind=kind))

    def test_refuses_who_is_not_approved(self, stage):
        waiting = UserFactory(organisation=OrganisationFactory(kind=Kind.MANUFACTURER, kyc=Kyc.PENDING))
        with pytest.raises(CannotHold):
            stage.offered(stage.issued(), 1, to=waiting)

    def test_is_not_for_a_clerk(self, stage):
        with pytest.raises(WrongRole):
            stage.offered(stage.issued(), 1, by=stage.clerk)

    def test_is_not_for_strangers(self, stage):
        with pytest.raises(Missing):
            stage.offered(stage.issued(), 1, by=stage.buyer)

    def test_stops_while_the_issuance_is_suspended(self, stage):
        made = stage.issued()
        made.batch.state = BatchState.SUSPENDED
        stage.session.flush()
        with pytest.raises(Suspended):
            stage.offered(made, 1)

    def test_happens_once_a_key(self, stage):
        made = stage.issued()

        assert stage.offered(made, 10, key="once").id == stage.offered(made, 10, key="once").id
        assert held(stage, made, stage.coop)[AccountKind.PENDING] == 10


class TestAccept:
    def test_gives_the_serials_to_the_recipient(self, stage):
        made = stage.issued()
        offer = stage.handed_over(made, 1_500)

        assert offer.state is TransferState.ACCEPTED
        assert held(stage, made, stage.buyer.organisation) == {AccountKind.AVAILABLE: 1_500}
        assert held(stage, made, stage.coop) == {AccountKind.AVAILABLE: 1_000}

    def test_moves_just_these_serials_among_several_offers(self, stage):
        made = stage.issued()
        first, second = stage.offered(made, 100), stage.offered(made, 100, to=stage.second)
        transfer.accept(stage.session, transfer=second, by=stage.second, at=stage.at)
        [(kind, serial)] = queries.serials_held(stage.session, stage.second.organisation, made)

        assert kind is AccountKind.AVAILABLE
        assert "-000000101-000000200-" in serial
        transfer.accept(stage.session, transfer=first, by=stage.buyer, at=stage.at)

    @pytest.mark.parametrize("who", ["manager", "second", "issuer"])
    def test_is_the_recipient_s(self, stage, who):
        offer = stage.offered(stage.issued(), 1)
        with pytest.raises(Missing):
            transfer.accept(stage.session, transfer=offer, by=getattr(stage, who), at=stage.at)

    def test_happens_once(self, stage):
        offer = stage.handed_over(stage.issued(), 1)
        with pytest.raises(AlreadyClosed):
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)

    def test_comes_too_late_after_the_last_day(self, stage):
        offer = stage.offered(stage.issued(), 1)
        with pytest.raises(AlreadyClosed):
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=offer.expires_at)

    def test_stops_while_the_issuance_is_suspended(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 1)
        made.batch.state = BatchState.SUSPENDED
        stage.session.flush()
        with pytest.raises(Suspended):
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)

    @pytest.mark.parametrize("side", ["sender", "recipient"])
    def test_stops_while_a_side_is_suspended(self, stage, side):
        made = stage.issued()
        offer, other = stage.offered(made, 1_500), stage.offered(made, 500)
        party = getattr(offer, side)
        party.kyc, party.kyc_reason = Kyc.SUSPENDED, "Its mailbox was stolen."
        stage.session.commit()
        with pytest.raises((PartySuspended, NotApproved)) as refusal:
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)
        assert party.name in str(refusal.value)
        assert offer.state is TransferState.PENDING
        stage.unanswered(offer.expires_at)
        assert held(stage, made, stage.coop) == {AccountKind.AVAILABLE: 2_500}
        assert other.state is TransferState.EXPIRED

    def test_goes_on_when_the_suspension_has_ended(self, stage):
        offer = stage.offered(stage.issued(), 1_500)
        decide = {"by": stage.issuer, "at": stage.at}
        organisations.suspend(stage.session, stage.coop, reason="Its mailbox was stolen.", **decide)
        with pytest.raises(PartySuspended, match="the credits go back to their sender"):
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)
        organisations.approve(stage.session, stage.coop, **decide)
        transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)
        assert offer.state is TransferState.ACCEPTED


class TestReject:
    def test_sends_the_serials_back_with_the_reason(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 7)
        transfer.reject(stage.session, transfer=offer, reason="Not ordered.", by=stage.buyer, at=stage.at)

        assert (offer.state, offer.reason) == (TransferState.REJECTED, "Not ordered.")
        assert held(stage, made, stage.coop) == {AccountKind.AVAILABLE: 2_500}


class TestWithdraw:
    def test_takes_the_offer_back(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 7)
        transfer.withdraw(stage.session, transfer=offer, by=stage.manager, at=stage.at)

        assert offer.state is TransferState.WITHDRAWN
        assert held(stage, made, stage.coop) == {AccountKind.AVAILABLE: 2_500}

    def test_is_the_sender_s(self, stage):
        offer = stage.offered(stage.issued(), 7)
        with pytest.raises(Missing):
            transfer.withdraw(stage.session, transfer=offer, by=stage.buyer, at=stage.at)


class TestExpireDue:
    def test_gives_back_only_what_is_due(self, stage):
        made = stage.issued()
        old = stage.offered(made, 7)
        young = stage.offered(made, 8, at=stage.at + timedelta(days=1))

        assert stage.unanswered(old.expires_at) == [old]
        assert (old.state, young.state) == (TransferState.EXPIRED, TransferState.PENDING)
        assert held(stage, made, stage.coop)[AccountKind.PENDING] == 8

    def test_ends_offers_of_a_suspended_issuance_too(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 7)
        made.batch.state = BatchState.SUSPENDED
        stage.session.flush()

        assert stage.unanswered(offer.expires_at) == [offer]

    def test_keeps_nobody_waiting_for_one_that_cannot_end(self, stage, monkeypatch, caplog):
        made = stage.issued()
        stuck, other = stage.offered(made, 7), stage.offered(made, 8)
        stage.session.commit()
        end = transfer.close

        def close(session, each, *said, **more):
            end(session, each, *said, **more)
            if each.id == stuck.id:
                raise RuntimeError("Nobody foresaw this.")

        monkeypatch.setattr(transfer, "close", close)

        assert jobs.expire_transfers(stage.session, at=other.expires_at) == 1
        assert (stuck.state, other.state) == (TransferState.PENDING, TransferState.EXPIRED)
        assert held(stage, made, stage.coop)[AccountKind.PENDING] == 7
        assert f"Nothing came of transfer {stuck.id}" in caplog.text

    def test_lets_alone_what_was_answered_meanwhile(self, stage):
        offer = stage.offered(stage.issued(), 7)
        transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)

        assert transfer.expire(stage.session, transfer_id=offer.id, at=offer.expires_at) is False

    def test_names_the_system_as_the_actor(self, stage):
        offer = stage.offered(stage.issued(), 7)
        stage.unanswered(offer.expires_at)

        assert offer.closed_by_id is None

    def test_may_be_followed_by_another_offer_of_a_colleague(self, stage):
        made = stage.issued()
        stage.unanswered(stage.offered(made, 2_500).expires_at)
        colleague = UserFactory(organisation=stage.coop, may=[RoleName.MANAGER])

        assert stage.offered(made, 2_500, by=colleague).state is TransferState.PENDING

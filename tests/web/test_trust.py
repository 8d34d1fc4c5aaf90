"""Trusted recipients, and transfers that wait for a second person, over HTTP by what a person sees."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from config import ROOT
from credits.participants.models import Kind, Kyc, RoleName
from credits.registry import policy, trust
from credits.registry.models import TransferState
from credits.registry.trusted import Trust
from credits.web import trust as door
from tests.factories import OrganisationFactory, UserFactory
from tests.web.conftest import NOW

HOUSE = policy.read(ROOT / "policy.toml")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def partner(app, stage):
    """A second manager of the cooperative, under the house's own policy."""
    stage.policy = app.extensions["policy"] = HOUSE
    return UserFactory(organisation=stage.coop, may=[RoleName.MANAGER])


@pytest.fixture
def offer(stage, partner):
    return stage.offered(stage.issued(), 1_500, at=NOW)


class TestGuardedTransfer:
    def test_waits_for_a_second_person_then_for_the_delay(self, client, stage, offer, partner, words, monkeypatch):
        address = f"/transfers/{offer.number}"
        page = client.sign_in(stage.buyer).get(address).text
        assert "Waits for a second person" in words(page)
        assert "Accept 1.5 credits" not in words(page)
        early = client.post(f"{address}/accept")
        assert early.status_code == 409
        assert "second person" in early.text
        assert "Approve 1.5 credits" not in words(client.sign_in(stage.manager).get(address).text)

        assert "Approve 1.5 credits" in words(client.sign_in(partner).get(address).text)
        assert client.post(f"{address}/approve").status_code == 303
        page = words(client.sign_in(stage.buyer).get(address).text)
        assert "It can be accepted from 12 Jul 2026" in page
        assert client.post(f"{address}/accept").status_code == 409
        monkeypatch.setattr("credits.web.transfers.now", lambda: NOW + timedelta(hours=HOUSE.hours_to_wait))
        assert "Accept 1.5 credits" in words(client.get(address).text)
        assert client.post(f"{address}/accept").status_code == 303
        stage.session.refresh(offer)
        assert offer.state is TransferState.ACCEPTED
        assert "Approved by a second person" in client.get(address).text

    def test_stays_where_it_is_while_its_sender_is_suspended(self, client, stage, words):
        offer = stage.offered(stage.issued(), 1_500, at=NOW)
        stage.coop.kyc, stage.coop.kyc_reason = Kyc.SUSPENDED, "Why."
        page = words(client.sign_in(stage.buyer).get(f"/transfers/{offer.number}").text)
        assert f"{stage.coop.name} is suspended" in page
        assert "Accept 1.5 credits" not in page
        refused = client.post(f"/transfers/{offer.number}/accept")
        assert (refused.status_code, "the credits go back to their sender" in words(refused.text)) == (409, True)

    def test_can_be_rejected_and_withdrawn_meanwhile(self, client, stage, offer, partner):
        assert client.sign_in(stage.buyer).get(f"/transfers/{offer.number}/reject").status_code == 200
        assert client.sign_in(stage.manager).post(f"/transfers/{offer.number}/withdraw").status_code == 303

    def test_is_approved_by_none_who_may_not(self, client, stage, offer, partner):
        for person, status in ((stage.manager, 403), (stage.clerk, 403), (stage.buyer, 404), (stage.issuer, 403)):
            assert client.sign_in(person).post(f"/transfers/{offer.number}/approve").status_code == status
        assert client.sign_in(stage.second).post(f"/transfers/{offer.number}/approve").status_code == 404
        assert offer.guard.approved_by_id is None

    def test_is_approved_by_the_registry_for_those_who_are_alone(self, client, stage, offer, partner, words):
        partner.active = False
        address = f"/transfers/{offer.number}"

        assert "Approve 1.5 credits" in words(client.sign_in(stage.issuer).get(address).text)
        assert client.post(f"{address}/approve").status_code == 303


class TestTrusted:
    def propose(self, client, stage, key="once"):
        address = f"/trusted/new/{stage.buyer.organisation.number}"
        assert client.sign_in(stage.manager).get(address).status_code == 200
        return client.post(address, data={"key": key})

    def test_is_proposed_by_one_and_approved_by_another(self, client, stage, partner, words):
        assert "Nobody is trusted yet" in client.sign_in(stage.manager).get("/trusted").text
        name = stage.buyer.organisation.name
        assert name in words(client.get("/trusted/new").text)
        assert self.propose(client, stage).status_code == 303
        assert self.propose(client, stage).status_code == 303  # the second tap
        [made] = stage.session.scalars(select(Trust)).all()
        page = words(client.get("/trusted").text)
        assert "Waits for a second person" in page
        assert f"Approve {name}" not in page

        assert f"Approve {name}" in words(client.sign_in(partner).get("/trusted").text)
        assert client.post(f"/trusted/{made.number}/approve").status_code == 303
        assert "from 15 Jul 2026" in words(client.get("/trusted").text)
        assert client.post(f"/trusted/{made.number}/end").status_code == 303
        assert "Nobody is trusted yet" in client.get("/trusted").text

    def test_says_why_not(self, client, stage, partner):
        self.propose(client, stage)
        answer = self.propose(client, stage, key="twice")
        assert answer.status_code == 409
        assert "on the list already" in answer.text
        [made] = stage.session.scalars(select(Trust)).all()
        client.post(f"/trusted/{made.number}/approve")
        assert "a second person approves it" in client.get("/trusted").text
        for address in ("/trusted/new/ORG-999999", f"/trusted/new/{stage.coop.number}", "/trusted/new?of=ORG-000099"):
            assert client.get(address).status_code == 404
        assert client.post("/trusted/TRUST-000099/approve").status_code == 404

    def test_is_nobody_else_s_affair(self, client, stage, partner):
        self.propose(client, stage)
        [made] = stage.session.scalars(select(Trust)).all()
        client.sign_in(stage.buyer)
        assert stage.coop.name not in client.get("/trusted").text
        for act in ("approve", "end"):
            assert client.post(f"/trusted/{made.number}/{act}").status_code == 404
        assert client.sign_in(stage.clerk).get("/trusted/new").status_code == 403
        assert stage.coop.name in client.sign_in(stage.issuer).get("/trusted").text

    def test_lets_the_next_transfer_go(self, client, stage, partner):
        made = trust.propose(
            stage.session,
            holder=stage.coop,
            recipient=stage.buyer.organisation,
            by=stage.manager,
            key="once",
            at=NOW - timedelta(days=9),
        )
        trust.approve(stage.session, trust=made, policy=HOUSE, by=partner, at=NOW - timedelta(days=9))
        offer = stage.offered(stage.issued(), 1_500, at=NOW)

        assert client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/accept").status_code == 303

    def test_bears_long_lists(self, client, stage, partner):
        for _ in range(30):
            recipient = OrganisationFactory(kind=Kind.MANUFACTURER)
            asked = {"holder": stage.coop, "recipient": recipient, "by": stage.manager, "at": NOW}
            trust.propose(stage.session, **asked, key=stage.key())

        assert "page=2" in client.sign_in(stage.manager).get("/trusted").text


class TestWhereNobodyWaits:
    def test_is_told_as_it_is(self, client, stage, words):
        page = words(client.sign_in(stage.buyer).get("/trusted").text)

        assert stage.policy.guarded == ()
        assert "no transfer of this registry waits" in page
        assert "hours more" not in page

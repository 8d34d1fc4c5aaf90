from datetime import timedelta

import pytest
from sqlalchemy import func, select

from credits.participants.models import Kind, Kyc
from credits.registry import queries
from credits.registry.models import Transfer, TransferState
from tests.factories import OrganisationFactory, UserFactory
from tests.web.conftest import NOW

MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def address(stage, issuance):
    return f"/holdings/{issuance.number}/transfer/{stage.buyer.organisation.number}"


@pytest.fixture
def typed():
    return {"quantity": "1.5", "note": "As agreed", "key": "key-of-this-form"}


def transfers_in(session):
    return session.scalars(select(Transfer)).all()


class TestChooseRecipient:
    def test_finds_approved_holders_by_name(self, client, stage, issuance):
        OrganisationFactory(kind=Kind.MANUFACTURER, name="Nordlicht Batteries")
        OrganisationFactory(kind=Kind.MANUFACTURER, name="Nordlicht Pending", kyc=Kyc.PENDING)
        OrganisationFactory(kind=Kind.VERIFIER, name="Nordlicht Verifier")

        page = client.sign_in(stage.manager).get(f"/holdings/{issuance.number}/transfer?q=nordLICHT").text

        assert "Nordlicht Batteries" in page
        assert "Nordlicht Pending" not in page
        assert "Nordlicht Verifier" not in page

    def test_offers_nobody_themselves(self, client, stage, issuance):
        page = client.sign_in(stage.manager).get(f"/holdings/{issuance.number}/transfer").text

        assert f"/transfer/{stage.buyer.organisation.number}" in page
        assert f"/transfer/{stage.coop.number}" not in page

    def test_says_what_to_do_where_nobody_has_such_a_name(self, client, stage, issuance):
        page = client.sign_in(stage.manager).get(f"/holdings/{issuance.number}/transfer?q={MARKUP}").text

        assert "Check the spelling" in page
        assert MARKUP not in page

    def test_is_for_those_who_move_credits(self, client, stage, issuance):
        assert client.sign_in(stage.clerk).get(f"/holdings/{issuance.number}/transfer").status_code == 403

    def test_says_why_where_there_is_nothing_to_send(self, client, stage, issuance, address):
        client.sign_in(stage.buyer)
        assert client.get(f"/holdings/{issuance.number}/transfer").status_code == 404
        stage.offered(issuance, 2_500)
        client.sign_in(stage.manager)
        for page in (client.get(f"/holdings/{issuance.number}/transfer"), client.get(address)):
            assert page.status_code == 409
            assert "Nothing of this issuance is available now" in page.text

    def test_accepted_twice_is_accepted_once(self, client, stage, issuance):
        made = stage.offered(issuance, 500)
        client.sign_in(stage.buyer)
        answers = [client.post(f"/transfers/{made.number}/accept") for _ in range(2)]

        assert {answer.location for answer in answers} == {f"/transfers/{made.number}"}
        assert client.sign_in(stage.manager).post(f"/transfers/{made.number}/withdraw").status_code == 409


class TestNewTransfer:
    def test_shows_what_will_happen_before_anything_does(self, client, session, stage, address, typed, words):
        page = client.sign_in(stage.manager).post(address, data=typed)

        seen = words(page.text)
        assert page.status_code == 200
        assert "1.5 credits 1,500 kg" in seen
        assert "-000000001-000001500-" in seen
        assert stage.buyer.organisation.name in seen
        assert "25 Jul 2026" in seen
        assert transfers_in(session) == []

    def test_sends_what_was_confirmed(self, client, session, stage, issuance, address, typed):
        answer = client.sign_in(stage.manager).post(address, data=typed | {"confirmed": "yes"})

        (made,) = transfers_in(session)
        assert (answer.status_code, answer.location) == (303, f"/transfers/{made.number}")
        assert (made.quantity, made.note, made.recipient) == (1_500, "As agreed", stage.buyer.organisation)
        assert queries.held_of(session, stage.coop, issuance).available == 1_000

    def test_counts_once_however_often_it_is_sent(self, client, session, stage, address, typed):
        client.sign_in(stage.manager)
        answers = [client.post(address, data=typed | {"quantity": "2.5", "confirmed": "yes"}) for _ in range(3)]

        assert {answer.location for answer in answers} == {f"/transfers/{transfers_in(session)[0].number}"}
        assert len(transfers_in(session)) == 1

    def test_goes_back_to_what_was_typed(self, client, session, stage, address, typed):
        page = client.sign_in(stage.manager).post(address, data=typed | {"confirmed": "yes", "change": "yes"})

        assert page.status_code == 200
        assert 'value="1.5"' in page.text
        assert "As agreed" in page.text
        assert 'name="confirmed" type="hidden" value=""' in page.text
        assert transfers_in(session) == []

    @pytest.mark.parametrize("confirmed", ["", "yes"])
    @pytest.mark.parametrize(
        "quantity",
        ["0", "-1", "0.0005", "1e400", "NaN", "Infinity", "١٢", "", " ", "1.5 kg", "1,500", "9" * 40, "99999999999",
         "9007199254740993", "9223372036854775808", "true", "0x10", MARKUP, "1\x00"],
    )  # fmt: skip
    def test_refuses_a_quantity_that_cannot_be(self, client, session, stage, address, typed, quantity, confirmed):
        answer = client.sign_in(stage.manager).post(
            address, data=typed | {"quantity": quantity, "confirmed": confirmed}
        )

        assert answer.status_code in (409, 422)
        assert "Please look at this again" in answer.text
        assert "<script>" not in answer.text
        assert transfers_in(session) == []

    def test_says_how_much_there_is_where_more_was_asked(self, client, stage, address, typed, words):
        answer = client.sign_in(stage.manager).post(address, data=typed | {"quantity": "2.501"})

        assert answer.status_code == 409
        assert "You asked for 2.501 credits (2,501 kg), but only 2.5 credits (2,500 kg) are available." in words(
            answer.text
        )

    def test_takes_a_corrected_form_after_a_refusal(self, client, session, stage, address, typed):
        refused = client.sign_in(stage.manager).post(address, data=typed | {"quantity": "9", "confirmed": "yes"})
        assert refused.status_code == 409
        key = refused.text.partition('name="key" type="hidden" value="')[2].partition('"')[0]

        answer = client.post(address, data=typed | {"key": key, "confirmed": "yes"})

        assert answer.status_code == 303
        assert len(transfers_in(session)) == 1

    @pytest.mark.parametrize("note", ["x" * 501, "\x00", "hidden\u202eman"])
    def test_refuses_a_note_that_is_not_sound(self, client, session, stage, address, typed, note):
        answer = client.sign_in(stage.manager).post(address, data=typed | {"note": note, "confirmed": "yes"})

        assert answer.status_code == 422
        assert transfers_in(session) == []

    @pytest.mark.parametrize("key", ["", "k" * 300, "\x00"])
    def test_refuses_a_key_that_is_none(self, client, session, stage, address, typed, key):
        answer = client.sign_in(stage.manager).post(address, data=typed | {"key": key, "confirmed": "yes"})

        assert answer.status_code == 422
        assert transfers_in(session) == []

    @pytest.mark.parametrize("to", ["oneself", "verifier", "ORG-000000", "ORG-9999999999999999999", "x"])
    def test_knows_no_recipient_but_other_holders(self, client, session, stage, issuance, typed, to):
        number = {"oneself": stage.coop.number, "verifier": stage.lead.organisation.number}.get(to, to)

        answer = client.sign_in(stage.manager).post(
            f"/holdings/{issuance.number}/transfer/{number}", data=typed | {"confirmed": "yes"}
        )

        assert answer.status_code == 404
        assert transfers_in(session) == []

    def test_moves_nothing_of_somebody_else(self, client, session, stage, issuance, typed):
        address = f"/holdings/{issuance.number}/transfer/{stage.buyer.organisation.number}"
        client.sign_in(stage.second)

        assert client.post(address, data=typed | {"confirmed": "yes"}).status_code == 409
        assert client.post(f"{address}?of={stage.coop.number}", data=typed).status_code == 404
        assert transfers_in(session) == []

    def test_moves_no_retired_serial(self, client, session, stage, issuance, typed):
        stage.handed_over(issuance, 1_500)
        stage.retired(issuance, 1_500)
        address = f"/holdings/{issuance.number}/transfer/{stage.second.organisation.number}"

        answer = client.sign_in(stage.buyer).post(address, data=typed | {"confirmed": "yes"})

        assert answer.status_code == 409
        assert session.scalars(select(func.count(Transfer.id))).one() == 1


class TestTransfers:
    def test_lists_and_filters(self, client, stage, issuance):
        here = stage.offered(issuance, 100)
        client.sign_in(stage.buyer)

        assert here.number in client.get("/transfers").text
        assert here.number in client.get("/transfers?direction=incoming&state=pending").text
        assert here.number not in client.get("/transfers?direction=outgoing").text
        assert here.number not in client.get("/transfers?state=accepted").text

    @pytest.mark.parametrize("query", ["direction=<b>", "state=x", "page=9999999999999999999999", "page=-1", "page=١"])
    def test_bears_any_filter(self, client, stage, query):
        assert client.sign_in(stage.buyer).get(f"/transfers?{query}").status_code == 200

    def test_says_what_to_do_where_there_is_none(self, client, stage):
        assert "To the holdings" in client.sign_in(stage.buyer).get("/transfers").text


class TestTransfer:
    @pytest.fixture
    def offer(self, stage, issuance):
        return stage.offered(issuance, 1_500, note=MARKUP, at=NOW - timedelta(days=11))  # three days are left

    def test_asks_the_recipient_for_an_answer(self, client, stage, offer, words):
        page = client.sign_in(stage.buyer).get(f"/transfers/{offer.number}")

        assert "Accept 1.5 credits" in words(page.text)
        assert "14 Jul 2026" in words(page.text)
        assert "&lt;script&gt;" in page.text
        assert MARKUP not in page.text

    def test_may_be_rejected_twice_in_a_row(self, client, stage, offer):
        client.sign_in(stage.buyer)
        for _ in range(2):
            answer = client.post(f"/transfers/{offer.number}/reject", data={"reason": "No need.", "key": "k"})
            assert (answer.status_code, answer.location) == (303, f"/transfers/{offer.number}")

    def test_is_accepted(self, client, session, stage, issuance, offer):
        answer = client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/accept")

        assert (answer.status_code, answer.location) == (303, f"/transfers/{offer.number}")
        assert offer.state is TransferState.ACCEPTED
        assert queries.held_of(session, stage.buyer.organisation, issuance).available == 1_500

    def test_is_accepted_once(self, client, session, stage, issuance, offer, words):
        client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/accept")

        again = client.post(f"/transfers/{offer.number}/accept")

        assert again.status_code == 303
        assert "The credits are yours." in words(client.get(again.location).text)
        assert queries.held_of(session, stage.buyer.organisation, issuance).available == 1_500

    def test_is_rejected_with_a_reason(self, client, session, stage, issuance, offer):
        answer = client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/reject", data={"reason": f"No {MARKUP}"})

        assert answer.status_code == 303
        assert offer.state is TransferState.REJECTED
        assert queries.held_of(session, stage.coop, issuance).available == 2_500
        page = client.sign_in(stage.manager).get(f"/transfers/{offer.number}").text
        assert "No &lt;script&gt;alert(1)&lt;/script&gt;" in page

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "\x00"])
    def test_is_not_rejected_without_one(self, client, stage, offer, reason):
        answer = client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/reject", data={"reason": reason})

        assert answer.status_code == 422
        assert offer.state is TransferState.PENDING

    def test_is_withdrawn_by_its_sender_alone(self, client, stage, offer):
        assert client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/withdraw").status_code in (403, 404)
        assert offer.state is TransferState.PENDING

        assert client.sign_in(stage.manager).post(f"/transfers/{offer.number}/withdraw").status_code == 303
        assert offer.state is TransferState.WITHDRAWN

    def test_is_answered_by_its_recipient_alone(self, client, stage, offer):
        client.sign_in(stage.manager)

        assert client.post(f"/transfers/{offer.number}/accept").status_code in (403, 404)
        assert client.post(f"/transfers/{offer.number}/reject", data={"reason": "No"}).status_code in (403, 404)
        assert offer.state is TransferState.PENDING

    def test_is_not_accepted_too_late(self, client, stage, issuance):
        offer = stage.offered(issuance, 1_500, at=NOW - timedelta(days=14))

        answer = client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/accept")

        assert answer.status_code == 409
        assert "The time to answer has passed" in answer.text
        assert offer.state is TransferState.PENDING

    @pytest.mark.parametrize("act", ["", "/accept", "/reject", "/withdraw"])
    def test_is_missing_for_everybody_else(self, client, stage, offer, act):
        client.sign_in(stage.second)
        data = {"reason": "No"}

        answer = (
            client.post(f"/transfers/{offer.number}{act}", data=data)
            if act
            else client.get(f"/transfers/{offer.number}")
        )

        assert answer.status_code == 404
        assert offer.state is TransferState.PENDING

    @pytest.mark.parametrize("number", ["TRANSFER-000000", f"TRANSFER-{2**63}", f"TRANSFER-{'9' * 40}", "1", "<b>"])
    def test_is_missing_where_there_is_none(self, client, number):
        assert client.sign_in(UserFactory()).get(f"/transfers/{number}").status_code == 404

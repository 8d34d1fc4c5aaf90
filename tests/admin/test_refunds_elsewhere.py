import pytest

from credits.journal import events
from credits.payments.gateway import Refunded
from credits.payments.going_back import bypassing
from credits.payments.going_back.going_back_models import RefundState


@pytest.fixture
def order(stage):
    """One of which the provider has sent a part back that nobody here has decided on."""
    order = stage.bought((stage.for_sale(stage.issued()), 100))
    refunded = Refunded(reference="re_1", amount=100, state=RefundState.DONE)
    bypassing.note(stage.session, payment=order.payments[0], refunded=refunded, at=stage.at)
    stage.session.commit()
    return order


class TestRefundElsewhereNoted:
    def test_is_seen_and_noted_once(self, client, stage, order, words):
        page, number = f"/admin/orders/{order.number}", order.number
        address = f"{page}/refunds-elsewhere/re_1/noted"
        client.sign_in(stage.issuer)
        assert "Sent back past the registry" in words(client.get(page).text)
        empty = client.post(address, data={"reason": ""})
        assert (empty.status_code, "Write what is known of it." in words(empty.text)) == (422, True)

        for told in ("It is noted.", "There is nothing to note"):
            assert told in words(client.post(address, data={"reason": "Agreed."}, follow_redirects=True).text)
        assert "Sent back past the registry" not in words(client.get(page).text)
        stage.session.expire_all()
        kinds = [event.kind for event in events.story(stage.session, number)]
        assert kinds.count("refund.not_ours_noted") == 1

    def test_is_for_issuers_alone(self, client, stage, order):
        client.sign_in(stage.buyer)
        answer = client.post(f"/admin/orders/{order.number}/refunds-elsewhere/re_1/noted", data={"reason": "Agreed."})

        assert answer.status_code in (403, 404)
        assert bypassing.unnoted(stage.session, order) == ["re_1"]

import pytest

from credits.errors import Missing
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.registry import public
from credits.registry.movements import DecisionKind
from credits.registry.transfer import Suspended
from credits.registry.validity import Expired


@pytest.fixture
def ask(stage):
    """A buyer's sound request for 400 units."""
    made = stage.issued()
    stage.handed_over(made, 1_000)
    request = {"holder": stage.buyer.organisation.number, "quantity": 400}
    request |= {"registry": "Other Registry", "reference": "OR-55"}

    def asking(by=None, **bent):
        return stage.proposed(DecisionKind.EXPORT, made.number, by or stage.buyer, **request | bent)

    asking.made = made
    return asking


class TestExport:
    def test_takes_the_credits_out_for_good(self, stage, ask):
        stage.approve(ask())
        shares = {share.holding.kind: share.quantity for share in public.shares(stage.session, ask.made)}

        assert shares[AccountKind.EXPORTED] == 400
        assert stage.balance(ask.made, stage.buyer.organisation) == {AccountKind.AVAILABLE: 600}
        stage.must_be_sound()

    def test_freezes_nothing_before_it_is_approved(self, stage, ask):
        waiting = ask(quantity=1_000)
        stage.retired(ask.made, 1)
        with pytest.raises(InsufficientBalance):
            stage.approve(waiting)

    def test_is_approved_by_an_issuer(self, stage, ask):
        with pytest.raises(WrongRole):
            stage.approve(ask(), by=stage.second)

    def test_is_asked_by_the_holder(self, stage, ask):
        for who in (stage.second, stage.issuer):
            with pytest.raises(Missing):
                ask(by=who)

    @pytest.mark.parametrize("field", ["registry", "reference"])
    def test_says_where_to(self, stage, ask, field):
        for said in ("", " ", None):
            with pytest.raises(UnsoundText):
                ask(**{field: said})

    @pytest.mark.parametrize("quantity", [0, True, 2**53, None])
    def test_refuses_what_is_no_quantity(self, stage, ask, quantity):
        with pytest.raises(BadQuantity):
            ask(quantity=quantity)

    def test_stops_while_the_issuance_is_suspended(self, stage, ask):
        waiting = ask()
        stage.suspended(ask.made)
        for step in (ask, lambda: stage.approve(waiting)):
            with pytest.raises(Suspended):
                step()

    def test_stops_after_the_last_day(self, stage, ask):
        with pytest.raises(Expired):
            stage.approve(ask(), at=stage.at.replace(year=2029, month=6, day=1))

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from credits import ledger
from credits.errors import Invalid, Missing
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.participants.models import RoleName
from credits.participants.permissions import WrongRole
from credits.registry import queries, retirement, transfer
from credits.registry.accounts import account_of, registry_account
from credits.registry.production import BatchState
from credits.registry.retirement import NotABuyer, OutsideClaimWindow
from credits.registry.transfer import Suspended
from tests.factories import UserFactory
from tests.stage import CLAIM


@pytest.fixture
def made(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    return made


class TestRetire:
    def test_takes_the_lowest_serials_for_good(self, stage, made):
        retired = stage.retired(made, 750)
        held = queries.held_of(stage.session, stage.buyer.organisation, made)

        assert held.by_kind == {AccountKind.AVAILABLE: 750}
        assert "-000000001-000000750-" in retirement.serials_of(stage.session, retired)[0]
        assert (retired.beneficiary, retired.number) == ("Nordlicht Batteries AB", "ASMC-R-000001")

    def test_refuses_more_than_is_held(self, stage, made):
        with pytest.raises(InsufficientBalance) as refusal:
            stage.retired(made, 1_501)

        assert refusal.value.detail == {"asked": 1_501, "available": 1_500}

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**63, 0.5, "1"])
    def test_refuses_what_is_no_quantity(self, stage, made, quantity):
        with pytest.raises(BadQuantity):
            stage.retired(made, quantity)

    def test_leaves_pending_serials_alone(self, stage, made):
        stage.offered(made, 1_000, to=stage.second, sender=stage.buyer.organisation, by=stage.buyer)
        with pytest.raises(InsufficientBalance):
            stage.retired(made, 501)

    def test_happens_once_a_key(self, stage, made):
        assert stage.retired(made, 10, key="once").id == stage.retired(made, 10, key="once").id

    @pytest.mark.parametrize("reader", [True, False])
    def test_is_for_those_who_may_dispose(self, stage, made, reader):
        by = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER]) if reader else stage.second
        with pytest.raises(WrongRole if reader else Missing):
            stage.retired(made, 1, by=by)

    def test_is_not_for_a_producer(self, stage, made):
        with pytest.raises(NotABuyer):
            stage.retired(made, 1, holder=stage.coop, by=stage.manager)

    def test_stops_while_the_issuance_is_suspended(self, stage, made):
        made.batch.state = BatchState.SUSPENDED
        stage.session.flush()
        with pytest.raises(Suspended):
            stage.retired(made, 1)

    @pytest.mark.parametrize(
        "bent",
        [
            {"beneficiary": ""},
            {"beneficiary": "x" * 201},
            {"beneficiary": "two\nlines"},
            {"country": "SE"},
            {"country": "XXX"},
            {"identifier": " "},
            {"purpose": "x" * 501},
            {"claim_to": date(2025, 12, 31)},
            {"claim_to": date(2027, 1, 2)},
            {"claim_from": date(2028, 1, 1), "claim_to": date(2028, 12, 31)},
        ],
        ids=str,
    )
    def test_refuses_a_claim_that_cannot_be(self, stage, made, bent):
        with pytest.raises(Invalid):
            stage.retired(made, 1, claim=replace(CLAIM, **bent))


class TestMustFitWindow:
    @pytest.mark.parametrize("year, fits", [(2025, False), (2026, True), (2027, True)])
    def test_wants_the_vintage_in_the_claim_year_or_before(self, stage, made, year, fits):
        claim = replace(CLAIM, claim_from=date(year, 1, 1), claim_to=date(year, 12, 31))
        if fits:
            assert stage.retired(made, 1, claim=claim)
        else:
            with pytest.raises(OutsideClaimWindow):
                stage.retired(made, 1, claim=claim)

    def test_wants_production_of_at_most_twenty_four_months_before(self, stage, made):
        later = stage.at.replace(year=2028)
        fitting = replace(CLAIM, claim_from=date(2028, 5, 31), claim_to=date(2028, 12, 31))
        assert stage.retired(made, 1, claim=fitting, at=later)
        with pytest.raises(OutsideClaimWindow):
            stage.retired(made, 1, claim=replace(fitting, claim_from=date(2028, 6, 1)), at=later)


class TestFinality:
    def test_keeps_a_retired_serial_from_moving(self, stage, made):
        retired = stage.retired(made, 10)
        source = registry_account(stage.session, AccountKind.RETIRED)
        target = account_of(stage.session, stage.coop, AccountKind.AVAILABLE)
        with pytest.raises(IntegrityError, match="final"):
            ledger.post(
                stage.session,
                issuance_id=made.id,
                source=source,
                target=target,
                quantity=1,
                at=stage.at,
                record=transfer.recorded(
                    stage.session, "x", made, stage.coop, stage.coop, "system", retired.retired_at
                ),
            )

    def test_keeps_the_retirement_from_being_edited(self, stage, made):
        retired = stage.retired(made, 10)
        retired.beneficiary = "Somebody Else AB"
        with pytest.raises(IntegrityError):
            stage.session.flush()


class TestPrintable:
    """What a certificate could not show is refused when it is given, not when credits are retired years later."""

    @pytest.mark.parametrize("bent", [{"name": "Mine 矿"}, {"district": "Kol\u200bwezi"}, {"concession_owner": "電池"}])
    def test_is_asked_of_a_site(self, stage, bent):
        with pytest.raises(Invalid, match=r"cannot"):
            stage.site(**bent)

    def test_is_asked_of_a_claim(self, stage, made):
        with pytest.raises(Invalid, match="Latin"):
            stage.retired(made, 1, claim=replace(CLAIM, beneficiary="日産"))

from dataclasses import replace
from datetime import date
from threading import Thread

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import Invalid
from credits.journal.models import Event
from credits.participants.models import Kind, Organisation, RoleName, User
from credits.participants.permissions import WrongRole
from credits.registry import bulk
from credits.registry.bulk_lines import LineRefused, RetirementLine
from credits.registry.minerals import BadMeasure, mineral_of
from credits.registry.models import Issuance, RetirementUse
from credits.registry.retirement import retire
from credits.registry.use import use_cover, use_declaring, uses
from credits.registry.use.use_declaring import DeclaredAlready, DeclaresItself, EndUser, NothingChanged, Use
from credits.registry.use.use_models import UseLine
from tests.factories import OrganisationFactory, UserFactory
from tests.stage import CLAIM

COBALT, GOLD = mineral_of("CO"), mineral_of("AU")
WAITED = 0.4  # seconds in which the second has come as far as it comes beside the first


def declared(stage, quantity=1_000, by=None, **bent) -> UseLine:
    by = by or stage.buyer
    asked = {"organisation": by.organisation, "mineral_code": "CO", "year": 2026, "product_line": "Cells N1"}
    asked |= {"use": Use(quantity), "end_user": None, "by": by, "key": stage.key(), "at": stage.at}
    return use_declaring.declare(stage.session, **asked | bent)


def changed(stage, line, quantity, **bent) -> UseLine:
    asked = {"line": line, "use": Use(quantity), "reason": "Fewer were sold.", "by": stage.buyer}
    return use_declaring.change(stage.session, **asked | {"key": stage.key(), "at": stage.at} | bent)


def cover(stage, organisation=None) -> use_cover.Cover:
    (found,) = use_cover.covers_of(
        stage.session, organisation or stage.buyer.organisation, policy=stage.policy, at=stage.at
    )
    return found


@pytest.fixture
def made(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    return made


@pytest.fixture
def strict(stage):
    stage.policy = replace(stage.policy, beyond_declared_use="refuse")
    return stage


class TestProductYear:
    @pytest.mark.parametrize(
        "first, last, year",
        [
            (date(2026, 1, 1), date(2026, 12, 31), 2026),
            (date(2025, 12, 31), date(2026, 12, 30), 2026),
            (date(2026, 7, 2), date(2027, 7, 1), 2026),  # 183 and 182 days
            (date(2026, 12, 31), date(2027, 1, 1), 2026),  # as many in both
            (date(2026, 12, 1), date(2027, 11, 30), 2027),
        ],
    )
    def test_is_where_most_days_lie(self, first, last, year):
        assert uses.product_year(first, last) == year


class TestWorkedOut:
    @pytest.mark.parametrize(
        "mineral, grams, units, quantity",
        [
            (COBALT, "12.5", 80_000, 1_000),
            (COBALT, "12.5", 80_001, 1_001),  # never less than is used
            (COBALT, "0.000000001", 1, 1),
            (GOLD, "0.034", 1_000_000, 34_000_000),
            (GOLD, "0.0000001", 3, 1),
        ],
    )
    def test_rounds_up_to_the_base_unit(self, mineral, grams, units, quantity):
        assert use_declaring.worked_out(mineral, grams, units).quantity == quantity

    @pytest.mark.parametrize(
        "grams, units",
        [("0", 1), ("-1", 1), ("1e3", 1), ("0.0000000001", 1), ("1", 0), ("1", 10**12 + 1), ("9" * 20, 10**12)],
    )
    def test_refuses_what_cannot_be(self, grams, units):
        with pytest.raises(BadMeasure):
            use_declaring.worked_out(GOLD, grams, units)

    def test_is_shown_in_grams(self):
        assert use_declaring.in_grams(12_500_000_001) == "12.500000001"
        assert use_declaring.in_grams(10**18) == "1,000,000,000"


class TestDeclare:
    def test_is_changed_by_newer_versions_that_keep_the_earlier_ones(self, stage):
        line = declared(stage)
        changed(stage, line, 400)

        assert [(each.version, each.quantity, each.reason) for each in line.versions] == [
            (1, 1_000, ""),
            (2, 400, "Fewer were sold."),
        ]
        told = stage.session.scalars(select(Event).where(Event.subject == line.number).order_by(Event.id)).all()
        assert [event.kind for event in told] == ["use.declared", "use.changed"]
        assert b"1000" not in told[0].body  # what a company makes is its own affair
        assert b"Cells" not in told[0].body
        with pytest.raises(NothingChanged):
            changed(stage, line, 400)

    def test_is_one_declaration_a_line_and_year_and_happens_once_a_key(self, stage):
        first = declared(stage, key="once")
        assert declared(stage, key="once") is first
        with pytest.raises(DeclaredAlready):
            declared(stage, product_line="cells n1")
        declared(stage, product_line="Cells N2")
        declared(stage, year=2027)

    def test_is_for_buyers_who_may_dispose(self, stage):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        for by in (reader, stage.manager, stage.lead):
            with pytest.raises((WrongRole, use_declaring.NoBuyer)):
                declared(stage, by=by, organisation=by.organisation)

    def test_of_a_reseller_is_for_a_named_end_user(self, stage):
        reseller = UserFactory(kind=Kind.RESELLER)
        known = OrganisationFactory(kind=Kind.MANUFACTURER, country="SWE", registration_number="SE 556000-0001")
        with pytest.raises(Invalid):
            declared(stage, by=reseller)
        with pytest.raises(DeclaresItself):
            declared(stage, by=reseller, end_user=EndUser(known.name, "SWE", "se5560000001"))

        assert declared(stage, by=reseller, end_user=EndUser("Kuma", "JPN", "12-34")).party == "JPN 1234"

    @pytest.mark.parametrize("bent", [{"year": 2015}, {"year": 2032}, {"product_line": " "}, {"mineral_code": "XX"}])
    def test_refuses_what_cannot_be(self, stage, bent):
        with pytest.raises(Invalid):
            declared(stage, **bent)

    def test_is_kept_by_the_database(self, stage):
        line = declared(stage)
        stage.session.commit()
        for hostile in (
            "UPDATE use_version SET quantity = 9",
            "DELETE FROM use_version",
            "DELETE FROM use_line",
            "UPDATE use_line SET year = 2027",
            "INSERT INTO use_version SELECT line_id, 3, 9, NULL, NULL, 'x', 1, declared_at FROM use_version",
        ):
            with pytest.raises(IntegrityError):
                stage.session.execute(text(hostile))
            stage.session.rollback()
            begin_writing(stage.session)
        assert line.current.quantity == 1_000


class TestRetire:
    def test_marks_what_lies_beyond_the_declared_use(self, stage, made):
        before = stage.retired(made, 100).use
        declared(stage, 600)
        first, second, third = (stage.retired(made, 300).use for _ in range(3))

        assert (before.declared, before.surplus) == (None, 0)
        assert [(each.declared, each.surplus) for each in (first, second, third)] == [(600, 0), (600, 100), (600, 300)]
        told = stage.session.scalars(select(Event).where(Event.kind == "use.exceeded")).all()
        assert [event.subject for event in told] == ["ASMC-R-000003", "ASMC-R-000004"]
        assert cover(stage).surplus == 400

    def test_counts_a_manufacturer_whatever_it_writes_and_a_reseller_s_end_user_by_its_number(self, stage, made):
        def party(**bent) -> str:
            return stage.retired(made, 1, **bent).use.party

        own = stage.buyer.organisation.number
        other = OrganisationFactory(kind=Kind.MANUFACTURER, country="SWE", registration_number="SE 556000-0001")
        reseller = UserFactory(kind=Kind.RESELLER)
        stage.handed_over(made, 10, to=reseller)
        sold = {"holder": reseller.organisation, "by": reseller}

        assert party(claim=replace(CLAIM, identifier="SE 1")) == own
        assert party(claim=replace(CLAIM, identifier="VAT 2", beneficiary="Our brand")) == own
        assert party(claim=replace(CLAIM, identifier="se-556 000 0001")) == other.number
        assert party(claim=replace(CLAIM, identifier="SE556000.0001"), **sold) == other.number
        assert party(claim=replace(CLAIM, identifier="FI-77"), **sold) == "SWE FI77"

    def test_wants_a_declaration_where_the_policy_refuses_what_is_beyond(self, strict, made):
        with pytest.raises(uses.NoDeclaredUse):
            strict.retired(made, 1)

    def test_allows_exactly_what_is_declared(self, strict, made):
        declared(strict, 700)
        strict.retired(made, 500)
        strict.session.commit()
        begin_writing(strict.session)
        with pytest.raises(uses.BeyondDeclaredUse) as refusal:
            strict.retired(made, 201)
        assert refusal.value.detail == {"asked": 201, "left": 200, "year": 2026}
        strict.session.rollback()
        begin_writing(strict.session)

        assert strict.retired(made, 200).use.surplus == 0
        strict.must_be_sound()

    def test_counts_line_by_line_in_bulk(self, stage, made):
        declared(stage, 25)
        lines = [RetirementLine(made.number, 10, CLAIM) for _ in range(4)]
        asked = {"holder": stage.buyer.organisation, "lines": lines, "by": stage.buyer, "at": stage.at}
        bulk.retire(stage.session, **asked, policy=stage.policy, key=stage.key())

        found = stage.session.scalars(select(RetirementUse.surplus).order_by(RetirementUse.retirement_id)).all()
        assert found == [0, 0, 5, 10]
        strict = replace(stage.policy, beyond_declared_use="refuse")
        with pytest.raises(LineRefused) as refusal:
            bulk.retire(stage.session, **asked, policy=strict, key=stage.key())
        assert (refusal.value.detail["line"], refusal.value.detail["reason"]) == (1, "beyond_declared_use")

    def test_of_two_at_once_the_second_sees_the_first(self, strict, engine):
        site = strict.site()
        june = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}
        issued = [strict.issued(site), strict.issued(site, **june)]  # no block in common
        for each in issued:
            strict.handed_over(each, 500)
        declared(strict, 500)
        made, buyer, policy, at = [each.id for each in issued], strict.buyer.id, strict.policy, strict.at
        strict.session.commit()
        refused = []

        def retiring(session: Session, issuance: int) -> None:
            by = session.get_one(User, buyer)
            retire(
                session,
                issuance=session.get_one(Issuance, issuance),
                holder=session.get_one(Organisation, by.organisation_id),
                quantity=400,
                claim=CLAIM,
                policy=policy,
                by=by,
                key=f"race-{issuance}",
                at=at,
            )

        def after() -> None:
            with Session(engine) as session:
                begin_writing(session)
                try:
                    retiring(session, made[1])
                    session.commit()
                except uses.BeyondDeclaredUse as refusal:
                    refused.append(refusal.detail["left"])

        with Session(engine) as session:
            begin_writing(session)
            retiring(session, made[0])
            thread = Thread(target=after)
            thread.start()
            thread.join(WAITED)
            session.commit()
        thread.join()

        assert refused == [100]


class TestCover:
    def test_tells_declared_covered_bought_and_missing(self, stage, made):
        declared(stage, 1_000)
        declared(stage, 2_000, product_line="Magnets")
        stage.retired(made, 600)
        found = cover(stage)

        assert (found.declared, found.covered, found.bought, found.missing) == (3_000, 600, 900, 1_500)
        assert (found.percent, found.surplus, len(found.lines)) == (20, 0, 2)

    def test_counts_only_what_fits_the_year(self, stage, made):
        declared(stage, 1_000, year=2025)

        assert (cover(stage).bought, cover(stage).missing) == (0, 1_000)

    def test_shows_what_a_lowered_declaration_leaves_over(self, stage, made):
        line = declared(stage, 1_000)
        stage.retired(made, 600)
        changed(stage, line, 400)
        found = cover(stage)

        assert (found.covered, found.surplus, found.missing, found.percent) == (400, 200, 0, 100)

    def test_takes_the_larger_of_two_resellers_words(self, stage, made):
        for quantity in (300, 500):
            reseller = UserFactory(kind=Kind.RESELLER)
            declared(stage, quantity, by=reseller, end_user=EndUser("Kuma", "JPN", "12-34"))

        assert cover(stage, reseller.organisation).declared == 500

    def test_is_for_ones_own_eyes(self, stage):
        line = declared(stage)
        assert use_cover.use_numbered(stage.session, stage.issuer, line.number) is line
        with pytest.raises(use_cover.NoSuchUse):
            use_cover.use_numbered(stage.session, stage.second, line.number)

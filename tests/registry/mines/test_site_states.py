from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits import jobs
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.registry import decisions, issuance
from credits.registry.assurance import findings
from credits.registry.assurance.assurance_models import Certainty, Severity, Source
from credits.registry.assurance.findings import ClosedAlready, FindingFacts
from credits.registry.doubts.plausibility import keep_ground_still
from credits.registry.finders import NotYoursToFind, SecondPersonCloses
from credits.registry.making import batches
from credits.registry.mines import site_clock, site_states
from credits.registry.mines.reinstatement import NotYet
from credits.registry.mines.site_states import NotThere
from credits.registry.mines.standing import ZeroToleranceOpen, refuse_stopped
from credits.registry.movements import DecisionKind
from credits.registry.production import AssuranceState, Batch, Site
from credits.registry.reviews import reassigning
from tests.factories import UserFactory

ACTIVE, PROBATION, SUSPENDED = AssuranceState.ACTIVE, AssuranceState.PROBATION, AssuranceState.SUSPENDED


@pytest.fixture
def site(stage):
    return stage.in_review().site


def opened(stage, site, by=None, **bent):
    facts = FindingFacts(severity=Severity.MAJOR, text="No receipts.", due_on=date(2026, 8, 1), source=Source.VERIFIER)
    asked = {"site": site, "facts": replace(facts, **bent), "policy": stage.policy}
    asked |= {"by": by or stage.lead, "key": stage.key(), "at": stage.at}
    return findings.open_finding(stage.session, **asked)


def closed(stage, finding, by=None):
    asked = {"finding": finding, "evidence": "Receipts of June.", "reason": "Put right."}
    findings.close(stage.session, **asked, by=by or stage.lead, key=stage.key(), at=stage.at)


def probation(stage, site):
    asked = {"site": site, "reason": "Taxes.", "policy": stage.policy, "by": stage.issuer, "at": stage.at}
    return site_states.put_on_probation(stage.session, **asked, key=stage.key())


def suspended(stage, site):
    asked = {"site": site, "reason": "Red.", "policy": stage.policy, "by": stage.issuer, "at": stage.at}
    return site_states.suspend(stage.session, **asked, key=stage.key())


def clocked(stage, *day):
    """What the clock writes down on a day."""
    due = [stage.session.get_one(Site, each) for each in site_clock.due(stage.session, at=noon(*day))]
    made = [site_clock.run(stage.session, each, stage.policy, noon(*day)) for each in due]
    return [row for row in made if row]


def state_on(stage, site, *day):
    return site_states.standing(stage.session, site, date(*day), stage.policy).state


def noon(*day):
    return datetime(*day, 12, tzinfo=UTC)


class TestStanding:
    def test_runs_by_itself_and_can_be_asked_of_any_day(self, stage, site):
        opened(stage, site)
        probation(stage, site)  # on 1 July 2026, for three months

        assert state_on(stage, site, 2026, 6, 30) is ACTIVE
        assert state_on(stage, site, 2026, 7, 1) is PROBATION
        assert state_on(stage, site, 2026, 10, 1) is PROBATION
        later = site_states.standing(stage.session, site, date(2026, 10, 2), stage.policy)
        assert (later.state, later.since, later.until, later.is_written) == (
            SUSPENDED,
            date(2026, 10, 2),
            date(2027, 4, 2),
            False,
        )

    def test_stays_on_probation_where_everything_was_put_right_in_time(self, stage, site):
        finding = opened(stage, site)
        probation(stage, site)
        stage.at = noon(2026, 9, 30)
        closed(stage, finding)

        assert state_on(stage, site, 2026, 12, 1) is PROBATION
        assert clocked(stage, 2026, 12, 1) == []

    def test_is_no_shield_once_a_mitigated_probation_is_over(self, stage, site):
        finding = opened(stage, site)
        probation(stage, site)
        stage.at = noon(2026, 9, 30)
        closed(stage, finding)
        stage.at = noon(2026, 11, 1)
        later = opened(stage, site, by=stage.issuer, due_on=date(2026, 12, 1))

        assert clocked(stage, 2026, 12, 1) == []
        (row,) = clocked(stage, 2026, 12, 2)
        assert (row.state, row.until_on, row.finding) == (PROBATION, date(2027, 3, 2), later)
        assert clocked(stage, 2026, 12, 3) == []
        (row,) = clocked(stage, 2027, 3, 3)
        assert (row.state, row.from_on) == (SUSPENDED, date(2027, 3, 3))

    def test_can_begin_anew_by_an_issuer_once_it_is_over(self, stage, site):
        finding = opened(stage, site)
        probation(stage, site)
        closed(stage, finding)
        with pytest.raises(NotThere):
            probation(stage, site)
        stage.at = noon(2026, 12, 1)

        assert probation(stage, site).until_on == date(2027, 3, 1)

    def test_is_written_once_by_the_worker_from_the_day_after(self, stage, site):
        opened(stage, site, due_on=date(2026, 12, 31))
        probation(stage, site)

        (row,) = clocked(stage, 2026, 10, 9)
        assert (row.state, row.from_on, row.until_on) == (SUSPENDED, date(2026, 10, 2), date(2027, 4, 2))
        assert clocked(stage, 2026, 10, 9) == []

    def test_puts_a_site_with_an_overdue_major_finding_on_probation(self, stage, site):
        opened(stage, site)
        opened(stage, site, severity=Severity.MINOR)

        assert clocked(stage, 2026, 8, 1) == []
        (row,) = clocked(stage, 2026, 8, 2)
        assert (row.state, row.until_on) == (PROBATION, date(2026, 11, 2))

    def test_is_never_rewritten(self, stage, site):
        suspended(stage, site)
        stage.session.commit()
        for statement in ("UPDATE site_state SET until_on = '2026-07-02'", "DELETE FROM site_state"):
            with pytest.raises(IntegrityError):
                stage.session.execute(text(statement))
            stage.session.rollback()

    def test_ends_no_suspension_by_probation(self, stage, site):
        suspended(stage, site)
        with pytest.raises(NotThere):
            probation(stage, site)


class TestTheJob:
    def test_holds_one_site_at_a_time(self, stage, engine, monkeypatch):
        """Who verifies locks all sites of a ground: holding some of them while waiting for others is a deadlock."""
        one, other = stage.site(), stage.site()
        for each in (other, one):
            probation(stage, each)
        ids = sorted([one.id, other.id])
        stage.session.commit()
        real, run = site_clock.keep_site_still, []

        def verifying_meanwhile(session, site):
            if run:
                with Session(engine) as verifier:
                    verifier.execute(text("SET LOCAL lock_timeout = '2s'"))
                    keep_ground_still(verifier, verifier.get_one(Site, run[0]))
                    verifier.commit()
            run.append(site.id)
            real(session, site)

        if engine.dialect.name == "postgresql":  # of SQLite one transaction writes, and no other
            monkeypatch.setattr(site_clock, "keep_site_still", verifying_meanwhile)
        assert jobs.run_site_clocks(stage.session, policy=stage.policy, at=noon(2026, 12, 1)) == 2
        assert [state_on(stage, stage.session.get_one(Site, each), 2026, 12, 1) for each in ids] == [SUSPENDED] * 2


class TestIssuing:
    def test_is_refused_while_suspended_and_for_days_of_a_suspension(self, stage):
        batch = stage.verified()
        suspended(stage, batch.site)

        assert "The site is suspended." in issuance.obstacles(batch, stage.policy, stage.at)
        batch.produced_to = date(2026, 7, 4)
        with stage.session.no_autoflush:
            found = issuance.obstacles(batch, stage.policy, stage.at)
        stage.session.expire(batch)
        assert any("was suspended on 1 Jul 2026" in sentence for sentence in found)

    def test_is_refused_where_the_same_ground_is_stopped(self, stage):
        """The same mine under another name, or under the same name somewhere else: neither escapes."""
        batch = stage.verified()
        site = stage.site(name="Another")
        opened(stage, site, by=stage.issuer, severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED)
        assert any("FINDING-000001 is open" in each for each in issuance.obstacles(batch, stage.policy, stage.at))
        suspended(stage, site)
        found = issuance.obstacles(batch, stage.policy, stage.at)
        assert "COD-ANO001, on the same ground, is suspended." in found

        site.latitude += 100_000  # 11 km
        stage.session.flush()
        assert not any("COD-ANO001" in each for each in issuance.obstacles(batch, stage.policy, stage.at))
        site.name = "KAMILOMBE"  # before names were compared
        stage.session.flush()
        assert "COD-ANO001, on the same ground, is suspended." in issuance.obstacles(batch, stage.policy, stage.at)

    def test_names_no_site_of_another_producer(self, stage):
        mine, site = stage.site(), stage.site(name="Another")
        site.producer_id = UserFactory(kind=Kind.COOPERATIVE).organisation_id
        stage.session.flush()
        finding = opened(stage, site, by=stage.issuer, severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED)
        with pytest.raises(ZeroToleranceOpen) as refusal:
            refuse_stopped(stage.session, mine, stage.at.date())
        assert finding.number not in str(refusal.value)
        closed(stage, finding, by=stage.colleague)
        suspended(stage, site)
        with pytest.raises(site_states.SiteSuspended) as refusal:
            refuse_stopped(stage.session, mine, stage.at.date())
        assert "COD-ANO001" not in str(refusal.value)

    def test_goes_on_during_a_probation(self, stage):
        batch = stage.verified()
        probation(stage, batch.site)

        assert stage.issue(batch).quantity == 2_500


class TestReinstatement:
    def test_takes_two_people_six_months_and_nothing_left_open(self, stage, site):
        finding = opened(stage, site)
        suspended(stage, site)
        with pytest.raises(NotYet, match=finding.number):
            stage.proposed(DecisionKind.REINSTATEMENT, "COD-KAM001")
        closed(stage, finding)
        decision = stage.proposed(DecisionKind.REINSTATEMENT, "COD-KAM001")
        with pytest.raises(NotYet, match="until 1 Jan 2027"):
            stage.approve(decision)

        stage.at = noon(2027, 1, 1)
        with pytest.raises(decisions.SamePerson):
            stage.approve(decision, by=stage.issuer)
        stage.approve(decision)
        assert state_on(stage, site, 2026, 12, 31) is SUSPENDED
        assert state_on(stage, site, 2027, 1, 1) is ACTIVE

    def test_is_the_only_way_back_for_the_database_too(self, stage, site):
        suspended(stage, site)
        stage.session.commit()
        with pytest.raises(IntegrityError):
            stage.session.execute(
                text(
                    "INSERT INTO site_state (site_id, state, from_on, cause, reason, policy, set_by_id, set_at)"
                    " SELECT site_id, 'active', from_on, 'registry', 'x', policy, set_by_id, set_at FROM site_state"
                )
            )


class TestFindings:
    def test_are_made_by_who_reviews_and_by_the_registry(self, stage, site):
        with pytest.raises(NotYoursToFind):
            opened(stage, site, by=UserFactory(kind=Kind.VERIFIER))
        with pytest.raises(WrongRole):
            opened(stage, site, by=stage.manager)
        assert opened(stage, site, by=stage.issuer).number == "FINDING-000001"

    def test_close_once_with_evidence_and_a_reason(self, stage, site):
        finding = opened(stage, site)
        closed(stage, finding)

        with pytest.raises(ClosedAlready):
            closed(stage, finding)
        stage.session.commit()
        with pytest.raises(IntegrityError):
            stage.session.execute(text("UPDATE finding SET closed_at = NULL, closed_by_id = NULL"))

    def test_of_zero_tolerance_are_confirmed_by_a_lead_and_closed_by_somebody_else(self, stage, site):
        finding = opened(stage, site, severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED)
        with pytest.raises(SecondPersonCloses):
            closed(stage, finding)
        asked = {"finding": finding, "concerns": (date(2026, 4, 1), date(2026, 5, 31)), "policy": stage.policy}
        reviewer = UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER])
        with pytest.raises(WrongRole):
            findings.confirm(stage.session, **asked, by=reviewer, key="c1", at=stage.at)
        findings.confirm(stage.session, **asked, by=stage.lead, key="c2", at=stage.at)

        assert state_on(stage, site, 2026, 7, 1) is SUSPENDED
        with pytest.raises(WrongRole, match="closed by the registry"):
            closed(stage, finding, by=reviewer)
        closed(stage, finding, by=stage.issuer)
        assert state_on(stage, site, 2026, 7, 2) is SUSPENDED  # closing lets nothing go

    def test_of_zero_tolerance_are_closed_by_no_colleague_of_who_opened_them(self, stage, site):
        finding = opened(stage, site, severity=Severity.ZERO_TOLERANCE, certainty=Certainty.SUSPECTED)
        with pytest.raises(SecondPersonCloses, match="Your organisation"):
            closed(stage, finding, by=UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD]))
        closed(stage, finding, by=stage.issuer)

    def test_are_closed_by_a_lead_who_has_the_job_now(self, stage, site):
        finding = opened(stage, site)
        with pytest.raises(WrongRole, match="lead"):
            closed(stage, finding, by=UserFactory(organisation=stage.lead.organisation, may=[RoleName.REVIEWER]))
        (batch,) = stage.session.scalars(select(Batch).where(Batch.site_id == site.id))
        batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)
        with pytest.raises(NotYoursToFind):
            closed(stage, finding)

    def test_of_the_registry_are_closed_by_the_registry(self, stage, site):
        finding = opened(stage, site, by=stage.issuer)
        with pytest.raises(WrongRole, match="the registry closes"):
            closed(stage, finding)
        closed(stage, finding, by=stage.issuer)

    def test_are_not_closed_by_who_declined_for_a_tie(self, stage, site):
        UserFactory(kind=Kind.VERIFIER)
        finding = opened(stage, site)
        (batch,) = stage.session.scalars(select(Batch).where(Batch.site_id == site.id))
        asked = {"batch": batch, "ties": "My brother's mine.", "policy": stage.policy, "by": stage.lead}
        reassigning.decline(stage.session, **asked, key="d", at=stage.at)
        with pytest.raises(NotYoursToFind):
            closed(stage, finding)

    def test_are_put_right_in_time(self, stage, site):
        for bent in (
            {"due_on": date(2026, 6, 30)},
            {"due_on": date(2027, 1, 2)},
            {"severity": Severity.MINOR, "due_on": date(2027, 7, 2)},
            {"severity": Severity.ZERO_TOLERANCE},
        ):
            with pytest.raises(findings.Invalid):
                opened(stage, site, **bent)
        assert opened(stage, site, due_on=date(2027, 1, 1)).is_overdue(date(2027, 1, 2))

"""A group controls its members, and a verifier that was drawn visits a sample that was drawn."""

import hashlib
from dataclasses import replace
from datetime import date
from math import ceil, sqrt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.errors import Invalid
from credits.participants.models import Kind
from credits.participants.permissions import NoSuchOrganisation, WrongRole
from credits.registry.assurance import group_audits, groups
from credits.registry.assurance.group_audits import DrawnAlready, NotControlled, NotInSample
from credits.registry.issuance import NotIssuable
from credits.registry.reviews import redrawing
from tests.batch_stage import FINDING
from tests.factories import OrganisationFactory, UserFactory

YEAR = 2026
ALL_WELL = {item.code: {"answer": "yes", "note": ""} for item in groups.checklist()[1]}
BY_HAND = """INSERT INTO sample_visit (audit_id, member_id, visited_from, visited_to, conforms, report, declaration,
    visited_by_id, entered_at) VALUES (:audit, :member, '2026-06-02', '2026-06-03', :yes, 'x', 'x', :by,
    '2026-06-03T00:00:00.000000Z')"""
FROM_AFAR = replace(FINDING, visited_from=None, visited_to=None, remote_reason="Road washed away")


class Group:
    """The stage's cooperative with four more in a group, and the steps of its year as one call each."""

    def __init__(self, stage):
        self.stage, self.manager = stage, UserFactory(kind=Kind.GROUP_MANAGER)
        self.group = self.manager.organisation
        self.others = [OrganisationFactory(group_manager_id=self.group.id) for _ in range(4)]
        stage.coop.group_manager_id = self.group.id
        stage.session.flush()
        stage.session.refresh(stage.coop)

    def asked(self, by, **more):
        return {"by": by, "key": self.stage.key(), "at": self.stage.at} | more

    def control(self, member, answers=ALL_WELL, by=None, year=YEAR):
        more = {"group": self.group, "member": member, "year": year, "answers": answers}
        more["controlled_on"] = date(2026, 6, 1)
        return groups.control(self.stage.session, **self.asked(by or self.manager, **more))

    def drawn(self):
        for member in (self.stage.coop, *self.others):
            self.control(member)
        return group_audits.begin_audit(
            self.stage.session, group=self.group, year=YEAR, **self.asked(self.stage.issuer)
        )

    def visit(self, audit, member, conforms=True, by=None):
        more = {"audit": audit, "member": member, "visited": (date(2026, 6, 2), date(2026, 6, 3))}
        more |= {"conforms": conforms, "report": "Looked at the shafts."}
        return group_audits.visit(self.stage.session, **self.asked(by or self.stage.lead, **more))

    def sampled(self, audit):
        return [each for each in (self.stage.coop, *self.others) if each.number in audit.sample_draw.drawn]


@pytest.fixture
def group(stage):
    return Group(stage)


class TestSampleSize:
    @pytest.mark.parametrize("members", [0, 1, 2, 4, 5, 9, 10, 99, 100, 101, 10_000])
    def test_is_the_square_root_rounded_up(self, members):
        assert groups.sample_size(members) == ceil(sqrt(members))


class TestControl:
    @pytest.mark.parametrize(
        "bent",
        [
            {"children": {"answer": "no", "note": " "}},
            {"children": {"answer": "perhaps", "note": ""}},
        ],
        ids=str,
    )
    def test_needs_an_answer_to_every_point_and_why_not(self, group, bent):
        with pytest.raises(Invalid, match="under 18"):
            group.control(group.stage.coop, ALL_WELL | bent)
        with pytest.raises(Invalid, match="is open"):
            group.control(group.stage.coop, {})

    def test_is_of_a_member_by_its_manager(self, group):
        with pytest.raises(NoSuchOrganisation):
            group.control(OrganisationFactory())
        with pytest.raises((NoSuchOrganisation, WrongRole)):
            group.control(group.stage.coop, by=group.stage.manager)
        with pytest.raises(Invalid):
            group.control(group.stage.coop, year=2027)

    def test_keeps_both_where_it_is_done_again(self, group):
        wrong = {"mercury": {"answer": "no", "note": "Retort broken; mended by June."}}
        first = group.control(group.stage.coop, ALL_WELL | wrong)
        second = group.control(group.stage.coop)

        assert (first.conforms, second.conforms) == (False, True)
        assert groups.standing_of(group.stage.session, group.group, YEAR)[0].control == second


class TestBeginAudit:
    def test_draws_a_sample_that_anybody_draws_again(self, group):
        audit = group.drawn()
        draw = audit.sample_draw
        tickets = sorted(draw.candidates, key=lambda each: hashlib.sha256(f"{draw.seed}\n{each}".encode()).hexdigest())

        assert draw.drawn == tickets[:3]
        assert audit.organisation == group.stage.lead.organisation
        assert [each.differs for each in redrawing.all_again(group.stage.session)] == [[], []]

    def test_waits_for_the_control_of_every_member(self, group):
        group.control(group.stage.coop)

        with pytest.raises(NotControlled, match=group.others[0].name):
            group_audits.begin_audit(
                group.stage.session, group=group.group, year=YEAR, **group.asked(group.stage.issuer)
            )

    def test_happens_once_a_year(self, group):
        group.drawn()

        with pytest.raises(DrawnAlready):
            group.drawn()

    def test_is_not_for_the_group_itself(self, group):
        with pytest.raises(WrongRole):
            group_audits.begin_audit(group.stage.session, group=group.group, year=YEAR, **group.asked(group.manager))


class TestVisit:
    def test_is_of_the_sample_by_who_was_drawn(self, group):
        audit = group.drawn()
        member = group.sampled(audit)[0]
        friend = UserFactory(kind=Kind.VERIFIER)
        left_out = next(each for each in group.others if each not in group.sampled(audit))

        with pytest.raises(WrongRole):
            group.visit(audit, member, by=friend)
        with pytest.raises(NotInSample):
            group.visit(audit, left_out)
        for wrong in ({"member": left_out.id}, {"by": friend.id}):
            named = {"audit": audit.id, "member": member.id, "yes": True, "by": group.stage.lead.id} | wrong
            with pytest.raises(IntegrityError, match="drawn"), group.stage.session.begin_nested():
                group.stage.session.execute(text(BY_HAND), named)


class TestObstacles:
    def test_let_a_member_that_was_visited_itself_be_issued(self, group):
        assert group.stage.issued().quantity == 2_500

    def test_hold_a_member_that_was_verified_from_afar_until_the_sample_was_visited(self, group):
        batch = group.stage.verified(finding=FROM_AFAR)
        with pytest.raises(NotIssuable, match="the sample of 2026 has not been drawn"):
            group.stage.issue(batch)
        audit = group.drawn()
        for member in group.sampled(audit)[1:]:
            group.visit(audit, member)
        with pytest.raises(NotIssuable, match="the sample of 2026 lacks"):
            group.stage.issue(batch)
        group.visit(audit, group.sampled(audit)[0])

        assert group.stage.issue(batch).quantity == 2_500

    def test_hold_a_member_of_the_sample_until_it_conforms(self, group):
        while group.others:
            group.others.pop().group_manager_id = None
        audit = group.drawn()
        batch = group.stage.verified()
        with pytest.raises(NotIssuable, match="has not been visited yet"):
            group.stage.issue(batch)
        group.visit(audit, group.stage.coop, conforms=False)
        with pytest.raises(NotIssuable, match="does not conform"):
            group.stage.issue(batch)
        group.visit(audit, group.stage.coop)

        assert group.stage.issue(batch).quantity == 2_500

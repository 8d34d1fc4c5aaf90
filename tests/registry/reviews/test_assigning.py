"""Who verifies what, and what a producer and a verifier who know each other might try."""

import hashlib
import json
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits import jobs
from credits.journal import events
from credits.journal.models import RegistryIdentity
from credits.participants import users
from credits.participants.models import Kind, Kyc, Language, RoleName
from credits.registry.issuance import NotIssuable, NotThreePeople
from credits.registry.making import batches
from credits.registry.making.revisions import revision_of
from credits.registry.production import BatchState
from credits.registry.reviews import assigning, reassigning, redrawing, verification
from credits.registry.reviews.assigned import AssignmentState
from credits.registry.reviews.assigning import NotDrawn, standing
from credits.registry.reviews.declaring import NotDeclared
from credits.registry.reviews.kinship_questions import OneOfThem, answer
from credits.registry.reviews.reassigning import DrawnAnewAlready
from credits.registry.reviews.verification import NotIndependent
from tests.batch_stage import FINDING
from tests.factories import OrganisationFactory, UserFactory
from tests.registry.reviews.test_cycles import alone


@pytest.fixture
def friends(stage):
    """Four more verifiers; the last one is the producer's friend."""
    return [UserFactory(kind=Kind.VERIFIER) for _ in range(4)]


def of(stage, batch):
    return standing(stage.session, batch)


class TestAssign:
    def test_draws_what_anybody_draws_again_from_the_log_alone(self, stage, friends):
        batch = stage.submitted()
        story = {event.kind: bytes(event.body) for event in events.story(stage.session, batch.number)}
        told = json.loads(story["lots.drawn"])["facts"]
        registry = stage.session.get_one(RegistryIdentity, 1).registry_id

        leaf = hashlib.sha256(b"\0" + story["batch.submitted"]).hexdigest()
        seed = hashlib.sha256(f"{registry}\n{batch.number}\n1\n{leaf}".encode()).hexdigest()
        lowest = min(told["candidates"], key=lambda each: hashlib.sha256(f"{seed}\n{each}".encode()).hexdigest())

        assert told["candidates"] == sorted(lead.organisation.number for lead in (stage.lead, *friends))
        assert (told["seed"], told["drawn"]) == (seed, [lowest])
        assert of(stage, batch).organisation.number == lowest

    def test_falls_on_different_verifiers(self, stage, friends):
        site = stage.site()
        days = [date(2026, 1, 1) + timedelta(days=2 * turn) for turn in range(12)]
        drawn = [stage.submitted(site, produced_from=day, produced_to=day, gross_kg="99") for day in days]

        assert len({of(stage, batch).organisation_id for batch in drawn}) > 1

    @pytest.mark.parametrize(
        "bent",
        [
            {"kyc": Kyc.SUSPENDED},
            {"name": "SARL State Mining Company"},  # the owner of the concession
            {"registration_number": "coop/77", "name": "Other"},  # of the producer
        ],
        ids=str,
    )
    def test_leaves_out_who_has_a_part_in_it(self, stage, bent):
        stage.coop.registration_number = "COOP 77"
        UserFactory(organisation=OrganisationFactory(kind=Kind.VERIFIER, **bent))
        reviewer = UserFactory(kind=Kind.VERIFIER, may=[RoleName.REVIEWER])  # no lead: could never decide
        same_person = UserFactory(kind=Kind.VERIFIER, email=stage.clerk.email.replace("@", "+audit@"))

        assert [each.organisation for each in assigning.eligible(stage.session, stage.submitted(), stage.policy)] == [
            stage.lead.organisation
        ]
        assert reviewer.active
        assert same_person.active

    def test_waits_visibly_where_nobody_is_eligible(self, stage):
        stage.lead.organisation.kyc, stage.lead.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        batch = stage.submitted()
        assert of(stage, batch).state is AssignmentState.NOBODY

        another = UserFactory(kind=Kind.VERIFIER)
        stage.drawn(batch, another)
        verification.take(stage.session, batch=batch, by=another, at=stage.at)

    def test_sends_the_same_days_back_to_the_same_verifier(self, stage, friends):
        """A producer who withdraws and submits until the lot falls on a friend draws nothing new."""
        site, seen = stage.site(), set()
        for _ in range(8):
            batch = stage.submitted(site)
            seen.add(of(stage, batch).organisation_id)
            batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)

        assert len(seen) == 1

    @pytest.mark.parametrize("left_open", [False, True], ids=["withdrawn", "left open"])
    def test_draws_for_the_whole_period_whoever_was_drawn_for_the_first_trial(self, stage, friends, left_open):
        """A producer who tries with batches of one day, until the lot falls on a friend, has gained nothing."""
        site, trials = stage.site(), []
        for turn in range(30):
            day = date(2026, 4, 1) + timedelta(days=turn)
            trials.append(stage.submitted(site, produced_from=day, produced_to=day, gross_kg="99"))
            if len({of(stage, trial).organisation_id for trial in trials}) > 1:
                break
            if not left_open:
                batches.withdraw(stage.session, batch=trials[-1], by=stage.clerk, at=stage.at)
                break
        first = of(stage, trials[0])
        if left_open:
            batches.withdraw(stage.session, batch=trials[-1], by=stage.clerk, at=stage.at)
        whole = stage.submitted(site, produced_from=trials[-1].produced_from, produced_to=date(2026, 5, 31))
        later = stage.submitted(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 2), gross_kg="99")

        assert {of(stage, batch).organisation_id for batch in (whole, later)} == {first.organisation_id}

    def test_never_draws_a_verifier_that_declared_a_tie_to_the_producer(self, stage, friends):
        batch, offered = (stage.drawn(stage.submitted(stage.site(name=name)), friends[0]) for name in ("One", "Two"))
        declined = {"ties": "A brother.", "policy": stage.policy, "by": friends[0], "key": "d", "at": stage.at}
        reassigning.decline(stage.session, batch=batch, **declined)
        batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)

        again = stage.submitted(batch.site)
        assert friends[0].organisation not in able(stage, again)
        with pytest.raises(NotIndependent, match="has declared a tie"):
            verification.take(stage.session, batch=offered, by=friends[0], at=stage.at)


def able(stage, batch):
    return [each.organisation for each in assigning.eligible(stage.session, batch, stage.policy)]


class TestEligible:
    """What a producer may try to be left alone with its friend, and what shuts a verifier out."""

    def test_is_not_narrowed_by_numbers_hidden_in_the_owner_of_the_concession(self, stage, friends):
        for turn, lead in enumerate((stage.lead, *friends)):
            lead.organisation.registration_number = f"RCCM-1000{turn}"
        hidden = "State mining " + " ".join(lead.organisation.registration_number for lead in (stage.lead, *friends))
        batch = stage.submitted(stage.site(concession_owner=hidden))

        assert len(able(stage, batch)) == 5
        assert [tie.certain for tie in assigning.ties_of(stage.lead, batch)] == [False]
        assert len(able(stage, stage.submitted(stage.site(concession_owner="rccm 10000")))) == 4

    def test_is_not_narrowed_by_invitations_that_nobody_has_followed(self, stage, friends):
        invited = [
            users.add(
                stage.session, organisation=stage.coop, name=f"Clerk {turn}", email=lead.email.replace("@", "+x@"),
                language=Language.EN, roles=[RoleName.CLERK], handle=f"h{turn}", by=stage.manager, at=stage.at,
            )
            for turn, lead in enumerate((stage.lead, *friends))
        ]  # fmt: skip
        batch = stage.submitted()
        assert len(able(stage, batch)) == 5
        assert "not both have used" in assigning.ties_of(stage.lead, batch)[0].sentence

        invited[0].current_login_at = stage.at
        assert stage.lead.organisation not in able(stage, batch)

    def test_leaves_out_the_verifier_of_a_lead_who_reads_the_producers_mailbox(self, stage, friends):
        batch = stage.in_review()
        stage.answered(batch)
        UserFactory(
            organisation=stage.lead.organisation, may=[RoleName.LEAD], email=stage.clerk.email.replace("@", "+v@")
        )
        stage.session.refresh(stage.lead.organisation)

        assert stage.lead.organisation not in able(stage, batch)
        with pytest.raises(NotIndependent, match="same mailbox"):
            stage.verify(batch)


class TestTake:
    def test_is_for_who_was_drawn_alone(self, stage, friends):
        batch = stage.drawn(stage.submitted())

        with pytest.raises(NotDrawn):
            verification.take(stage.session, batch=batch, by=friends[-1], at=stage.at)

    def test_declares_once_for_the_job(self, stage):
        batch = stage.verified()

        assert batch.independence.startswith(f"Neither I nor {stage.lead.organisation.name}")
        told = [event.kind for event in events.story(stage.session, batch.number)]
        assert told.count("batch.independence_declared") == 1

    def test_does_not_declare_for_a_colleague(self, stage):
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD])
        batch = stage.in_review()
        stage.answered(batch)
        asked = {"batch": batch, "seen": revision_of(batch), "finding": FINDING, "by": colleague, "at": stage.at}
        with pytest.raises(NotDeclared):
            verification.verify(stage.session, key="1", **asked)

        verification.declare(stage.session, batch=batch, by=colleague, at=stage.at)
        verification.verify(stage.session, key="2", **asked)
        assert batch.verified_by_id == colleague.id


class TestDecline:
    def decline(self, stage, batch, by):
        asked = {"ties": "My sister keeps their books.", "policy": stage.policy, "key": stage.key(), "at": stage.at}
        return reassigning.decline(stage.session, batch=batch, by=by, **asked)

    @pytest.mark.parametrize("step", ["submitted", "in_review"])
    def test_draws_another_verifier_and_never_this_one_again(self, stage, step):
        batch = stage.submitted()  # there is one verifier yet
        friends = [UserFactory(kind=Kind.VERIFIER) for _ in range(3)]
        if step == "in_review":
            verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
        made = self.decline(stage, batch, stage.lead)

        assert batch.state is BatchState.SUBMITTED
        assert made.organisation_id in {friend.organisation_id for friend in friends}
        ended = assigning.history_of(stage.session, batch)[-2]
        assert (ended.state, ended.reason) == (AssignmentState.DECLINED, "My sister keeps their books.")
        assert b"sister" not in b"".join(bytes(each.body) for each in events.story(stage.session, batch.number))
        with pytest.raises(NotIndependent, match="has declared a tie"):
            verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
        assert all(not each.differs for each in redrawing.all_again(stage.session))

    def test_ends_with_nobody_where_all_are_tied(self, stage):
        assert self.decline(stage, stage.submitted(), stage.lead).state is AssignmentState.NOBODY

    def test_lets_the_next_one_verify_it(self, stage):
        batch = stage.submitted()
        friend = UserFactory(kind=Kind.VERIFIER)
        self.decline(stage, batch, stage.lead)
        verification.take(stage.session, batch=batch, by=friend, at=stage.at)

        assert (batch.state, batch.reviewer_id) == (BatchState.IN_REVIEW, friend.id)


class TestLapseDue:
    def test_draws_anew_what_was_not_taken_in_time(self, stage, friends):
        batch, taken = stage.submitted(), stage.in_review(stage.site(name="Another"))
        before = of(stage, batch).organisation_id
        late = stage.at + timedelta(days=stage.policy.days_to_take, seconds=1)

        stage.session.commit()

        assert jobs.draw_late(stage.session, policy=stage.policy, at=stage.at) == 0
        assert jobs.draw_late(stage.session, policy=stage.policy, at=late) == 1
        assert of(stage, batch).organisation_id != before
        assert taken.state is BatchState.IN_REVIEW
        asked = {"policy": stage.policy, "at": late}
        assert not any(reassigning.lapse(stage.session, batch_id=each.id, **asked) for each in (batch, taken))

    def test_keeps_no_batch_waiting_for_one_that_cannot_be_drawn_for(self, stage, friends, monkeypatch):
        stuck, other = stage.submitted(), stage.submitted(stage.site(name="Another"))
        before = of(stage, other).organisation_id
        stage.session.commit()
        draw = reassigning.assign

        def assign(session, batch, **asked):
            made = draw(session, batch, **asked)
            if batch.id == stuck.id:
                raise RuntimeError("Nobody foresaw this.")
            return made

        monkeypatch.setattr(reassigning, "assign", assign)
        late = stage.at + timedelta(days=stage.policy.days_to_take, seconds=1)

        assert jobs.draw_late(stage.session, policy=stage.policy, at=late) == 1
        assert of(stage, stuck).state is AssignmentState.OFFERED
        assert of(stage, other).organisation_id != before


class TestDrawAnew:
    def anew(self, stage, batch, by):
        asked = {"reason": "Ill.", "policy": stage.policy, "key": stage.key(), "at": stage.at}
        return reassigning.draw_anew(stage.session, batch=batch, by=by, **asked)

    def test_needs_another_issuer_each_time(self, stage, friends):
        batch = stage.submitted()
        self.anew(stage, batch, stage.issuer)
        stage.colleague.email, twin = "x@example.org", stage.issuer.email.replace("@", "+2@")
        second_account = UserFactory(organisation=stage.issuer.organisation, email=twin)
        for by in (stage.issuer, second_account):
            with pytest.raises(DrawnAnewAlready, match="Another issuer"):
                self.anew(stage, batch, by)

        assert self.anew(stage, batch, stage.colleague).organisation is not None

    def test_is_free_where_nobody_is_relieved(self, stage):
        stage.lead.organisation.kyc, stage.lead.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        batch = stage.submitted()

        for _ in range(2):
            assert self.anew(stage, batch, stage.issuer).state is AssignmentState.NOBODY


class TestThePeopleBehindABatch:
    def issue(self, stage, batch):
        stage.session.commit()
        return stage.issue(batch)

    def test_are_asked_about_where_two_have_one_name(self, stage):
        batch = stage.verified()
        stage.lead.name = "Ilunga Chantal"
        stage.manager.name = "Chantal Ilúnga"
        with pytest.raises(NotIssuable, match="Are they one person"):
            self.issue(stage, batch)

        about = "person " + " ".join(sorted((stage.lead.number, stage.manager.number)))
        said = {"about": about, "text": "Two passports seen.", "at": stage.at}
        answer(stage.session, batch=batch, by=stage.issuer, key="a", **said)
        assert self.issue(stage, batch).quantity == 2_500

    def test_are_shut_out_where_two_share_a_mailbox(self, stage):
        batch = stage.verified()
        stage.issuer.email = stage.manager.email.replace("@", "+registry@")

        with pytest.raises(NotThreePeople, match="same mailbox"):
            self.issue(stage, batch)

    def test_do_not_vouch_for_themselves(self, stage):
        batch = stage.verified()
        stage.issuer.name = stage.clerk.name
        about = "person " + " ".join(sorted((stage.issuer.number, stage.clerk.number)))

        with pytest.raises(OneOfThem):
            answer(stage.session, batch=batch, about=about, text="Not me.", by=stage.issuer, key="a", at=stage.at)

    def test_may_not_be_the_verifier_who_came_to_own_the_site(self, stage):
        batch = stage.in_review()
        stage.answered(batch)
        batch.site.concession_owner = stage.lead.organisation.name

        with pytest.raises(NotIndependent, match="an owner does not verify"):
            stage.verify(batch)


# What a producer and its friend, another verifier, might write into the database by hand. {friend}: the friend's
# lead, {theirs}: the friend's organisation, {batch}: the batch in the review of the verifier that was drawn.
COLLUSION = {
    "hand it over": "UPDATE assignment SET organisation_id = {theirs}",
    "pretend it was not taken": "UPDATE assignment SET state = 'offered', taken_by_id = NULL, taken_at = NULL",
    "raise the cycles": "UPDATE assignment SET most_cycles = 99",
    "draw by hand": "UPDATE draw SET drawn = '[\"ORG-000099\"]'",
    "forget the draw": "DELETE FROM draw",
    "forget the assignment": "DELETE FROM assignment",
    "declare for the friend": "INSERT INTO declaration (assignment_id, person_id, ties, text, declared_at)"
    " SELECT id, {friend}, '', 'None.', due_at FROM assignment",
    "take the ties out": "UPDATE declaration SET ties = ''",
    "assign it without a draw": "INSERT INTO assignment (batch_id, draw_id, organisation_id, state, most_cycles,"
    " due_at) SELECT batch_id, draw_id, {theirs}, 'offered', 3, due_at FROM assignment",
    "verify as the friend": "UPDATE batch SET state = 'verified', verified_by_id = {friend} WHERE id = {batch}",
    "verify as the submitter": "UPDATE batch SET state = 'verified', verified_by_id = drafted_by_id WHERE id = {batch}",
    "verify as the manager": "UPDATE batch SET state = 'verified', verified_by_id = {manager} WHERE id = {batch}",
    "give it back and keep it": "UPDATE batch SET state = 'submitted' WHERE id = {batch}",
    "make the friend a group": "UPDATE organisation SET group_manager_id = {theirs} WHERE id = {coop}",
    "turn the producer into a verifier": "UPDATE organisation SET kind = 'verifier' WHERE id = {coop}",
}


class TestCollusion:
    @pytest.mark.parametrize("attack", COLLUSION)
    def test_is_refused_by_the_database(self, stage, attack):
        batch = stage.in_review()
        friend = UserFactory(kind=Kind.VERIFIER)
        stage.answered(batch)
        stage.session.flush()
        alone(stage.session)
        named = {"friend": friend.id, "theirs": friend.organisation_id, "batch": batch.id}
        named |= {"manager": stage.manager.id, "coop": stage.coop.id}

        says = "drawn for it, without ties" if attack.startswith("verify") else "registry:"
        with pytest.raises(IntegrityError, match=says):
            stage.session.execute(text(COLLUSION[attack].format(**named)))

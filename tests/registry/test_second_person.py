"""Who may be the second person about a guarded transfer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from credits.participants import users
from credits.participants.models import Kind, Language, RoleName, User
from credits.participants.permissions import NoSuchOrganisation, WrongRole
from credits.registry.guarding import NothingToApprove
from credits.registry.second_person import OfOneHand, SamePerson, TooNew
from tests.factories import UserFactory
from tests.registry.guarded_acts import HOUSE, STANDING, approve, approve_trust, trusted


def joined(stage, by: User, before: timedelta) -> User:
    """A manager of the cooperative whom `by` added so long before now."""
    return users.add(
        stage.session,
        organisation=stage.coop,
        name="Another",
        email=f"{stage.key()}@example.org",
        language=Language.EN,
        roles=[RoleName.MANAGER],
        handle=stage.key(),
        by=by,
        at=stage.at - before,
    )


class TestSecondPerson:
    def test_is_never_the_first(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        with pytest.raises(SamePerson):
            approve(guarded, offer, by=guarded.manager)

    def test_is_one_who_disposes_of_the_credits(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        with pytest.raises(WrongRole):
            approve(guarded, offer, by=guarded.clerk)
        for stranger in (guarded.buyer, guarded.lead):
            with pytest.raises(NoSuchOrganisation):
                approve(guarded, offer, by=stranger)

    def test_is_an_issuer_for_those_who_are_alone(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        with pytest.raises(WrongRole, match="somebody else who can approve"):
            approve(guarded, offer, by=guarded.issuer)
        guarded.partner.active = False
        approve(guarded, offer, by=guarded.issuer)

        assert offer.guard.approved_by_id == guarded.issuer.id

    def test_has_been_one_for_days(self, guarded):
        offer, made = guarded.offered(guarded.issued(), 1_000), trusted(guarded)
        guarded.partner.registered_at = guarded.at - STANDING + timedelta(seconds=1)
        guarded.session.flush()
        for act in (lambda: approve(guarded, offer), lambda: approve_trust(guarded, made)):
            with pytest.raises(TooNew, match="too new"):
                act()
        approve(guarded, offer, by=guarded.issuer)
        approve_trust(guarded, made, by=guarded.issuer)

        guarded.partner.registered_at = guarded.at - STANDING
        guarded.session.flush()
        approve(guarded, guarded.offered(offer.issuance, 1_000))

    def test_is_no_creature_of_the_first_nor_its_maker(self, guarded):
        guarded.partner.active = False
        added = joined(guarded, guarded.manager, 3 * STANDING)
        theirs = joined(guarded, added, 2 * STANDING)
        issued = guarded.issued()
        for first, second in ((guarded.manager, added), (added, guarded.manager), (theirs, guarded.manager)):
            offer = guarded.offered(issued, 10, by=first)
            with pytest.raises(OfOneHand):
                approve(guarded, offer, by=second)
        assert offer.guard.approved_by_id is None
        approve(guarded, offer, by=guarded.issuer)

        guarded.partner.active = True
        offer = guarded.offered(issued, 10, by=theirs)
        with pytest.raises(WrongRole, match="somebody else who can approve"):
            approve(guarded, offer, by=guarded.issuer)
        approve(guarded, offer)

    def test_is_anybody_else_where_the_policy_lets_nobody_wait(self, guarded):
        guarded.policy = replace(HOUSE, days_before_second=0)
        added = joined(guarded, guarded.manager, timedelta(0))
        approve(guarded, guarded.offered(guarded.issued(), 10), by=added)

    def test_may_be_one_of_the_group(self, guarded):
        head = UserFactory(kind=Kind.GROUP_MANAGER)
        guarded.coop.group_manager = head.organisation
        guarded.session.flush()
        offer = guarded.offered(guarded.issued(), 1_000)
        guarded.partner.active = False
        with pytest.raises(WrongRole):
            approve(guarded, offer, by=guarded.issuer)
        approve(guarded, offer, by=head)

    def test_approves_once(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        approve(guarded, offer)
        with pytest.raises(NothingToApprove):
            approve(guarded, offer)

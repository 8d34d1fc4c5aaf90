from datetime import timedelta

import pytest

from credits.participants import queries
from credits.participants.models import Kind, Kyc
from tests.factories import AT, OrganisationFactory


class TestOrganisations:
    def listed(self, session, kyc=None, text="", page=1):
        return queries.organisations(session, kyc=kyc, text=text, page=page)

    def test_shows_first_who_waits_longest(self, session):
        approved = OrganisationFactory(registered_at=AT - timedelta(days=9))
        young = OrganisationFactory(kyc=Kyc.PENDING)
        old = OrganisationFactory(kyc=Kyc.PENDING, registered_at=AT - timedelta(days=3))

        assert self.listed(session) == ([old, young, approved], 1, 1)
        assert self.listed(session, kyc=Kyc.APPROVED)[0] == [approved]

    @pytest.mark.parametrize("text", ["kamil", "KAMILOMBE", "RCCM/77", "org-000042", "42", "100%"])
    def test_finds_by_name_and_numbers(self, session, text):
        wanted = OrganisationFactory(id=42, name="Kamilombe 100%", registration_number="RCCM/77")
        OrganisationFactory(name="Other 1000", registration_number="RCCM/1")

        assert self.listed(session, text=text)[0] == [wanted]

    @pytest.mark.parametrize("text", ["nothing", "_", "ORG-" + "9" * 30, "٤٢"])
    def test_finds_nothing_else(self, session, text):
        OrganisationFactory(id=42, name="Kamilombe", registration_number="RCCM/77")

        assert self.listed(session, text=text)[0] == []

    @pytest.mark.parametrize("page, found", [(1, 25), (2, 5), (3, 5), (10**9, 5)])
    def test_comes_in_pages(self, session, page, found):
        OrganisationFactory.create_batch(30)

        listed, shown, pages = self.listed(session, page=page)

        assert (len(listed), shown, pages) == (found, min(page, 2), 2)


class TestLookalikes:
    def test_have_the_name_or_number_in_the_same_country(self, session):
        subject = OrganisationFactory(name="Kamilombe", registration_number="77")
        same_name = OrganisationFactory(name="KAMILOMBE")
        same_number = OrganisationFactory(registration_number="77")
        OrganisationFactory(name="Kamilombe", country="COG")

        assert queries.lookalikes(session, subject) == [same_name, same_number]

    def test_are_not_all_the_unregistered(self, session):
        OrganisationFactory(registration_number=None)

        assert queries.lookalikes(session, OrganisationFactory(registration_number=None)) == []


class TestGroupManagers:
    def test_are_the_approved_ones(self, session):
        approved = OrganisationFactory(kind=Kind.GROUP_MANAGER)
        OrganisationFactory(kind=Kind.GROUP_MANAGER, kyc=Kyc.PENDING)
        OrganisationFactory()

        assert queries.group_managers(session) == [approved]

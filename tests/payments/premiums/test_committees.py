"""What a committee decides to spend, with its minute."""

from datetime import date

import pytest

from credits.participants.permissions import NoSuchOrganisation, WrongRole
from credits.payments.models import Currency
from credits.payments.premiums import committees
from credits.payments.premiums.committees import BadMinute, Decided, NotHeld, RevokedAlready
from credits.payments.premiums.premium_models import Theme
from credits.payments.premiums.premium_papers import PaperUsed
from credits.payments.premiums.site_premium import premium_in
from credits.registry.papers.evidence_looking import Looked, UnusableFile


class TestDecide:
    def test_keeps_the_minute_and_what_it_says(self, house):
        house.sold()

        minute = house.decided(health_and_safety=30_000, child_rights=20_000)

        assert minute.by_theme == {Theme.HEALTH_AND_SAFETY: 30_000, Theme.CHILD_RIGHTS: 20_000}
        assert house.files.read(minute.papers[0].sha256)
        assert premium_in(house.session, house.site, Currency.USD).free == 38_000

    def test_refuses_what_cannot_have_been_decided(self, house):
        house.sold()
        sound = Decided(Currency.USD, {Theme.INCOME: 900}, 1, 1, "Lamps.", house.at.date())
        for bent, refusal in (
            ({"by_theme": {Theme.INCOME: 88_001}}, NotHeld),
            ({"by_theme": {Theme.INCOME: 0}}, BadMinute),
            ({"by_theme": {Theme.INCOME: 900, Theme.OTHER: -100}}, BadMinute),
            ({"women": 4}, BadMinute),
            ({"women": 0, "men": 0}, BadMinute),
            ({"decided_on": date(2026, 7, 2)}, BadMinute),
            ({"decided_on": date(2025, 12, 31)}, BadMinute),
            ({"currency": Currency.EUR}, NotHeld),
        ):
            with pytest.raises(refusal):
                house.decided_as(Decided(**vars(sound) | bent))

    def test_is_for_a_manager_of_the_producer(self, house):
        house.sold()
        for by, refusal in ((house.stage.clerk, WrongRole), (house.stage.buyer, NoSuchOrganisation)):
            with pytest.raises(refusal):
                house.committee(by=by)

    def test_takes_a_paper_once_and_no_table(self, house):
        house.sold()
        paper = house.paper()
        house.decided(paper, income=100)

        with pytest.raises(PaperUsed):
            house.decided(paper, income=100)
        with pytest.raises(UnusableFile):
            house.decided(Looked("a.csv", b"a", "text/csv", "0" * 64, None, ()), income=100)

    def test_is_taken_back_by_the_committee_and_frees_what_was_not_asked_for(self, house):
        house.sold()
        minute = house.decided(income=50_000)
        house.asked(minute, 10_000)

        committees.revoke(house.session, minute=minute, reason="Counted wrong.", **house.by_manager())

        assert premium_in(house.session, house.site, Currency.USD).promised == 10_000
        with pytest.raises(RevokedAlready):
            house.asked(minute, 1)
        with pytest.raises(RevokedAlready):
            committees.revoke(house.session, minute=minute, reason="Again.", **house.by_manager())

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from credits.journal.models import Event
from credits.registry.mines import site_records
from credits.registry.mines.site_records import KINDS
from credits.registry.production import Answer
from credits.web import site_records as pages
from credits.web import sites
from tests.factories import UserFactory
from tests.web.producing import NOW

SOUND = {
    "training": {"day": "2026-05-03", "topic": "Safe timbering", "hours": "1,5", "women": "12", "men": "30"},
    "members": {"day": "2026-05-03", "women": "40", "young_women": "15", "men": "90", "young_men": "50"},
    "accidents": {"day": "2026-05-04", "severity": "fatal", "hurt": "2", "killed": "1", "measures": "Shaft closed."},
    "mercury": {"day": "2026-05-03", "used": "yes", "note": "Retorts since May."},
    "formalisation": {"day": "2026-05-03", "stage": "in_process", "source": "CAMI/2026/117"},
    "miners": {"day": "2026-05-03", "miners": "640"},
}
SHOWN = {
    "training": "Sessions: 1, hours: 1.5; women who came: 12, men: 30",
    "members": "40 women, 90 men; of them 18 to 35 years old: 15 women, 50 men",
    "accidents": "Accidents: 1; people killed: 1",
    "mercury": "Yes (3 May 2026)",
    "formalisation": "In process since 3 May 2026",
    "miners": "640 (3 May 2026)",
}
PAGE = "/my/sites/COD-KAM001/records"


@pytest.fixture
def stage(stage, monkeypatch):
    for door in (pages, sites):
        monkeypatch.setattr(door, "now", lambda: NOW)
    stage.clerks_site = stage.site()
    return stage


class TestSiteRecords:
    def test_are_written_down_once_and_shown_to_verifiers_and_in_sums_to_all(self, client, session, stage, words):
        client.sign_in(stage.clerk)
        assert "Nothing is written down yet." in client.get(PAGE).text
        for kind, typed in SOUND.items():
            for _again in range(2):
                answer = client.post(f"{PAGE}/{kind}/new", data=typed | {"key": kind})
                assert (answer.status_code, answer.location) == (303, f"{PAGE}#{kind}"), words(answer.text)
        stage.submitted(stage.clerks_site)

        for who, page in ((stage.clerk, PAGE), (stage.lead, PAGE), (UserFactory(), "/sites/COD-KAM001")):
            shown = words(client.sign_in(who).get(page).text)
            assert [said for said in SHOWN.values() if said not in shown] == []
            assert ("Shaft closed." in shown) is (page == PAGE)
        session.refresh(stage.clerks_site)
        assert (stage.clerks_site.miners, stage.clerks_site.mercury) == (640, Answer.YES)
        told = session.scalars(select(Event).where(Event.kind == "record.entered")).all()
        assert len(told) == len(KINDS)
        assert all(b"Shaft" not in event.body for event in told)
        answer = client.sign_in(stage.clerk).get("/api/v1/sites/COD-KAM001/records")
        assert answer.status_code == 401  # programs sign in with a token

    def test_are_refused_where_they_cannot_be_and_lose_nothing(self, client, stage, words):
        client.sign_in(stage.clerk)
        for kind, bent, said in (
            ("training", {"women": "0", "men": "0"}, "Say how many women and men came."),
            ("training", {"hours": "0"}, "More than 0"),
            ("training", {"day": "2026-07-12"}, "lies in the future"),
            ("members", {"young_women": "41"}, "More young women than women"),
            ("members", {"women": "100001"}, "The number for women cannot be."),
            ("accidents", {"killed": "0"}, "An accident is fatal if somebody was killed"),
            ("accidents", {"measures": ""}, "This field is required"),
            ("miners", {"miners": "many"}, "Please write a whole number"),
            ("miners", {"day": "1890-01-01"}, "too far back"),
        ):
            refused = client.post(f"{PAGE}/{kind}/new", data=SOUND[kind] | bent | {"key": said})
            assert refused.status_code == 422, said
            assert said in words(refused.text)
        assert client.get(f"{PAGE}/gossip/new").status_code == 404
        for way in (PAGE, f"{PAGE}/members/new", f"{PAGE}/members/1/strike"):
            assert client.sign_in(UserFactory()).get(way).status_code == 404

    def test_give_way_to_a_right_one_when_struck_out(self, client, session, stage, words):
        client.sign_in(stage.clerk)
        client.post(f"{PAGE}/miners/new", data=SOUND["miners"] | {"key": "a"})
        twice = client.post(f"{PAGE}/miners/new", data={"day": "2026-05-03", "miners": "460", "key": "b"})
        assert twice.status_code == 409
        assert "strike it out first" in words(twice.text)

        client.post(f"{PAGE}/miners/1/strike", data={"reason": "Digits swapped.", "key": "c"})
        client.post(f"{PAGE}/miners/new", data={"day": "2026-05-03", "miners": "460", "key": "d"})

        assert "Digits swapped." in client.get(PAGE).text
        session.refresh(stage.clerks_site)
        assert stage.clerks_site.miners == 460

    def test_are_never_changed_or_deleted_by_hand(self, session, stage):
        asked = {"site": stage.clerks_site, "kind": "miners", "figures": {"miners": 7}, "day": NOW.date()}
        site_records.enter(session, **asked, by=stage.clerk, key="k", at=NOW)
        for statement in ("UPDATE miners_count SET miners = 8", "DELETE FROM miners_count"):
            with pytest.raises(DBAPIError, match="miners_count"), session.begin_nested():
                session.execute(text(statement))

import time
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.journal.models import Event
from credits.registry.mines import ipis
from credits.registry.mines.ipis import Rejection
from credits.registry.mines.observations import (
    NoSuchObservedSite,
    distance_km,
    enter,
    observed,
)
from credits.registry.mines.observed import ObservedSite, SiteObservation
from tests.registry.ipis_file import SMALL, file_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "ipis" / "drc_mine_sites.csv"


def entering(session, content, watch=ipis.unwatched):
    return enter(session, ipis.read(content, today=AT.date()), actor="system", at=AT, watch=watch)


def kept(session):
    """Everything that the registry knows of other people's sites."""
    sites = session.scalars(select(ObservedSite).order_by(ObservedSite.pcode))
    return [
        (
            site.pcode,
            site.name,
            site.latitude,
            [(seen.visit, seen.visited_on, seen.recorded) for seen in site.observations],
        )
        for site in sites
    ]


class TestEnter:
    def test_enters_a_site_for_each_code_and_its_visits(self, session):
        entered = entering(session, SMALL.read_bytes())

        assert vars(entered) == {
            "rows": 7,
            "sites": 4,
            "observations": 7,
            "created": 7,
            "updated": 0,
            "rejected": [],
        }
        assert [(pcode, [visit[0] for visit in visits]) for pcode, _, _, visits in kept(session)] == [
            ("codmine90001", [900001, 900002]),
            ("codmine90002", [900003, 900004]),
            ("codmine90003", [900005]),
            ("codmine90004", [900007, 900006]),
        ]

    def test_names_the_source(self, session):
        entering(session, SMALL.read_bytes())

        site = observed(session, "codmine90004")
        assert (site.source, site.name, site.country) == ("IPIS", "Gué « du Héron »", "COD")
        assert (site.province, site.territory, site.village) == ("Ituri", "Mambasa", "")
        assert (site.latitude, site.longitude) == (1_250_000, 27_500_000)

    def test_keeps_what_was_not_asked_as_unknown(self, session):
        entering(session, SMALL.read_bytes())

        seen = observed(session, "codmine90003").observations[0]
        assert "presence" not in seen.recorded
        assert (seen.site.latitude, seen.site.longitude) == (None, None)

    def test_describes_a_site_by_its_newest_visit(self, session):
        old = {"vid": "5", "visit_date": "2015-01-01", "name": "Ancien nom", "village": "Ancien village"}
        new = {"vid": "4", "visit_date": "2018-01-01", "name": " Nouveau  nom ", "village": "", "latitude": ""}
        entering(session, file_of(new, old))

        site = observed(session, "codmine90101")
        assert (site.name, site.village, site.latitude) == ("Nouveau nom", "Ancien village", -10_753_703)

    def test_does_not_let_an_older_file_describe_a_site_anew(self, session):
        entering(session, file_of({"vid": "1", "name": "Nouveau nom"}))
        entering(session, file_of({"vid": "2", "name": "Ancien nom", "visit_date": "2010-01-01"}))

        assert observed(session, "codmine90101").name == "Nouveau nom"

    def test_takes_the_higher_number_of_two_visits_on_a_day(self, session):
        entering(session, file_of({"vid": "1000", "name": "Second"}, {"vid": "999", "name": "First"}))

        site = observed(session, "codmine90101")
        assert (site.name, [seen.visit for seen in site.observations]) == ("Second", [999, 1000])

    def test_changes_nothing_the_second_time(self, session):
        entering(session, SMALL.read_bytes())
        before, events = kept(session), session.scalars(select(func.count(Event.id))).one()

        again = entering(session, SMALL.read_bytes().replace(b"made_up.fid", b"another.download"))

        assert (again.rows, again.sites, again.observations, again.created, again.updated) == (7, 4, 7, 0, 0)
        assert kept(session) == before
        assert session.scalars(select(func.count(Event.id))).one() == events

    def test_brings_a_changed_visit_up_to_date(self, session):
        entering(session, file_of({"vid": "1"}, {"vid": "2"}))

        entered = entering(session, file_of({"vid": "1"}, {"vid": "2", "name": "Colline", "visit_date": "2019-06-01"}))

        assert (entered.created, entered.updated) == (0, 1)
        site = observed(session, "codmine90101")
        assert [(seen.visit, seen.visited_on) for seen in site.observations] == [
            (1, date(2019, 5, 15)),
            (2, date(2019, 6, 1)),
        ]
        assert site.name == "Colline"

    def test_adds_the_visits_of_another_part_of_the_data(self, session):
        entering(session, file_of({"vid": "1"}, {"vid": "2"}))

        entered = entering(session, file_of({"vid": "2"}, {"vid": "3"}, {"vid": "4", "pcode": "codmine90102"}))

        assert (entered.sites, entered.observations, entered.created, entered.updated) == (2, 3, 2, 0)
        assert session.scalars(select(SiteObservation.visit).order_by(SiteObservation.visit)).all() == [1, 2, 3, 4]

    def test_leaves_a_visit_with_its_site(self, session):
        entering(session, file_of({"vid": "1"}))

        entered = entering(session, file_of({"vid": "1", "pcode": "codmine90102"}, {"vid": "2"}))

        reason = "The visit (vid) 1 is known for the site codmine90101, not for codmine90102."
        assert entered.rejected == [Rejection(2, reason)]
        assert (entered.rows, entered.observations, entered.created) == (2, 1, 1)

    def test_tells_of_bad_rows_in_the_order_of_the_file(self, session):
        entering(session, file_of({"vid": "1"}))

        moved = {"vid": "1", "pcode": "codmine90102"}
        entered = entering(session, file_of({"vid": "x"}, moved, {"visit_date": ""}))

        assert [bad.line for bad in entered.rejected] == [2, 3, 4]

    def test_appends_one_event_for_the_whole(self, session):
        content = file_of({"vid": "1"}, {"vid": "x"})
        entering(session, content)

        event = session.scalars(select(Event)).one()
        assert (event.kind, event.subject, event.actor) == ("observations.imported", "IPIS", "system")
        assert b'"created":1' in event.body
        assert b'"rejected":1' in event.body
        assert ipis.read(content, today=AT.date()).sha256.encode() in event.body

    def test_tells_how_far_it_is(self, session):
        told = []
        entering(session, SMALL.read_bytes(), watch=lambda done, total: told.append((done, total)))

        assert told == [(7, 7)]

    def test_lets_two_imports_at_once_enter_each_visit_once(self, engine):
        outcomes = []

        def import_once():
            with Session(engine) as session:
                begin_writing(session)
                outcomes.append(entering(session, SMALL.read_bytes()).created)
                time.sleep(0.05)
                session.commit()

        importing = [Thread(target=import_once) for _ in range(3)]
        for thread in importing:
            thread.start()
        for thread in importing:
            thread.join()

        assert sorted(outcomes) == [0, 0, 7]

    @pytest.mark.slow
    def test_enters_ten_thousand_visits_in_seconds(self, session):
        content = file_of(*({"vid": str(n), "pcode": f"codmine{n // 2}"} for n in range(10_000)))

        began = time.monotonic()
        entered = entering(session, content)
        took = time.monotonic() - began

        assert (entered.sites, entered.created, entered.rejected) == (5_000, 10_000, [])
        assert took < 15

    @pytest.mark.skipif(not PUBLISHED.exists(), reason="The published data are not beside this repository.")
    def test_enters_the_published_data(self, session):
        entered = entering(session, PUBLISHED.read_bytes())
        again = entering(session, PUBLISHED.read_bytes())

        assert (entered.rows, entered.sites, entered.created, entered.rejected) == (4069, 2392, 4069, [])
        assert (again.observations, again.created, again.updated) == (4069, 0, 0)


class TestObserved:
    def test_refuses_an_unknown_code(self, session):
        with pytest.raises(NoSuchObservedSite):
            observed(session, "codmine00000")


class TestDistanceKm:
    @pytest.mark.parametrize(
        "here, there, km",
        [
            ((0, 0), (0, 0), 0.0),
            ((0, 0), (1_000_000, 0), 111.195),
            ((60_000_000, 0), (60_000_000, 1_000_000), 55.597),
            ((0, 179_500_000), (0, -179_500_000), 111.195),
            ((0, 0), (0, 180_000_000), 20_015.115),
        ],
    )
    def test_is_that_along_the_surface(self, here, there, km):
        assert distance_km(here, there) == pytest.approx(km, abs=0.01)
        assert distance_km(there, here) == pytest.approx(km, abs=0.01)

"""A large photo is sent from a phone whose connection comes and goes, with the page's script and without."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.registry.production import Batch, Evidence
from tests import papers
from tests.journeys.conftest import Cast
from tests.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def batch(session: Session, cast: Cast, registry: Flask) -> Batch:
    stage = Stage(session, registry.extensions["evidence_files"], registry.extensions["policy"])
    stage.coop, stage.manager, stage.clerk = cast.coop.organisation, cast.coop, cast.coop
    draft = stage.draft()
    session.commit()
    return draft


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.jpg"
    file.write_bytes(papers.jpeg(papers.form(1).resize((2480, 3508)), quality=90))
    assert file.stat().st_size > 400_000
    return file


class Link:
    """What becomes of the pieces that a page sends: lost(number, offset) says which are lost."""

    def __init__(self, page: Page, lost: Callable[[int], bool]) -> None:
        self.offsets: list[int] = []
        self.lost = lost
        page.route("**/uploads/*", self.carry)

    def carry(self, route: Route) -> None:
        if route.request.method == "PATCH":
            self.offsets.append(int(route.request.headers["upload-offset"]))
            if self.lost(len(self.offsets)):
                route.abort()
                return
        route.continue_()


def send(page: Page, batch: Batch, photo: Path) -> None:
    page.goto(f"/batches/{batch.number}/evidence/new")
    page.locator("[name=kind]").select_option("photo")
    page.locator("[name=file]").set_input_files(photo)
    page.get_by_role("button", name="Add the paper").click(no_wait_after=True)


def must_be_kept(session: Session, photo: Path) -> None:
    session.rollback()
    assert session.scalars(select(Evidence)).one().sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()


# The server of these tests forgets to close what it was sending to who hung up.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning")
def test_goes_on_by_itself_when_the_connection_was_lost(phone, cast, session, batch, photo):
    page = phone(cast.coop)
    link = Link(page, lambda number: number in (2, 3))
    send(page, batch, photo)
    expect(page.locator("[data-upload] [role=status]")).to_contain_text("No connection.")

    expect(page.locator("main")).to_contain_text("The paper is with the batch.")
    assert link.offsets[1] == link.offsets[2] == link.offsets[3] > 0  # what had arrived was not sent again
    must_be_kept(session, photo)


def test_goes_on_where_it_was_after_the_page_was_closed(phone, cast, session, batch, photo):
    page = phone(cast.coop)
    Link(page, lambda number: number > 1)
    send(page, batch, photo)
    expect(page.locator("[data-upload] [role=status]")).to_contain_text("No connection.")
    page.unroute("**/uploads/*")
    link = Link(page, lambda number: False)
    send(page, batch, photo)  # the page is loaded anew, the same file chosen again

    expect(page.locator("main")).to_contain_text("The paper is with the batch.")
    assert link.offsets[0] > 0
    must_be_kept(session, photo)


def test_says_at_once_that_a_file_is_too_large_or_none_that_is_taken(phone, cast, batch, tmp_path):
    page = phone(cast.coop)
    for name, content, said in (
        ("large.jpg", b"\xff\xd8\xff" + bytes(21_000_000), "too large: at most 20 MB"),
        ("film.jpg", b"\x00\x00\x00\x18ftypmp42" + bytes(200_000), "Please send a PDF"),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(200_000), "Please send a PDF"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        send(page, batch, file)
        expect(page.locator("[data-upload] [role=status]")).to_contain_text(said)
        expect(page.get_by_role("button", name="Add the paper")).to_be_enabled()


def test_works_without_the_script(phone, cast, session, batch, photo):
    page = phone(cast.coop, javascript=False)
    send(page, batch, photo)

    expect(page.locator("main")).to_contain_text("The paper is with the batch.")
    must_be_kept(session, photo)
    page.locator("main").get_by_role("link", name="photo.jpg").click()
    page.wait_for_url("**/look")
    page.wait_for_load_state("networkidle")
    shown = page.locator(".sheet img")
    assert shown.evaluate("image => image.complete && image.naturalWidth") == 1131

import pytest
from sqlalchemy import select

from credits.notices import Kind, tell
from credits.notices.models import Notice
from tests.factories import AT, UserFactory

FACTS = {"issuance": "ASMC-X", "last_day": "2026-07-31", "days": 30, "holder": "ORG-000001"}


@pytest.fixture
def reader(session):
    return UserFactory()


@pytest.fixture
def told(session, reader):
    def told(times: int = 1, to=None, **facts) -> list[Notice]:
        for _ in range(times):
            tell(session, to=to or reader, kind=Kind.EXPIRY_NEAR, facts=FACTS | facts, at=AT)
        return list(session.scalars(select(Notice).order_by(Notice.id)))

    return told


class TestNotices:
    def test_say_what_happened_and_what_to_do_next(self, client, reader, told, words):
        told()
        page = words(client.sign_in(reader).get("/notices").text)

        assert "Notices 1 unread" in page
        assert "Credits of ASMC-X can be used until 31 Jul 2026" in page
        assert "Retire or transfer them until then." in page

    def test_say_where_there_are_none(self, client, reader):
        page = client.sign_in(reader).get("/notices").text

        assert "Nothing yet." in page
        assert "unread</span>" not in page

    def test_are_ones_own(self, client, reader, told):
        (notice,) = told(to=UserFactory())
        client.sign_in(reader)

        assert "ASMC-X" not in client.get("/notices").text
        assert client.post(f"/notices/{notice.id}/read").status_code == 404
        client.post("/notices/read", data={"until": str(notice.id)})
        assert notice.read_at is None

    def test_come_a_page_at_a_time(self, client, reader, told):
        told(26)
        client.sign_in(reader)

        assert "Page 1 of 2" in client.get("/notices").text
        assert client.get("/notices?page=2").text.count("<article") == 1

    def test_show_no_markup_of_others(self, client, reader, told):
        told(issuance="<script>alert(1)</script>")

        assert "<script>alert" not in client.sign_in(reader).get("/notices").text


class TestReadNotice:
    def test_marks_it_and_goes_on(self, client, reader, told):
        first, second = told(2)
        client.sign_in(reader)

        assert client.post(f"/notices/{first.id}/read").location == "/notices"
        opened = client.post(f"/notices/{second.id}/read", data={"open": "yes"})
        assert opened.location == "/holdings/ASMC-X?of=ORG-000001"
        assert None not in (first.read_at, second.read_at)
        assert "You have read everything." in client.get("/notices?show=unread").text

    def test_keeps_when_it_was_read_first(self, client, reader, told):
        (notice,) = told()
        client.sign_in(reader)
        client.post(f"/notices/{notice.id}/read")
        first = notice.read_at
        client.post(f"/notices/{notice.id}/read")

        assert notice.read_at == first


class TestReadNotices:
    def test_marks_only_what_was_seen(self, client, reader, told):
        first, second = told(2)
        client.sign_in(reader)
        client.post("/notices/read", data={"until": str(first.id)})

        assert (first.read_at is None, second.read_at is None) == (False, True)

    @pytest.mark.parametrize("until", ["", "x", "-1", "9" * 30, "\u0661"])
    def test_takes_nothing_else_for_a_notice(self, client, reader, told, until):
        (notice,) = told()

        assert client.sign_in(reader).post("/notices/read", data={"until": until}).status_code == 303
        assert notice.read_at is None


class TestCommit:
    def test_tells_with_the_change_itself(self, client, session, stage):
        made = stage.issued()
        offer = stage.offered(made, 500)
        client.sign_in(stage.buyer).post(f"/transfers/{offer.number}/accept")

        (notice,) = session.scalars(select(Notice).where(Notice.person_id == stage.manager.id))
        assert notice.kind is Kind.TRANSFER_ACCEPTED

import io
import re
from datetime import date
from html import unescape

import pytest

from credits.registry import queries
from credits.registry.models import Bulk, Retirement, Transfer
from credits.web import bulk, choosing, statements
from tests.web.conftest import NOW

HEADING = "issuance,credits,beneficiary,country,identifier,purpose,claim_from,claim_to"


@pytest.fixture(autouse=True)
def fixed(monkeypatch):
    for door in (bulk, choosing):
        monkeypatch.setattr(door, "now", lambda: NOW)
    assert statements


@pytest.fixture
def stock(stage):
    made = stage.issued()
    stage.handed_over(made, 1_000)
    return made


def line(made, typed="0.01", name="Maker", **bent) -> str:
    said = {"country": "SWE", "identifier": "SE 1", "purpose": "Cells", "first": "2026-01-01", "last": "2026-12-31"}
    return ",".join([made.number, typed, name, *(said | bent).values()])


def text_in(page: str) -> str:
    """The lines that the last page carries."""
    return unescape(re.search(r"<textarea name=\"text\"[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)[1])


class TestRetireInBulk:
    def test_shows_all_then_retires_all(self, client, session, stage, stock, words):
        lines = "\n".join([HEADING, line(stock, name="Åsa & Co"), line(stock, '"0,02"', name="B")])
        client.sign_in(stage.buyer)
        page = client.post("/retirements/bulk", data={"key": "k", "text": lines})
        assert page.status_code == 200
        assert "0.03 credits 30 kg" in words(page.text)
        assert session.query(Retirement).all() == []

        sent = {"key": "k", "confirmed": "yes", "text": text_in(page.text)}
        answers = [client.post("/retirements/bulk", data=sent) for _ in range(2)]
        (made,) = session.query(Bulk).all()
        assert [answer.location for answer in answers] == [f"/statements/{made.number}"] * 2
        statement = words(client.get(answers[0].location).text)
        assert "Åsa & Co" in statement
        assert statement.count("ASMC-R-") == 2
        assert made.number in client.get("/statements").text

    def test_names_every_bad_line(self, client, session, stage, stock, words):
        bad = [
            line(stock, "x"),
            line(stock),
            "NOTHING,1,A,SWE,1,P,2026-01-01,2026-12-31",
            line(stock, country="XXX"),
            line(stock, first="2026-13-01"),
            line(stock, name="制造"),
            line(stock, first="2020-01-01", last="2020-12-31"),
            line(stock, "0.995"),
            line(stock) + ",more",
            stock.number,
        ]
        answer = client.sign_in(stage.buyer).post("/retirements/bulk", data={"text": "\n".join([HEADING, *bad])})
        seen = words(answer.text)

        assert answer.status_code == 422
        assert "lines to correct: 9" in seen
        assert re.findall(r'data-label="Line">Line (\d+)<', answer.text) == [str(n) for n in range(1, 11) if n != 2]
        assert "There is no such issuance." in seen
        assert "Write a day as year-month-day" in seen
        assert "Only 990 kg" in seen
        assert session.query(Bulk).all() == []

    @pytest.mark.parametrize(
        "text, said",
        [
            ("", "Choose a file, or paste the lines."),
            (HEADING, "There is no line below the heading."),
            ("issuance,credits\nA,1", "Missing: beneficiary"),
            (HEADING + ",extra\nA", "not known here: extra"),
            (HEADING + ",credits\nA", "A column is there twice."),
            (HEADING + '\n"open', "no sound CSV"),
            (HEADING + "\n\x00", "characters that cannot be printed"),
            (HEADING + "\nA" * 10_001, "At most 10,000 lines at a time: these are 10,001."),
        ],
    )
    def test_refuses_a_text_that_is_none(self, client, stage, stock, text, said):
        answer = client.sign_in(stage.buyer).post("/retirements/bulk", data={"text": text})

        assert (answer.status_code, said in unescape(answer.text)) == (422, True)

    def test_takes_a_file_of_a_spreadsheet(self, client, stage, stock, words):
        content = "\ufeff" + "\r\n".join([HEADING, line(stock)]).replace(",", ";")
        client.sign_in(stage.buyer)
        sent = {"file": (io.BytesIO(content.encode()), "lines.csv")}
        assert "0.01 credits 10 kg" in words(client.post("/retirements/bulk", data=sent).text)
        sent = {"file": (io.BytesIO("é".encode("latin-1")), "lines.csv")}
        assert "not written in UTF-8" in client.post("/retirements/bulk", data=sent).text

    def test_does_nothing_where_one_line_fails_in_the_end(self, client, session, stage, stock):
        lines = "\n".join([HEADING, line(stock), line(stock, "1")])
        sent = {"key": "k", "confirmed": "yes", "text": lines}
        answer = client.sign_in(stage.buyer).post("/retirements/bulk", data=sent)

        assert answer.status_code == 409
        assert "Line 2: " in answer.text
        assert session.query(Retirement).all() == []

    def test_is_for_buyers(self, client, stage, stock):
        assert client.sign_in(stage.manager).get("/retirements/bulk").status_code == 409
        assert client.sign_in(stage.clerk).get("/transfers/bulk").status_code == 403
        assert client.sign_in(stage.buyer).get("/retirements/bulk.csv").text.startswith("\ufeff" + HEADING)

    def test_carries_a_thousand_lines(self, client, session, stage, stock):
        if session.get_bind().dialect.name == "postgresql":
            pytest.skip("Once is enough")
        lines = [line(stock, "0.001", name=f"Maker {n} of a long name") for n in range(1_000)]
        client.sign_in(stage.buyer)
        page = client.post("/retirements/bulk", data={"key": "k", "text": "\n".join([HEADING, *lines])})
        sent = {"key": "k", "confirmed": "yes", "text": text_in(page.text)}
        answer = client.post("/retirements/bulk", data=sent, content_type="multipart/form-data")

        assert answer.status_code == 303
        assert session.query(Retirement).count() == 1_000


class TestTransferInBulk:
    def test_offers_each_line_to_its_recipient(self, client, session, stage, stock, words):
        numbers = stage.buyer.organisation.number, stage.second.organisation.number
        lines = "\n".join(["issuance\tcredits\trecipient", *(f"{stock.number}\t0.5\t{each}" for each in numbers)])
        client.sign_in(stage.manager)
        page = client.post("/transfers/bulk", data={"key": "k", "text": lines})
        sent = {"key": "k", "confirmed": "yes", "text": text_in(page.text)}
        where = client.post("/transfers/bulk", data=sent).location

        assert stage.second.organisation.name in words(client.get(where).text)
        assert {made.recipient_id for made in session.query(Transfer).filter(Transfer.bulk_id.is_not(None))} == {
            stage.buyer.organisation_id,
            stage.second.organisation_id,
        }
        assert client.sign_in(stage.buyer).get(where).status_code == 404

    def test_names_lines_to_nobody_and_to_oneself(self, client, stage, stock, words):
        lines = [f"{stock.number},1,{number}," for number in ("ORG-999999", stage.coop.number)]
        answer = client.sign_in(stage.manager).post(
            "/transfers/bulk", data={"text": "\n".join(["issuance,credits,recipient,note", *lines])}
        )

        assert "lines to correct: 2" in words(answer.text)
        assert "Choose somebody else" in answer.text

    def test_goes_back_to_the_lines(self, client, stage, stock):
        sent = {"text": "issuance,credits,recipient\nA,1,B", "confirmed": "yes", "change": "yes"}
        page = client.sign_in(stage.manager).post("/transfers/bulk", data=sent)

        assert (page.status_code, "A,1,B" in page.text) == (200, True)


class TestChoosing:
    def test_takes_the_oldest_first_across_issuances(self, client, session, stage, stock, words):
        newer = stage.issued(stock.batch.site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        stage.handed_over(newer, 1_000)
        client.sign_in(stage.buyer)
        typed = {
            "key": "c", "mineral": "CO", "quantity": "1.5", "beneficiary": "Nordlicht", "country": "SWE",
            "identifier": "SE 1", "purpose": "Cells", "claim_from": "2026-01-01", "claim_to": "2026-12-31",
        }  # fmt: skip
        assert client.get("/retirements/choose").status_code == 200
        page = client.post("/retirements/choose", data=typed)
        seen = words(page.text)

        assert f"{stock.number} 1 credit 1,000 kg {newer.number} 0.5 credits 500 kg" in seen
        sent = {"key": "k", "confirmed": "yes", "text": text_in(page.text)}
        assert client.post("/retirements/bulk", data=sent).status_code == 303
        assert queries.held_of(session, stage.buyer.organisation, newer).available == 500

    @pytest.mark.parametrize(
        "bent, said",
        [
            ({"quantity": "9"}, "Only 1000 base units that fit are available"),
            ({"vintage": "2025"}, "Only 0 base units"),
            ({"quantity": "x"}, ""),
            ({"mineral": "AU"}, "Not a valid choice"),
            ({"at_least": "2", "quantity": "1"}, "larger than the most"),
        ],
    )
    def test_says_what_does_not_fit(self, client, stage, stock, bent, said):
        typed = {"key": "c", "mineral": "CO", "quantity": "1", "recipient": stage.second.organisation.name}
        answer = client.sign_in(stage.buyer).post("/transfers/choose", data=typed | bent)

        assert answer.status_code in (409, 422)
        assert said in unescape(answer.text)

    def test_offers_to_a_recipient_by_name_or_number(self, client, stage, stock, words):
        client.sign_in(stage.buyer)
        for typed in (stage.second.organisation.name, stage.second.organisation.number.lower()):
            sent = {"key": "c", "mineral": "CO", "quantity": "2", "at_least": "0.5", "recipient": typed}
            page = client.post("/transfers/choose", data=sent)
            assert stage.second.organisation.number in words(page.text)
        sent["recipient"] = "Nobody"
        assert "No approved holder has exactly this name" in client.post("/transfers/choose", data=sent).text

    def test_says_where_there_is_nothing(self, client, stage):
        assert "No credits are available now." in client.sign_in(stage.buyer).get("/transfers/choose").text

import pytest

from credits.ledger.serials import SerialRange, written
from credits.web import issuances


@pytest.fixture
def issuance(stage):
    """2,500 kg: 750 retired, 750 with one manufacturer, 500 on their way, 500 with the cooperative."""
    made = stage.issued()
    stage.handed_over(made, 1_500)
    stage.retired(made, 750)
    stage.offered(made, 500, stage.second)
    return made


def serial(issuance, first, last):
    return written(issuance.number, SerialRange(first, last))


class TestIssuance:
    def test_shows_anybody_who_has_which_serials(self, client, stage, issuance, words):
        page = words(client.get(f"/issuances/{issuance.number}").text)

        for first, last in ((1, 750), (751, 1_500), (1_501, 2_000), (2_001, 2_500)):
            assert serial(issuance, first, last) in page
        assert stage.buyer.organisation.name in page
        assert f"{stage.coop.name} (on its way) 0.5 credits 500 kg" in page
        assert "Retired for Nordlicht Batteries AB:" in page

    def test_says_what_the_serials_stand_for(self, client, issuance, words):
        page = words(client.get(f"/issuances/{issuance.number}").text)

        for fact in (
            "Kamilombe",
            "Kolwezi, Lualaba",
            "1 Apr 2026 – 31 May 2026",
            "Step 6: other high risks controlled",
            "Underground",
        ):
            assert fact in page

    def test_keeps_the_exact_position_to_itself(self, client, stage, issuance):
        for address in (f"/issuances/{issuance.number}", "/sites/COD-KAM001", f"/organisations/{stage.coop.number}"):
            page = client.get(address).text
            assert "10.71" not in page
            assert "25.46" not in page

    def test_tells_its_history(self, client, stage, issuance, words):
        page = words(client.get(f"/issuances/{issuance.number}").text)

        for step in (
            f"Issued to {stage.coop.name}",
            f"Offered to a recipient by {stage.coop.name}",
            f"Transferred by {stage.coop.name} to {stage.buyer.organisation.name}",
            f"Retired from the account of {stage.buyer.organisation.name}",
        ):
            assert step in page

    def test_goes_on_where_a_page_ends(self, client, stage, issuance, monkeypatch):
        monkeypatch.setattr(issuances, "PLACES", 2)
        monkeypatch.setattr(issuances, "MOVEMENTS", 2)

        first = client.get(f"/issuances/{issuance.number}").text
        second = client.get(f"/issuances/{issuance.number}?from=1501").text

        assert "?from=1501" in first
        assert "?before=" in first
        assert serial(issuance, 2_001, 2_500) in second
        assert "?from=2" not in second

    @pytest.mark.parametrize("query", ["from=0", "from=-5", "from=99999999999999999999", "from=999999999", "from=x",
                                       "before=0", "before=9223372036854775808", "before=١"])  # fmt: skip
    def test_bears_any_page_number(self, client, issuance, query):
        assert client.get(f"/issuances/{issuance.number}?{query}").status_code == 200

    @pytest.mark.parametrize("number", ["x", "9" * 50, "ASMC-CO-COD-KAM001-2026-0999", "%00", "<b>"])
    def test_is_missing_where_there_is_none(self, client, issuance, number):
        assert client.get(f"/issuances/{number}").status_code == 404


class TestSerials:
    def test_says_in_its_preview_that_it_is_retired(self, client, issuance):
        for unit, said in ((1, True), (751, False)):
            preview = client.get(f"/serials/{serial(issuance, unit, unit)}").text.partition("og:description")[2]
            assert ("retired for good in the name of Nordlicht" in preview.partition(">")[0]) is said

    def test_has_one_place_for_every_single_unit(self, client, stage, issuance, words):
        for unit, place in (
            (1, "Retired"),
            (750, "Retired"),
            (751, "Available"),
            (1_501, "Pending"),
            (2_500, "Available"),
        ):
            page = client.get(f"/serials/{issuance.number}-{unit:09d}")
            seen = words(page.text)
            assert page.status_code == 200
            assert f"Unit {unit}" in seen
            assert place in seen

    def test_shows_the_certificate_of_a_retired_one(self, client, issuance):
        page = client.get(f"/serials/{issuance.number}-000000005").text

        assert "Retired for good" in page
        assert "/certificates/ASMC-R-" in page

    def test_cuts_a_range_where_holders_differ(self, client, issuance, words):
        seen = words(client.get(f"/serials/{serial(issuance, 700, 800)}").text)

        assert serial(issuance, 700, 750) in seen
        assert serial(issuance, 751, 800) in seen

    def test_explains_a_mistyped_check_character(self, client, issuance):
        sound = serial(issuance, 1, 750)
        wrong = sound[:-1] + ("1" if sound[-1] != "1" else "2")

        page = client.get(f"/serials/{wrong}")

        assert page.status_code == 404
        assert "The check character does not fit" in page.text

    @pytest.mark.parametrize(
        "last", ["000000000", "000002501", "999999999", "9223372036854775808", "9" * 19, "9" * 40, "1e400", "NaN", "١"]
    )
    def test_is_missing_beyond_the_issuance(self, client, issuance, last):
        assert client.get(f"/serials/{issuance.number}-{last}").status_code == 404

    def test_is_found_by_the_unit_form(self, client, issuance):
        assert "Unit 5" in client.get(f"/issuances/{issuance.number}/unit?unit= 5").text

    @pytest.mark.parametrize("typed", ["", "0", "-1", "2501", "0.5", "1e400", "NaN", "١٢", "9" * 30, "<script>"])
    def test_is_not_found_by_what_is_no_unit(self, client, issuance, typed):
        answer = client.get(f"/issuances/{issuance.number}/unit", query_string={"unit": typed})

        assert answer.status_code == 404
        assert "<script>" not in answer.text

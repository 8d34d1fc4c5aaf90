import pytest

from credits.ledger.serials import SerialRange, written


@pytest.fixture
def issuance(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    stage.retired(made, 750)
    return made


def ask(client, text):
    return client.get("/search", query_string={"q": text})


class TestSearch:
    def test_shows_what_can_be_typed(self, client, database):
        assert "What you can type" in client.get("/search").text

    def test_finds_a_range_of_serials_as_people_copy_it(self, client, issuance):
        serial = written(issuance.number, SerialRange(1, 750))

        for typed in (serial, serial.lower(), f"  {serial[:40]} {serial[40:]}\n"):
            assert ask(client, typed).location == f"/serials/{serial}"

    def test_finds_a_single_unit(self, client, issuance):
        single = written(issuance.number, SerialRange(5, 5))

        assert ask(client, f"{issuance.number}-000000005").location == f"/serials/{single}"

    def test_finds_an_issuance(self, client, issuance):
        assert ask(client, issuance.number).location == f"/issuances/{issuance.number}"

    @pytest.mark.parametrize("typed", ["ASMC-R-{:06d}", "asmc-r-{}"])
    def test_finds_a_certificate(self, client, session, stage, issuance, typed):
        made = stage.retired(issuance, 1)

        assert ask(client, typed.format(made.id)).location == f"/retirements/{made.number}"

    def test_finds_a_site_by_number_and_by_name(self, client, issuance):
        assert ask(client, "cod-kam001").location == "/sites/COD-KAM001"
        assert "/sites/COD-KAM001" in ask(client, "kamil").text

    def test_finds_an_organisation_by_number_and_by_name(self, client, stage):
        stage.coop.name = "Coopérative minière de Kamilombe"

        assert ask(client, stage.coop.number).location == f"/organisations/{stage.coop.number}"
        assert f"/organisations/{stage.coop.number}" in ask(client, "minière").text

    def test_explains_a_mistyped_serial(self, client, issuance):
        serial = written(issuance.number, SerialRange(1, 750))

        answer = ask(client, serial.replace("750", "760"))

        assert answer.status_code == 404
        assert "The check character does not fit" in answer.text

    @pytest.mark.parametrize("typed", ["zzzz", "Kamilombe %", "_____", "<script>alert(1)</script>", "x" * 5000, "𓀀𓀀"])
    def test_helps_where_nothing_has_the_name(self, client, issuance, typed):
        answer = ask(client, typed)

        assert answer.status_code == 200
        assert "Check the spelling" in answer.text
        assert "<script>" not in answer.text

    @pytest.mark.parametrize(
        "typed",
        [
            "ASMC-R-999999",
            f"ASMC-R-{2**63}"[:25],
            "ASMC-R-" + "9" * 30,
            "ORG-999999999999999999",
            "ASMC-CO-COD-KAM001-2026-9999",
            "ASMC-CO-COD-KAM001-2026-0001-9223372036854775808",
            "ASMC-CO-COD-KAM001-2026-0001-000000000",
            "ASMC-CO-COD-KAM001-2026",
            "ASMC-",
        ],
    )
    def test_says_that_there_is_no_such_number(self, client, issuance, typed):
        answer = ask(client, typed)

        assert answer.status_code == 404
        assert "Not found" in answer.text

    @pytest.mark.parametrize("typed", ["\x00", " ", "a", "١٢", "-", "%"])
    def test_bears_what_is_too_short(self, client, database, typed):
        assert ask(client, typed).status_code == 200

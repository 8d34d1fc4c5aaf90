from credits.ledger.serials import SerialRange, written


class TestSearch:
    def test_finds_what_has_a_number_or_name(self, stranger, cooperative, issuance):
        serials = written(issuance, SerialRange(3, 7))
        (found,) = stranger.get("/search", q=serials.lower()).json
        assert (found["kind"], found["number"]) == ("serials", serials)
        assert stranger.client.get(found["url"]).json["quantity"] == 5

        (found,) = stranger.get("/search", q=issuance).json
        assert (found["kind"], stranger.client.get(found["url"]).json["number"]) == ("issuance", issuance)
        (found,) = stranger.get("/search", q=cooperative.number).json
        assert found["kind"] == "organisation"
        assert [row["number"] for row in stranger.get("/search", q="kamil").json] == ["COD-KAM001"]

    def test_finds_nothing_without_an_error(self, stranger, issuance):
        for text in ("nobody is called so", "ASMC-R-000099", f"{issuance}-000009999", "ASMC-NOT-A-SERIAL", "ORG-9"):
            assert stranger.get("/search", q=text).json == []


class TestShowSerials:
    def test_refuses_what_is_none(self, stranger, issuance):
        for serial, status in (
            ("nonsense", 422),
            (f"{issuance}-000002501", 404),
            (f"{issuance}-000000000", 422),
            (f"{issuance}-000000001-000000002-?", 422),
        ):
            answer = stranger.get(f"/serials/{serial}")

            assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")

import pytest

from credits.participants.models import Kind

ASKED = {"mineral": "CO", "year": 2026, "product_line": "Cells N1", "grams": "12.5", "units": 80_001}


@pytest.fixture
def maker(machine):
    return machine(Kind.MANUFACTURER)


class TestUses:
    def test_are_declared_changed_and_covered(self, maker, machine, stranger):
        first = maker.post("/uses", ASKED, key="once")
        again = maker.post("/uses", ASKED, key="once")
        assert (first.status_code, again.status_code) == (201, 200)
        number = first.json["number"]
        assert first.location.endswith(f"/uses/{number}")
        assert (first.json["quantity"], first.json["versions"][0]["per_unit_ng"]) == (1_001, 12_500_000_000)

        changed = maker.post(f"/uses/{number}/versions", {"quantity": 400, "reason": "Fewer were sold."})
        assert [each["quantity"] for each in changed.json["versions"]] == [1_001, 400]
        assert [each["number"] for each in maker.get("/uses").json] == [number]
        (cover,) = maker.get("/uses/cover", year=2026).json
        assert (cover["declared"], cover["declared_credits"], cover["missing"]) == (400, "0.4", 400)
        assert maker.get("/uses/cover", year=2027).json == []
        assert machine(Kind.MANUFACTURER).get(f"/uses/{number}").status_code == 404
        assert stranger.get("/uses").status_code == 401

    @pytest.mark.parametrize(
        "bent, status, code",
        [
            ({"units": None}, 422, "invalid"),
            ({"quantity": 5}, 422, "invalid"),
            ({"grams": None, "units": None}, 422, "invalid"),
            ({"grams": "1,5"}, 422, "bad_measure"),
            ({"mineral": "XX"}, 422, "unknown_mineral"),
            ({"year": 2100}, 422, "bad_year"),
            ({"units": 0}, 422, "invalid"),
            ({"more": 1}, 422, "invalid"),
        ],
    )
    def test_refuse_what_is_not_sound(self, maker, bent, status, code):
        answer = maker.post("/uses", ASKED | bent)

        assert (answer.status_code, answer.json["code"]) == (status, code)

    def test_are_not_for_producers(self, cooperative):
        assert cooperative.post("/uses", ASKED).json["code"] == "declares_no_use"

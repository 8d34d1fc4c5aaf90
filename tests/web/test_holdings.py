import csv
import io

import pytest

from credits.participants.models import Kind
from credits.web.holdings import as_cell
from tests.factories import UserFactory


@pytest.fixture
def issuance(stage):
    return stage.issued()


class TestHoldings:
    def test_lists_what_is_available_and_what_is_on_its_way(self, client, stage, issuance, words):
        stage.offered(issuance, 1_500)

        page = words(client.sign_in(stage.manager).get("/holdings").text)

        assert issuance.number in page
        assert "Available 1 credit 1,000 kg" in page
        assert "Pending transfer 1.5 credits 1,500 kg" in page

    @pytest.mark.parametrize(
        "kind, next_step", [(Kind.COOPERATIVE, "To the batches"), (Kind.MANUFACTURER, "See what is for sale")]
    )
    def test_says_what_to_do_where_there_is_nothing(self, client, kind, next_step):
        assert next_step in client.sign_in(UserFactory(kind=kind)).get("/holdings").text

    def test_shows_a_group_manager_the_credits_of_its_groups(self, client, stage, issuance):
        group = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager = group.organisation

        page = client.sign_in(group).get(f"/holdings?of={stage.coop.number}")

        assert issuance.number in page.text

    @pytest.mark.parametrize("of", ["ORG-000001", "ORG-9999999999999999999", "", "<b>"])
    def test_knows_no_other_holder(self, client, stage, issuance, of):
        assert client.sign_in(stage.buyer).get("/holdings", query_string={"of": of}).status_code == 404

    def test_asks_strangers_to_sign_in(self, client):
        assert client.get("/holdings").location.startswith("/login")


class TestHolding:
    def test_shows_the_serial_ranges(self, client, stage, issuance, words):
        stage.handed_over(issuance, 1_500)

        page = words(client.sign_in(stage.buyer).get(f"/holdings/{issuance.number}").text)

        assert f"{issuance.number}-000000001-000001500-" in page
        assert "Retire" in page

    def test_offers_a_producer_no_retirement(self, client, stage, issuance):
        page = client.sign_in(stage.manager).get(f"/holdings/{issuance.number}").text

        assert "/transfer" in page
        assert f"/holdings/{issuance.number}/retire" not in page

    def test_offers_a_clerk_nothing_to_move(self, client, stage, issuance):
        page = client.sign_in(stage.clerk).get(f"/holdings/{issuance.number}").text

        assert f"/holdings/{issuance.number}/transfer" not in page

    def test_is_missing_where_nothing_is_held(self, client, stage, issuance):
        assert client.sign_in(stage.buyer).get(f"/holdings/{issuance.number}").status_code == 404

    @pytest.mark.parametrize("number", ["ASMC-X", "9" * 40, "ASMC-CO-COD-KAM001-2026-999999999", "%00"])
    def test_is_missing_where_no_issuance_has_the_number(self, client, stage, number):
        assert client.sign_in(stage.buyer).get(f"/holdings/{number}").status_code == 404


class TestExport:
    def test_has_every_range_with_its_state(self, client, stage, issuance):
        stage.offered(issuance, 1_500)

        answer = client.sign_in(stage.manager).get("/holdings.csv")

        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="holdings-{stage.coop.number}.csv"'
        assert [(row["state"], row["base_units"], row["credits"]) for row in rows] == [
            ("pending", "1500", "1.5"),
            ("available", "1000", "1"),
        ]
        assert rows[0]["serials"].startswith(f"{issuance.number}-000000001-000001500-")

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
    def test_has_no_formulas(self, name):
        assert as_cell(name) == f"'{name}"

import pytest

from config import ROOT
from credits.participants.countries import UnknownCountry
from credits.registry import policy
from credits.registry.assurance.standard_files import OWN_FOLDER
from credits.registry.minerals import MINERALS, UnknownMineral
from credits.registry.models import Cause

WHOLE = (ROOT / "policy.toml").read_text(encoding="utf-8")


class TestRead:
    def test_knows_the_house_s_own_numbers(self):
        house = policy.read(ROOT / "policy.toml")

        assert (house.months_to_issue, house.months_before_claim, house.days_to_answer) == (12, 24, 14)
        assert (house.months_valid, house.warning_days, house.buffer_share_ppm) == (36, (90, 30, 7), 0)
        assert house.months_to_age == 36
        assert (house.guarded, house.hours_to_wait, house.days_to_trust) == (tuple(Cause), 26, 4)
        assert (house.days_before_second, house.hours_to_sum) == (4, 24)
        assert {code for code, _ in house.large_credits} == set(MINERALS)
        assert (house.probation_months, house.suspension_months) == (3, 6)
        assert (house.months_to_mitigate, house.months_to_next_assessment) == (6, 12)
        assert (house.market.premium_ppm, house.market.days_to_pay, house.market.days_to_disburse) == (880_000, 14, 30)
        assert house.standards.default.name == "CRAFT Code"

    def test_finds_the_standards_in_the_folder_that_it_names(self, tmp_path):
        (tmp_path / "ours").mkdir()
        own = (OWN_FOLDER / "craft-2.0.toml").read_text(encoding="utf-8")
        (tmp_path / "ours" / "x.toml").write_text(own.replace('"2.0"', '"2.1"'), encoding="utf-8")
        named = WHOLE.replace('standards_folder = ""', 'standards_folder = "ours"').replace("CRAFT 2.0", "CRAFT 2.1")
        (tmp_path / "policy.toml").write_text(named, encoding="utf-8")

        assert policy.read(tmp_path / "policy.toml").standards.default.version == "2.1"

    def test_knows_who_issues_invoices_once_the_operator_says_so(self, tmp_path):
        unsaid, demo = (policy.read(ROOT / "policy.toml", each).operator for each in ("production", "development"))
        assert unsaid.missing == ["name", "address", "country", "registration_number or vat_number"]
        assert demo.missing == []
        (tmp_path / "policy.toml").write_text(WHOLE.partition("[operator]")[0], encoding="utf-8")
        assert policy.read(tmp_path / "policy.toml").operator == unsaid

    def test_lets_nobody_wait_who_tries_a_registry_out(self):
        tried = policy.read(ROOT / "policy.toml", "development")

        assert (tried.guarded, tried.days_before_second) == ((), 0)
        assert tried.hours_to_wait == 26

    @pytest.mark.parametrize(
        "before, after",
        [
            ("months_to_issue = 12", "months_to_issue = 0"),
            ("days_to_answer = 14", "days_to_answer = 1.5"),
            ("days_to_answer = 14", "days_to_answer = true"),
            ("days_to_answer = 14", ""),
            ('"assay"', '"rumour"'),
            ("[90, 30, 7]", "[90, 0]"),
            ("[90, 30, 7]", '["90"]'),
            ("share_ppm = 0", "share_ppm = -1"),
            ('["first", "large"]', '["last"]'),
            ("hours_to_sum = 24", "hours_to_sum = 0"),
            ("days_before_second = 4", "days_before_second = -1"),
            ("AU = 10_000", "XX = 10_000"),
            ("AU = 10_000", "AU = 0"),
            ("probation_months = 3", "probation_months = 0"),
            ('standard = "CRAFT 2.0"', 'standard = "CRAFT 9"'),
            ("share_ppm = 0", "share_ppm = 1_000_000"),
            ("share_ppm = 0", "share_ppm = false"),
            ('beyond_declared_use = "surplus"', 'beyond_declared_use = "ignore"'),
            ("fee_ppm = 70_000", "fee_ppm = 49_999"),
            ("fee_ppm = 70_000", "fee_ppm = 100_001"),
            ("fee_ppm = 70_000", "fee_ppm = 0.07"),
            ("DEU = 190_000", "DEU = 1_000_000"),
            ("DEU = 190_000", "XXX = 190_000"),
            ("days_to_pay = 14", "days_to_pay = 0"),
            ("days_open = 30", "days_open = 0"),
            ("unpaid_transfers = 10", 'unpaid_transfers = "10"'),
            ("unpaid_checkouts = 10", "unpaid_checkouts = 0"),
            ("checkout_minutes = 60", "checkout_minutes = 29"),
            ("[operator]", "[operator]\nstreet = 1"),
        ],
    )
    def test_refuses_a_file_that_is_not_whole(self, tmp_path, before, after):
        bent = tmp_path / "policy.toml"
        bent.write_text(WHOLE.replace(before, after), encoding="utf-8")
        with pytest.raises((KeyError, ValueError, UnknownMineral, UnknownCountry)):
            policy.read(bent)

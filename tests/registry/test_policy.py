import pytest

from config import ROOT
from credits.registry import policy
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
        assert {code for code, _ in house.large_credits} == set(MINERALS)

    def test_lets_nobody_wait_who_tries_a_registry_out(self):
        tried = policy.read(ROOT / "policy.toml", "development")

        assert tried.guarded == ()
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
            ("AU = 10_000", "XX = 10_000"),
            ("AU = 10_000", "AU = 0"),
            ("share_ppm = 0", "share_ppm = 1_000_000"),
            ("share_ppm = 0", "share_ppm = false"),
        ],
    )
    def test_refuses_a_file_that_is_not_whole(self, tmp_path, before, after):
        bent = tmp_path / "policy.toml"
        bent.write_text(WHOLE.replace(before, after), encoding="utf-8")
        with pytest.raises((KeyError, ValueError, UnknownMineral)):
            policy.read(bent)

import pytest
from hypothesis import given
from hypothesis import strategies as some

from credits.registry.making.drying import DryAboveGross, WeightsDisagree, moisture_of, must_agree
from credits.registry.making.reckoning import MG_DIGITS, shown
from credits.registry.minerals import MG_PER_KG, dried_mg, share_ppm


class TestMoistureOf:
    def test_is_what_the_dry_weight_leaves_out(self):
        assert moisture_of("1240", "1085") == "12.5"
        assert moisture_of("1240", "1240") == "0"

    @given(some.integers(1, 10**12), some.data())
    def test_never_leaves_more_than_was_weighed_dry(self, gross, more):
        dry = more.draw(some.integers(1, gross))
        moisture = moisture_of(shown(gross, MG_DIGITS, ""), shown(dry, MG_DIGITS, ""))

        assert 0 <= dry - dried_mg(gross, share_ppm(moisture, per=100)) <= gross // MG_PER_KG + 1

    def test_refuses_a_dry_weight_above_the_wet_one(self):
        with pytest.raises(DryAboveGross, match=r"1,300 kg, is above the gross weight, 1,240 kg.*swapped"):
            moisture_of("1240", "1300")


class TestMustAgree:
    def test_takes_what_a_slip_rounds(self):
        must_agree("1240", "12.5", "1085")
        must_agree("1240", "12.3", "1085")

    def test_refuses_two_stories(self):
        with pytest.raises(WeightsDisagree, match=r"12\.5 % moisture leaves 1,085 kg of 1,240 kg.*says 1,000 kg"):
            must_agree("1240", "12.5", "1000")

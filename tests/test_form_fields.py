import pytest

from credits.form_fields import with_point
from credits.registry.minerals import BadMeasure


class TestWithPoint:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("1240.5", "1240.5"),
            ("1240,5", "1240.5"),
            (" 1240,5 ", "1240.5"),
            ("1240,500", "1240.500"),
            ("0,125", "0.125"),
            ("12,34", "12.34"),
            ("1 240,5", "1240.5"),
            ("1\u202f240,500", "1240.500"),
            ("1\u00a0240", "1240"),
            ("1240", "1240"),
        ],
    )
    def test_takes_a_comma_that_can_only_be_the_decimal_one(self, app, typed, meant):
        with app.test_request_context():
            assert with_point(typed) == meant

    def test_asks_back_where_a_comma_may_set_thousands_apart(self, app):
        with app.test_request_context(), pytest.raises(BadMeasure, match=r"1,240 can mean 1240 or 1\.240"):
            with_point("1,240")

    @pytest.mark.parametrize("typed", ["1,2,3", "1.240,5", "1,240.5", "1 24,5", "٣,٥"])
    def test_leaves_the_rest_to_the_rule(self, app, typed):
        with app.test_request_context():
            assert with_point(typed) == typed

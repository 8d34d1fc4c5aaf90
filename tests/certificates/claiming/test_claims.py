from html.parser import HTMLParser

import pytest

from credits.certificates.claiming.claim_checking import check
from credits.certificates.claiming.claims import LIMITS, allowed, names_in, sentences
from credits.certificates.wording import LANGUAGES


def facts(number="ASMC-R-000001", quantity=750, **bent):
    """Of a certificate, what a claim is made of."""
    told = {"name": "Nordlicht Batteries AB", "mineral": "CO", "cooperative": "CMDS", "country": "COD"} | bent
    return {
        "number": number,
        "verify_url": f"https://registry.example/certificates/{number}",
        "beneficiary": {"name": told["name"]},
        "mineral": {"code": told["mineral"]},
        "claim_period": {"from": told.get("first", "2026-01-01"), "to": "2026-12-31"},
        "origins": [{"producer": {"cooperative": told["cooperative"], "country": told["country"]}}],
        "quantity_base_units": quantity,
        "claim": {"text": "In 2025, it was put another way."},
    }


class TestSentences:
    @pytest.mark.parametrize(
        "language, said",
        [
            ("en", "0.75 credits equal to 750 kg. The cobalt in our products is not physically traced"),
            ("fr", "0,75 crédit équivalant à 750 kg. Le cobalt de nos produits n’est pas tracé"),
            ("es", "0,75 créditos equivalentes a 750 kg. El cobalto de nuestros productos no se rastrea"),
            ("pt", "0,75 crédito, o equivalente a 750 kg. O cobalto dos nossos produtos não é rastreado"),
            ("sw", "krediti 0.75, sawa na 750 kg."),
        ],
    )
    def test_are_right_in_each_language(self, language, said):
        (sentence,) = sentences([facts()], language)

        assert said in sentence.text.replace("\u00a0", " ")
        assert "Nordlicht Batteries AB" in sentence.text
        assert "2026" in sentence.text

    def test_tell_together_what_differs_in_nothing_else(self):
        told = sentences([facts(), facts("ASMC-R-000002", 1_750), facts("ASMC-R-000003", 1, cooperative="Other")], "en")

        assert [each.quantity for each in told] == [2_500, 1]
        assert "2.5 credits equal to 2,500" in told[0].text
        assert "ASMC-R-000002: https://registry.example/certificates/ASMC-R-000002" in told[0].plain

    def test_keep_apart_what_others_may_say(self):
        bents = [{"name": "Other"}, {"mineral": "SN"}, {"country": "RWA"}, {"first": "2025-07-01"}]

        assert len(sentences([facts(), *(facts(**bent) for bent in bents)], "en")) == 5

    def test_are_safe_as_html(self):
        (sentence,) = sentences([facts(name="<script>alert('1')</script> & Co")], "fr")
        tags = []
        parser = HTMLParser()
        parser.handle_starttag = lambda tag, attributes: tags.append(tag)
        parser.feed(sentence.html)

        assert tags == ["p", "a"]
        assert 'lang="fr"' in sentence.html

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("mineral", ["AU", "CO", "CU", "LI", "SN", "TA", "W", "REE"])
    def test_pass_the_checker_whatever_the_names(self, language, mineral):
        hostile = facts(name="ethical & traceable gmbh", cooperative="Conflict-free Gold S.A.", mineral=mineral)
        ordinary = facts(name="Volta Batteries S.A.", cooperative="Coop. Équateur of the Two Rivers", mineral=mineral)

        for each in sentences([ordinary], language):
            assert check(each.text) == []
            assert check(each.plain) == []
        for each in sentences([hostile], language):
            assert check(each.plain, allowed=allowed([hostile])) == []
        for part in sentences([hostile | {"quantity_base_units": 1}], language):
            assert check(part.plain, names=names_in([hostile])) == []
            assert check(part.plain, names=names_in([ordinary]))


def test_limits_are_said_in_full():
    assert len(LIMITS) == 4
    assert all(check(limit) == [] for limit in LIMITS)

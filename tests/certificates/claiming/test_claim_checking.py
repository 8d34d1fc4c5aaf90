import time

import pytest

from credits.certificates.claiming import claim_phrases
from credits.certificates.claiming.claim_checking import LONGEST_TEXT, TextTooLong, check
from credits.certificates.claiming.claim_phrases import LANGUAGES, PhrasesUnsound, pattern, tongue
from credits.certificates.wording import words_of
from tests.certificates.claims_harmless import EVERYDAY, HARMLESS
from tests.certificates.claims_said import ALLOWED, FORBIDDEN
from tests.certificates.claims_sold import FOUND_OUT, MENDED, SLY, TRICKS


def found_in(text):
    return [mark.found for mark in check(text)]


class TestCheck:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_marks_what_nobody_may_say(self, language):
        assert [text for text in FORBIDDEN[language] if not check(text)] == []

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_marks_what_sellers_would_say_instead(self, language):
        tricks = TRICKS[language].strip().split("\n")[:MENDED]

        assert [text for text in [*tricks, *FOUND_OUT[language].split(" | ")] if not check(text)] == []

    def test_finds_most_of_what_it_has_never_seen(self):
        unseen = [text for told in TRICKS.values() for text in told.strip().split("\n")[MENDED:]]

        assert len(unseen) == 70
        assert sum(1 for text in unseen if check(text)) >= 52
        assert sum(1 for text in SLY.strip().split("\n") if check(text)) >= 28

    def test_lets_pass_what_may_be_said(self):
        harmless = [text for told in (*HARMLESS.values(), EVERYDAY) for text in told.strip().split("\n")]

        assert {text: found_in(text) for text in [*ALLOWED, *harmless] if check(text)} == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_lets_the_limits_of_a_claim_pass(self, language):
        limits = words_of(language).texts["claim"]["limits"]

        assert {text: found_in(text) for text in limits if check(text)} == {}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_lets_its_own_advice_pass(self, language):
        rules = {rule for known in tongue(language).refused.by_word.values() for _, rule in known}

        assert {rule.instead: found_in(rule.instead) for rule in rules if check(rule.instead)} == {}

    def test_says_where_and_why_and_what_to_say_instead(self):
        text = "Nos piles : un or 100\u202f% tra\u00adçable, sans conflit."
        first, second = check(text)

        assert (text[first.start : first.end], first.language, first.kind) == ("tra\u00adçable", "fr", "traceable")
        assert (second.found, second.kind) == ("sans conflit", "conflict_free")
        assert "numéros" in first.reason
        assert first.instead.endswith("jusqu’à ce site.")

    @pytest.mark.parametrize(
        "written",
        [
            "CONFLICT-FREE",
            "conflictfree",
            "conflict\u2011free",
            "con\u200bfl\u2060ict free",
            "c o n f l i c t f r e e",
            "ｃｏｎｆｌｉｃｔ ｆｒｅｅ",
            "c\u043enflict free",
            "c0nfl1ct-free",
            "conflict\n-\nfree",
            "conflict_free",
            "cónflíct free",
        ],
    )
    def test_reads_however_it_is_spelt(self, written):
        assert check(f"Our tin is {written}.")

    @pytest.mark.parametrize(
        "company, site",
        [
            ("Our Batteries Are Ethical And Traceable. They Contain Cobalt From Kamilombe. Nordlicht", "Kamilombe"),
            ("our batteries are ethical. Nordlicht", "Kamilombe"),
            ("We Are Ethical. Nordlicht", "Kamilombe"),
            ("Nordlicht", "Kamilombe, Source Of The Certified Ethical Conflict-Free Cobalt Our Batteries Contain"),
        ],
    )
    def test_lets_nothing_pass_in_the_places_for_names(self, company, site):
        text = (
            f"In 2026, {company} supported responsible artisanal cobalt mining at {site}, Democratic Republic of the "
            "Congo, by retiring 0.75 credits equal to 750 kg. The cobalt in our products is not physically traced to "
            "this site."
        )
        names = ["Nordlicht", "Kamilombe, Democratic Republic of the Congo"]

        assert check(text)
        assert check(text.upper())
        assert check(text, names=names)
        assert not check(text.replace(company, "Nordlicht").replace(site, "Kamilombe"), names=names)

    @pytest.mark.parametrize(
        "text",
        [
            "Our gold is conflict<b></b>-free.",
            "Our gold is con<b>flict-free</b>.",
            "Our gold is <b class='x'>ethi</b>cal.",
            "Our gold is e&shy;thical.",
            "Our gold is &#101;thical.",
            "Notre or est &eacute;thique.",
            "Our gold is conflict&nbsp;-&nbsp;free.",
            "Our gold is <!-- not -->ethical.",
            "Our gold is conflict.free.",
            "Our gold is ethi\u3164cal.",
            "Our gold is ethi\u115fcal.",
            "Our gold is ᴇᴛʜɪᴄᴀʟ.",
            "Our gold is ɛthical.",
            "Our gold is eth!cal.",
        ],
    )
    def test_reads_what_a_browser_shows(self, text):
        assert check(text)

    @pytest.mark.parametrize(
        "text",
        [
            "Not only traceable: ethical.",
            "It is no wonder that our gold is ethical.",
            "There is no doubt: our gold is traceable.",
            "We do not stop there, our gold is ethical.",
            "This does not mean less, our cobalt is traceable.",
            "Ne contient que du cobalt éthique.",
            "Pas seulement traçable.",
            "No solo es trazable.",
            "Sí, nuestro oro sí es ético.",
            "In 2026, ethical us supported responsible artisanal gold mining at x by retiring 1 credit equal to 2 g",
        ],
    )
    def test_is_not_led_astray_by_what_only_looks_like_a_denial(self, text):
        assert check(text)

    @pytest.mark.parametrize(
        "text",
        [
            "This does not make our batteries ethical or conflict-free.",
            "Nothing in our products comes from this mine.",
            "Rien ne prouve l'origine du cobalt de nos produits.",
            "No personal data of children is collected.",
        ],
    )
    def test_lets_true_denials_pass(self, text):
        assert found_in(text) == []
        assert check(text.removesuffix(".") + "?") or "personal" in text

    def test_takes_time_in_proportion_to_the_text(self):
        for piece in ("not ", "free of the ", "contain responsible without child ", "a-", "in 2026 ", "made with not "):
            text = (piece * LONGEST_TEXT)[:LONGEST_TEXT]
            began = time.perf_counter()
            check(text)
            assert time.perf_counter() - began < 5, piece

    def test_refuses_a_longer_one(self):
        with pytest.raises(TextTooLong):
            check("x" * (LONGEST_TEXT + 1))

    @pytest.mark.parametrize("text", ["", " \n", "\u200b" * 100, "契約 ☃ 🙂", "." * 1000, "\x00"])
    def test_finds_nothing_where_nothing_is_said(self, text):
        assert check(text) == []


class TestPattern:
    @pytest.mark.parametrize("text", ["", "!mining", "the? x", "ab*", "<unknown> x", "a||b"])
    def test_refuses_what_is_none(self, text):
        with pytest.raises(PhrasesUnsound):
            pattern(text, {})

    def test_takes_more_phrases_from_a_file(self, tmp_path, monkeypatch):
        own = (claim_phrases.FOLDER / "en.toml").read_text("utf-8")
        (tmp_path / "en.toml").write_text(own.replace('"ethic*|ethos"', '"ethic*|wholesome"'), encoding="utf-8")
        monkeypatch.setattr(claim_phrases, "FOLDER", tmp_path)

        assert list(tongue.__wrapped__("en").refused.by_word["wholesome"])

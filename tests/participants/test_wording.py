import pytest
from flask_mailman.message import sanitize_address

from credits.participants.wording import UnsoundText, email_address, line, paragraphs


class TestLine:
    @pytest.mark.parametrize(
        "text, kept",
        [
            ("  Kamilombe ", "Kamilombe"),
            ("Coopérative n° 5 – “Umoja”", "Coopérative n° 5 – “Umoja”"),
            ("e\u0301", "é"),
            ("金 🪨", "金 🪨"),
            ("<b>&", "<b>&"),
            ("Kamilombe\u00a0Sud\u2009\u2003", "Kamilombe Sud"),  # looks the same, so it is the same
        ],
    )
    def test_keeps_what_can_be_read(self, text, kept):
        assert line(text, "Name") == kept

    @pytest.mark.parametrize(
        "text", ["", " \t ", "a\nb", "a\x00b", "\x1b[31m", "\ud800", "a\u202eb", "\ue000", "x" * 201]
    )
    def test_refuses_the_rest_and_names_the_field(self, text):
        with pytest.raises(UnsoundText, match=r"^Name: "):
            line(text, "Name")


class TestParagraphs:
    def test_keeps_line_breaks_in_one_form(self):
        assert paragraphs("a\r\nb\rc\n", "Address") == "a\nb\nc"

    @pytest.mark.parametrize("text", ["a\x00b", "x" * 2_001, "\u2067a"])
    def test_refuses_what_a_line_refuses(self, text):
        with pytest.raises(UnsoundText):
            paragraphs(text, "Address")


class TestEmailAddress:
    def test_is_kept_in_lower_case(self):
        assert email_address(" Anne@Example.ORG ") == "anne@example.org"

    @pytest.mark.parametrize(
        "text", ["anne", "@example.org", "anne@", "a@b@c", "a b@example.org", "a@b.org\nBcc: c@d.org"]
    )
    def test_is_refused_without_its_form(self, text):
        with pytest.raises(UnsoundText):
            email_address(text)

    @pytest.mark.parametrize(
        "text", ["o'neil+asm@example.org", "a.b-c_d@exämple.org", "x" * 64 + "@example.org", "a@b"]
    )
    def test_is_taken_where_a_mail_can_be_addressed_to_it(self, text):
        assert sanitize_address(email_address(text), "utf-8")

    @pytest.mark.parametrize(
        "text",
        [
            "é" * 60 + "@example.org",
            "é@example.org",
            "x" * 65 + "@example.org",
            "a@" + "é" * 80 + ".org",
            "a@" + "b" * 64 + ".org",
            "a@b..org",
            "a@.org",
            "a@b.",
            "a..b@c.org",
            "a,b@c.org",
            "a:b@c.org",
            "<a@b.org>",
            "a(b)@c.org",
            "a@b;c.org",
            '"a"@b.org',
        ],
    )
    def test_is_refused_where_none_can(self, text):
        with pytest.raises(UnsoundText, match=r"^Email: "):
            email_address(text)

import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from credits.certificates import pdf, sheets
from credits.certificates.pdf import Undrawable, draw, slow_drawing
from tests.certificates.reading import codes_on, pages_of, text_of, tool, words_outside
from tests.certificates.told import FACTS, told_facts

SHOWN = [
    "ASM Credits Registry",
    "Certificate of Retirement",
    "ASMC-R-000017",
    "https://registry.example/certificates/ASMC-R-000017",
    "22 November 2026",
    "22 November 2026, 06:00:00 UTC",
    "retired for good, not transferable",
    "Volta Trading SA",
    "ASMC-A-000031, Switzerland",
    "Volta Batteries GmbH",
    "Germany · HRB 204812 B",
    "Traction batteries, model year 2026",
    "1 Jan 2026 – 31 Dec 2026",
    "0.75 cobalt credits",
    "cobalt (CO), 1 credit = 1 t",
    "equal to 750 kg (contained Co: dry weight × % Co)",
    "ASMC-CO-COD-KAM001-2026-0001-000000001-000000500-K",
    "ASMC-CO-COD-KAM001-2026-0001-000001501-000001750-7",
    "Coopérative Kilima",
    "Groupe du Lualaba",
    "Kamilombe (KAM001)",
    "Kolwezi, Democratic Republic of the Congo",
    "1 Jul 2026 – 30 Sep 2026",
    "CRAFT Code, version 2.1",
    "progressing",
    "Vérification Indépendante SARL",
    "5 Oct 2026 – 8 Oct 2026",
    "1 Jun 2026 – 31 May 2027",
    "yes (source: IPIS, 1 May 2026)",
    "USD 3,750.00",
    "USD 187.50",
    "USD 312.50",
    "In 2026, Volta Batteries GmbH supported responsible artisanal cobalt mining.",
    "The cobalt in our products is not physically traced to this site.",
]


@pytest.fixture
def facts() -> dict[str, Any]:
    return told_facts()


@pytest.fixture
def kept(tmp_path: Path):
    """Draw facts and keep the PDF as a file, for the tools that read it."""

    def keep(facts: dict[str, Any]) -> Path:
        path = tmp_path / "certificate.pdf"
        path.write_bytes(draw(facts))
        return path

    return keep


@pytest.fixture(scope="module")
def drawn_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("certificate") / "certificate.pdf"
    path.write_bytes(draw(FACTS))
    return text_of(path)


class TestDraw:
    @pytest.mark.parametrize("shown", SHOWN)
    def test_shows_every_fact(self, drawn_text: str, shown: str):
        assert shown in drawn_text

    def test_fills_one_sheet_of_a4_without_a_flaw(self, facts, kept):
        path = kept(facts)
        about = tool("pdfinfo", path)

        assert re.search(r"^Pages: +1$", about, re.M)
        assert "(A4)" in about
        assert "No syntax or stream encoding errors found" in tool("qpdf", "--check", path)
        assert words_outside(path) == []

    def test_says_what_it_is_and_since_when(self, facts, kept):
        path = kept(facts)
        about = tool("pdfinfo", "-isodates", path)

        assert re.search(r"^Title: +Certificate of retirement ASMC-R-000017$", about, re.M)
        assert re.search(r"^Author: +ASM Credits Registry$", about, re.M)
        assert re.search(r"^CreationDate: +2026-11-22T06:00:00Z$", about, re.M)
        assert re.search(r"^Tagged: +yes$", about, re.M)
        assert "/Lang (en)" in tool("qpdf", "--qdf", "--object-streams=disable", path, "-")

    def test_leads_to_its_page_by_the_code(self, facts, kept):
        assert codes_on(kept(facts)) == ["https://registry.example/certificates/ASMC-R-000017"]

    def test_carries_its_own_fonts(self, facts, kept):
        fonts = [line.split() for line in tool("pdffonts", kept(facts)).splitlines()[2:]]

        assert {re.sub(r"^[A-Z]{6}\+", "", font[0]) for font in fonts} == {
            "Certificate-Text",
            "Certificate-Text-Bold",
            "Certificate-Mono",
        }
        assert {font[-5] for font in fonts} == {"yes"}  # embedded

    def test_gives_the_same_bytes_for_the_same_facts(self, facts):
        first = draw(facts)
        draw(facts | {"purpose": "Something else"})

        assert draw(dict(reversed(facts.items()))) == first

    def test_gives_the_bytes_that_the_library_gives_without_short_cuts(self, facts, monkeypatch):
        facts["purpose"] = 'Batteries & <b>cables</b>,\n"model" 2026'
        short_cut = draw(facts)

        def the_long_way(sheet, styles, **options):
            page = HTML(string=ElementTree.tostring(sheet.etree_element, "unicode", method="html"))
            page._ua_stylesheets = sheet._ua_stylesheets
            return page.render(stylesheets=styles, **options)

        monkeypatch.setattr(sheets.Sheet, "laid_out", the_long_way)

        assert draw(facts) == short_cut == draw(facts)

    def test_gives_the_same_bytes_in_another_process(self, facts, tmp_path):
        program = (
            "import json, sys; from credits.certificates.pdf import draw\n"
            "sys.stdout.buffer.write(draw(json.load(sys.stdin)))"
        )
        elsewhere = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(facts).encode(),
            capture_output=True,
            check=True,
            cwd=Path(pdf.__file__).parents[2],
            env={"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C", "HOME": str(tmp_path)},
        )

        assert elsewhere.stdout == draw(facts)

    def test_gives_other_facts_another_identifier(self, facts):
        def identifier(drawn: bytes) -> str:
            return re.search(rb"/ID ?\[\((\w{32})\)", drawn)[1].decode()

        assert identifier(draw(facts)) != identifier(draw(facts | {"credits": "0.5"}))

    def test_prints_unknown_facts_as_not_recorded(self, facts, kept):
        facts["premium"] = None
        facts["origins"][0]["assurance"]["visit"] = None
        facts["origins"][0]["producer"]["group"] = None
        facts["origins"][0]["production"]["to"] = None
        facts["origins"][0]["conflict_affected"] = {"flag": "unknown", "source": None, "date": None}
        text = text_of(kept(facts))

        assert text.count("not recorded") == 4
        assert "1 Jul 2026 – not recorded" in text
        assert "unknown (source" not in text
        assert "Group" not in text
        assert "None" not in text

    def test_refuses_facts_with_a_gap(self, facts):
        del facts["origins"][0]["producer"]["district"]

        with pytest.raises(UndefinedError):
            draw(facts)

    def test_speaks_of_a_single_credit(self, facts, kept):
        text = text_of(kept(facts | {"credits": "1"}))

        assert "1 cobalt credit equal to" in text
        assert "was retired for good" in text

    def test_shows_each_origin_with_its_own_serials(self, facts, kept):
        second = deepcopy(facts["origins"][0])
        second["producer"]["site_name"] = "Mutoshi"
        second["serials"] = ["ASMC-CO-COD-MUT001-2026-0004-000000001-000000250-A"]
        facts["origins"].append(second)
        text = text_of(kept(facts))

        # Headings are set in small capitals, whose letters read as they were written.
        assert text.index("1 of 2") < text.index("KAM001-2026") < text.index("2 of 2") < text.index("MUT001-2026")
        assert "Mutoshi (KAM001)" in text

    def test_fits_on_one_sheet_even_with_every_text_at_its_longest(self, facts, kept):
        def words(count: int) -> str:
            return ("Wholesale responsible mineral " * 30)[:count].strip()

        facts["beneficiary"] |= {"name": words(200), "identifier": words(100)}
        facts["purpose"], facts["account"]["name"] = words(500), words(200)
        facts["claim"]["text"] += words(200)
        for origin in facts["origins"]:
            origin["producer"] |= {"cooperative": words(200), "group": words(200)}
            origin["producer"] |= {"site_name": words(120), "district": words(120)}
            origin["assurance"] |= {"standard": words(120), "version": words(40), "level": words(120)}
            origin["assurance"] |= {"verifier": words(200), "visit": None, "remote_reason": words(500)}
            origin["conflict_affected"]["source"] = words(200)
        path = kept(facts)

        assert pages_of(path) == 1
        assert words_outside(path) == []
        assert codes_on(path) == [facts["verify_url"]]
        assert text_of(path).count(words(500)) == 2

    def test_takes_further_pages_for_a_thousand_ranges(self, facts, kept):
        serials = [f"ASMC-CO-COD-KAM001-2026-0001-{n * 10:09d}-{n * 10 + 4:09d}-K" for n in range(1, 1001)]
        facts["origins"][0]["serials"] = serials
        path = kept(facts)
        text, pages = text_of(path), pages_of(path)

        assert [serial for serial in serials if serial not in text] == []
        assert 5 < pages < 15
        assert [n for n in range(1, pages + 1) if f"ASMC-R-000017 · page {n} of {pages}" not in text] == []
        assert codes_on(path) == [facts["verify_url"]]  # on the first page still
        assert words_outside(path) == []

    def test_keeps_names_of_200_letters_inside_the_page(self, facts, kept):
        longest = "Ẹ" + "W" * 198 + "Z"
        facts["beneficiary"] |= {"name": longest, "identifier": longest}
        facts["account"]["name"] = longest
        facts["purpose"] = "g" * 500
        facts["claim"]["text"] = longest
        facts["origins"][0]["producer"] |= dict.fromkeys(("cooperative", "group", "site_name", "district"), longest)
        facts["origins"][0]["assurance"] |= {"verifier": longest, "level": longest}
        path = kept(facts)
        letters = "".join(tool("pdftotext", path, "-").split())

        assert words_outside(path) == []
        assert letters.count("W") == 198 * 10
        assert letters.count("g" * 30) >= 10
        lines = [line.split() for line in tool("pdftotext", "-layout", path, "-").splitlines()]
        begun = {
            line[0]: line[1] for line in lines if line and line[0] in ("Purpose", "Cooperative", "Group", "District")
        }
        assert {each[:9] for each in begun.values()} == {"g" * 9, longest[:9]}  # beside their names, not below
        assert codes_on(path) == [facts["verify_url"]]

    @pytest.mark.parametrize(
        "name",
        [
            "Ẹgbẹ́ Àwọn Awakùsà Ọ̀ṣun",  # Yoruba: dots below and tone marks, no letter of its own for both
            "Kɔ́ɖzogbe Ŋútsu ƒe Ɛ̀dzo",  # Ewe
            "Mbánzá-Ngóngo Ndɔ́kí na Mɔ̌nɛ́",  # Lingala
            "Hàrkar Haƙar Ma’adinai ta Ɓauchi ƴan Ɗorawa",  # Hausa
            "Cañón Ñuñoa São Tomé Đồng Đăng",
        ],
    )
    def test_keeps_tone_marks(self, facts, kept, name):
        facts["origins"][0]["producer"] |= {"site_name": name, "cooperative": name}
        facts["beneficiary"]["name"] = name  # in bold

        assert text_of(kept(facts)).count(name) == 3

    def test_shows_html_as_text_and_fetches_nothing(self, facts, kept, monkeypatch):
        fetched = []
        monkeypatch.setattr(sheets.NothingFetched, "fetch", lambda self, url, headers=None: fetched.append(url))
        monkeypatch.setattr(URLFetcher, "fetch", lambda self, url, headers=None: fetched.append(url))
        hostile = [
            "<b>bold</b> &amp; {{ 7 * 7 }}",
            '<img src="https://evil.example/a.png">',
            "</title></p><style>@import url(https://evil.example/b.css); * { display: none }</style>",
            '"><link rel=attachment href=file:///etc/passwd>',
            '<svg><image href="file:///etc/passwd"/></svg>',
            "<script>alert(1)</script>",
        ]
        facts["beneficiary"] |= {"name": hostile[0], "identifier": hostile[1]}
        facts |= {"purpose": hostile[2]}
        facts["account"]["name"] = hostile[3]
        facts["registry"]["name"] = hostile[4]
        facts["claim"]["limits"] = [hostile[5]]
        path = kept(facts)
        # A long word may be broken over two lines, and columns are read in turns: as it was written, then.
        text = "".join(tool("pdftotext", "-raw", path, "-").split())

        assert [text_typed for text_typed in hostile if "".join(text_typed.split()) not in text] == []
        assert fetched == []
        assert "/EmbeddedFile" not in tool("qpdf", "--qdf", "--object-streams=disable", path, "-")

    def test_would_not_fetch_if_a_template_asked(self):
        with pytest.raises(PermissionError):
            sheets.NothingFetched().fetch("https://evil.example/a.png")

    @pytest.mark.parametrize(
        "url",
        ["https://evil.example/a.ttf", "file:///etc/passwd", f"{pdf.FONTS.as_uri()}/../pdf.py", "data:font/ttf,x"],
    )
    def test_opens_no_fonts_but_its_own(self, url):
        with pytest.raises(PermissionError):
            pdf._OwnFacesFetched().fetch(url)

    def test_refuses_letters_it_would_print_as_boxes(self, facts):
        facts["origins"][0]["producer"]["site_name"] = "Mine 金"

        with pytest.raises(Undrawable) as refusal:
            draw(facts)

        assert "cannot show these letters: 金" in refusal.value.message
        assert refusal.value.detail == {"field": "facts.origins[0].producer.site_name", "characters": ["金"]}


class TestSlowDrawing:
    def test_is_silent_where_the_library_stands(self):
        assert slow_drawing() is None

    def test_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr(pdf, "harfbuzz_subset", None)

        assert "apt-get install libharfbuzz-subset0" in slow_drawing()

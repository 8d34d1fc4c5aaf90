"""The registry's documents on paper: frozen facts in, the bytes of a PDF out.

The same facts give the same bytes: dates and the file identifier come from the facts, faces from `fonts/`, and nothing
is fetched. Bytes may still change with a new WeasyPrint or HarfBuzz, so a certificate is drawn once and its bytes kept.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import segno
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.document import Document
from weasyprint.text.ffi import harfbuzz_subset
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from credits.errors import Invalid
from credits.participants.countries import name_of
from credits.typefaces import FONTS, TEXT_FACES, undrawable

TEMPLATES = Path(__file__).parents[2] / "templates"
FACES = (*TEXT_FACES, "IBMPlexMono-Regular.ttf")

NOT_RECORDED = "not recorded"

# Pango's font map is shared by all certificates of this process and is not safe between threads.
_one_at_a_time = Lock()


class Undrawable(Invalid):
    """A fact holds characters for which the certificate has no letters."""

    code = "undrawable_text"


def draw(
    facts: Mapping[str, Any],
    *,
    document: str = "retirement",
    translate: Callable[[str], str] = str,
    templates: Path = TEMPLATES,
) -> bytes:
    """Draw a document, A4: a certificate from facts of the schema `asmc-retirement-certificate-1`, or another one.

    facts: plain JSON values; None prints as "not recorded", a missing name is an error.
    document: the name of its template and style sheet in `certificates/` of the folder `templates`.
    translate: brings the template's own texts into the language of the document.

    Raises Undrawable rather than print boxes; ask `undrawable` before such a text is accepted.
    """
    must_be_drawable(facts)
    press = _press(templates, document)
    page = press.template.render(facts=facts, _=translate)
    # Two certificates of different facts never share an identifier, and no clock is asked for one.
    identifier = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32].encode()
    with _one_at_a_time:
        laid_out = _laid_out(press, page)
        pdf: bytes = laid_out.write_pdf(pdf_identifier=identifier, pdf_tags=True)
    return pdf


def _laid_out(press: "_Press", page: str) -> Document:
    """On one sheet: where the texts are too long for it, set smaller; where that is too long too, on as many."""
    html = HTML(string=page, url_fetcher=_NothingFetched())
    document = html.render(stylesheets=press.styles, font_config=press.fonts, pdf_tags=True)
    if len(document.pages) == 1 or press.dense is None:
        return document
    smaller = html.render(stylesheets=[*press.styles, press.dense], font_config=press.fonts, pdf_tags=True)
    return smaller if len(smaller.pages) == 1 else document


def must_be_drawable(facts: Mapping[str, Any]) -> None:
    """Raise Undrawable, naming the first fact and the letters, where the certificate could not show them."""
    for path, text in _texts(facts):
        if strangers := undrawable(text):
            raise Undrawable(
                f"The certificate cannot show these letters: {' '.join(strangers)}. "
                "Please use Latin, Greek or Cyrillic letters.",
                field=path,
                characters=strangers,
            )


def slow_drawing() -> str | None:
    """A sentence for the operator when this machine lacks the library that cuts fonts to size, else None.

    Without it a certificate takes six times as long, and the time of drawing enters the bytes.
    """
    if harfbuzz_subset:
        return None
    return (
        "The library libharfbuzz-subset is missing: certificates are drawn some six times slower, and not byte for "
        "byte the same. Install it: apt-get install libharfbuzz-subset0"
    )


@dataclass(frozen=True)
class _Press:
    """What all documents of a kind share. Parsing style and fonts again each time would double the time of drawing.

    dense: for what is meant to fit on one sheet.
    """

    template: Template
    styles: list[CSS]
    dense: CSS | None
    fonts: FontConfiguration


# Set up at the first certificate, never at import: a process that forks afterwards would share its font folder.
@cache
def _press(templates: Path, document: str) -> _Press:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_never_blank,
    )
    environment.filters |= {
        "country": name_of,
        "day": _day,
        "moment": _moment,
        "period": _period,
        "qr_code": _qr_code,
    }
    fonts = FontConfiguration()

    def style(name: str) -> CSS:
        return CSS(
            filename=templates / "certificates" / name,
            base_url=f"{FONTS.as_uri()}/",
            url_fetcher=_OwnFacesFetched(),
            font_config=fonts,
        )

    dense = style("dense.css") if document == "retirement" else None
    styles = [style("paper.css"), style(f"{document}.css")]
    return _Press(environment.get_template(f"certificates/{document}.html"), styles, dense, fonts)


class _NothingFetched(URLFetcher):
    """Whatever a text manages to ask for, nothing leaves this process and no file is opened."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> NoReturn:
        raise PermissionError(f"A certificate fetches nothing, not even {url}.")


class _OwnFacesFetched(URLFetcher):
    """The style sheet may open our own faces and nothing else."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        for face in FACES:
            if url == (FONTS / face).as_uri():
                return URLFetcherResponse(url, (FONTS / face).read_bytes())
        raise PermissionError(f"The style sheet may open its own fonts only, not {url}.")


def _texts(value: object, path: str = "facts") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{place}]")


def _never_blank(value: object) -> object:
    return NOT_RECORDED if value is None or value == "" else value


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text[:10]), "d MMMM y", locale="en")


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def _period(days: Mapping[str, str | None] | None) -> str | None:
    """From one ISO date to another: readers of every country understand these the same way."""
    if days is None:
        return None
    if days["from"] == days["to"]:
        return days["from"]
    return f"{_never_blank(days['from'])} to {_never_blank(days['to'])}"


def _qr_code(url: str) -> Markup:
    # A fixed mask: trying all eight for the prettiest takes longer than drawing the code.
    code = segno.make_qr(url, error="m", mask=2)
    return Markup(code.svg_inline(border=4, omitsize=True, svgclass="code", lineclass=None))  # noqa: S704 - digits only

"""The registry's documents on paper: frozen facts in, the bytes of a PDF out.

PDF/A-3b, tagged, with what is enclosed as attachments. The same facts give the same bytes: dates and the file
identifier come from the facts, faces from `fonts/`, and nothing is fetched. Bytes may still change with a new
WeasyPrint or HarfBuzz, so a certificate is drawn once and its bytes kept.
"""

import gc
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import segno
import weasyprint
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from weasyprint import CSS
from weasyprint.css import ColorProfile
from weasyprint.document import Document
from weasyprint.text.ffi import harfbuzz_subset
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from credits.certificates import marks
from credits.certificates.finishing import Enclosed, Marks, finish
from credits.certificates.sheets import Known, Sheet
from credits.certificates.wording import words_of
from credits.errors import Invalid
from credits.participants.countries import name_of
from credits.typefaces import FONTS, TEXT_FACES, named, undrawable

TEMPLATES = Path(__file__).parents[2] / "templates"
FACES = (*TEXT_FACES, "IBMPlexMono-Regular.ttf")

STYLES = {"order": "money", "premium": "money"}  # documents that look alike
NOT_RECORDED = "not recorded"
VARIANT = {"pdf_variant": "pdf/a-3b", "pdf_tags": True, "output_intent": "screen"}
SCREEN = Path(weasyprint.__file__).parent / "pdf" / "sRGB2014.icc"  # what its colours mean: PDF/A wants to know

# Pango's font map is shared by all certificates of this process and is not safe between threads.
_one_at_a_time = Lock()


class Undrawable(Invalid):
    """A fact holds characters for which the certificate has no letters."""

    code = "undrawable_text"


def draw(
    facts: Mapping[str, Any],
    *,
    document: str = "retirement",
    shown: Mapping[str, Any] | None = None,
    enclosed: Sequence[Enclosed] = (),
    translate: Callable[[str], str] = str,
    templates: Path = TEMPLATES,
) -> bytes:
    """Draw a document, A4.

    facts: plain JSON values; None prints as "not recorded", a missing name is an error. "language" is the document's.
    document: the name of its template in `certificates/` of the folder `templates`, and of its style sheet if STYLES
    names no other one.
    shown: what is known only when it is drawn, for the template.
    translate: brings a template's own texts into the language of the document, where it has them.

    Raises Undrawable rather than print boxes; ask `undrawable` before such a text is accepted.
    """
    must_be_drawable(facts)
    press = _press(templates, document)
    words = words_of(facts["language"])
    page = press.template.render(facts=facts, words=words, say=words.say, _=translate, **(shown or {}))
    # Two certificates of different facts never share an identifier, and no clock is asked for one.
    identity = sha256(json.dumps([facts, shown], sort_keys=True).encode())
    for each in enclosed:
        identity.update(each.content)
    identifier = identity.hexdigest()[:32].encode()
    with _one_at_a_time, _nothing_collected():
        laid_out, small = _laid_out(press, page)
        printed = _MARKS[document](facts["verify_url"], small) if document in _MARKS else Marks()
        ending = partial(finish, enclosed, printed, [_Colours.content])
        pdf: bytes = laid_out.write_pdf(pdf_identifier=identifier, finisher=ending, **VARIANT)
    return pdf


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No garbage is looked for meanwhile: all the boxes of a document are in use until it is there, then none is."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _laid_out(press: "_Press", page: str) -> tuple[Document, bool]:
    """On one sheet: where the texts are too long for it, set smaller (True); where that is too long too, on as many.

    An annex begins on a sheet of its own and does not count.
    """
    sheet = Sheet(page, press.elements, press.known)
    shared = {"font_config": press.fonts, "color_profiles": {"screen": press.colours}} | VARIANT
    document = sheet.laid_out(press.styles, **shared)
    if len(document.pages) == 1 or press.dense is None or _on_one_sheet(document):
        return document, False
    smaller = sheet.laid_out([*press.styles, press.dense], **shared)
    return (smaller, True) if _on_one_sheet(smaller) else (document, False)


def _on_one_sheet(document: Document) -> bool:
    return len(document.pages) == 1 or "annex" in document.pages[1].anchors


def _marks_of_certificate(address: str, small: bool) -> Marks:
    rosette = marks.rosette(size=13 if small else 17, top=18)
    return Marks(marks.frame(), marks.marked(rosette, marks.code(address, left=156.5, top=245, size=33)))


def _marks_of_record(address: str, small: bool) -> Marks:
    return Marks(marks.frame(), marks.marked(marks.code(address, left=156.5, top=250, size=33)))


# Where the style sheets leave room for them.
_MARKS = {"retirement": _marks_of_certificate, "record": _marks_of_record}


def must_be_drawable(facts: Mapping[str, Any]) -> None:
    """Raise Undrawable, naming the first fact and the letters, where the certificate could not show them."""
    for path, text in _texts(facts):
        if strangers := undrawable(text):
            raise Undrawable(
                f"The certificate cannot show these letters: {' '.join(map(named, strangers))}. "
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
    elements: CSS
    styles: list[CSS]
    dense: CSS | None
    fonts: FontConfiguration
    colours: ColorProfile
    known: Known = field(default_factory=Known)


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
        "moment": _moment,
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
    styles = [style("paper.css"), style(f"{STYLES.get(document, document)}.css")]
    template = environment.get_template(f"certificates/{document}.html")
    return _Press(template, style("elements.css"), styles, dense, fonts, _Colours())


class _Colours(ColorProfile):
    """What the colours of the screen mean, in the very bytes of the file: the library writes them anew each time."""

    content = SCREEN.read_bytes()

    def __init__(self) -> None:
        super().__init__(BytesIO(self.content), SCREEN.name, "relative-colorimetric", (["r"], ["g"], ["b"]))


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


@pass_context
def _never_blank(context: Context, value: object) -> object:
    if value is not None and value != "":
        return value
    words = context.get("words")
    return words.say("not_recorded") if words else NOT_RECORDED


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def _qr_code(url: str) -> Markup:
    # A fixed mask: trying all eight for the prettiest takes longer than drawing the code.
    code = segno.make_qr(url, error="m", mask=2)
    drawn = code.svg_inline(border=4, omitsize=True, svgclass="code", lineclass=None)
    return Markup(drawn.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))  # noqa: S704 - digits only

"""A program of its own that opens files of strangers: run with tight limits, and killed where it takes too long.

    python -I evidence_child.py look MEDIA_TYPE        says as JSON what the file is like, or why it is refused
    python -I evidence_child.py page MEDIA_TYPE N      prints page N as a JPEG picture without any metadata

The file comes on standard input. It knows nothing of the registry: what breaks it, breaks nothing else.
"""

import io
import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import NoReturn

from PIL import Image, ImageOps

MEMORY = 290_000_000  # bytes of address space, for this process and for each that it starts
OUT_OF_MEMORY = 3  # how the process ends where there is no memory left even to say so; known to who starts it
LARGEST_OUTPUT = 32_000_000  # bytes of one file that any of them writes
SECONDS = 2  # of computing
MOST_PIXELS = {"image/png": 36_000_000, "image/jpeg": 110_000_000}  # JPEG is made smaller while it is read
LONGEST_SIDE = 40_000  # pixels
MOST_PAGES = 200
PAGES_COMPARED = 4
SHOWN = 1_600  # pixels of the longer side of a page on the screen

SIDE, KEPT = 64, 16  # the picture is compared by its KEPT × KEPT lowest frequencies at SIDE × SIDE pixels
FLAT = 12  # grey values: a picture with less between its darkest and its lightest part is an empty page
WAVES = [[math.cos(math.pi * (2 * x + 1) * u / (2 * SIDE)) for x in range(SIDE)] for u in range(KEPT)]

# What makes a file something else to another program. A phone may write much behind its picture, but none of this.
FOREIGN = re.compile(rb"<\?php\s|<script[\s>]|<html[\s>]|<!doctype\s|javascript:", re.IGNORECASE)
ACTIVE = re.compile(
    rb"/(?:JavaScript|JS|Launch|RichMedia|Rendition|Movie|Sound|EmbeddedFiles?|EF|XFA|SubmitForm|ImportData|GoToE)"
    rb"(?![A-Za-z0-9_.-])"
)
PDF_HEAD, PDF_TAIL = 1024, 2048  # bytes in which the beginning and the end of a PDF must stand


class Refused(Exception):
    """The file is not taken. code: one of the words that the registry has a sentence for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def limit() -> None:
    """Bind this process, and those it starts, to little memory, time and output."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_OUTPUT),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))


def look(media_type: str, content: bytes) -> dict[str, object]:
    """How many pages there are, and the fingerprints of the first ones, each upright and turned thrice."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise Refused("two_in_one")
    if media_type == "application/pdf":
        return look_at_pdf(content)
    if FOREIGN.search(content) or b"%PDF-" in content[:PDF_HEAD]:
        raise Refused("two_in_one")
    return {"pages": 1, "prints": [fingerprints(opened(media_type, content, SIDE * 4).convert("L"))]}


def look_at_pdf(content: bytes) -> dict[str, object]:
    ending = content.rfind(b"%%EOF")
    if ending < 0 or len(content) - ending > PDF_TAIL:
        raise Refused("cut_off")
    if FOREIGN.search(content[:PDF_HEAD]) or FOREIGN.search(content[ending:]):
        raise Refused("two_in_one")
    pages = pages_of(content)
    wide = str(SIDE * 4)
    with in_memory(content) as file:
        drawn = poppler("pdftoppm", "-gray", "-scale-to-x", wide, "-scale-to-y", wide, "-l", str(PAGES_COMPARED), file)
    return {"pages": pages, "prints": [fingerprints(page) for page in grey_pages(drawn, min(pages, PAGES_COMPARED))]}


def pages_of(content: bytes) -> int:
    """How many pages a PDF has that only shows something: it runs nothing and carries no other file."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise Refused("encrypted")
            for thing in pdf.objects:
                # As the library writes it: names without their escapes, out of their compressed streams.
                told = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
                written = told.unparse(resolved=True)
                if ACTIVE.search(written):
                    raise Refused("active")
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise Refused("encrypted") from None
    if pages < 1:
        raise Refused("unreadable")
    if pages > MOST_PAGES:
        raise Refused("too_many_pages")
    return pages


def page(media_type: str, content: bytes, number: int) -> bytes:
    """Page `number` as a JPEG that shows the pixels alone: no position, device, name or thumbnail comes along."""
    if media_type != "application/pdf":
        picture = opened(media_type, content, SHOWN)
        return jpeg(picture)
    with in_memory(content) as file:
        one = ("-f", str(number), "-l", str(number), "-singlefile")
        drawn = poppler("pdftoppm", "-scale-to", str(SHOWN), *one, file)
    return jpeg(Image.open(io.BytesIO(drawn), formats=["PPM"]))


def opened(media_type: str, content: bytes, wanted: int) -> Image.Image:
    """The picture, upright, not much larger than `wanted` pixels. Reads all of it, so that a part is no whole."""
    Image.MAX_IMAGE_PIXELS = None  # counted here, by kind
    picture: Image.Image = Image.open(io.BytesIO(content), formats=["PNG" if media_type == "image/png" else "JPEG"])
    width, height = picture.size
    if width * height > MOST_PIXELS[media_type] or max(width, height) > LONGEST_SIDE:
        raise Refused("too_many_pixels")
    picture.draft("RGB", (wanted, wanted))  # JPEG alone can; others take no notice
    picture.load()
    if picture.mode not in ("L", "RGB", "RGBA"):
        see_through = "transparency" in picture.info or picture.mode in ("LA", "PA")
        picture = picture.convert("RGBA" if see_through else "RGB")
    picture.thumbnail((wanted, wanted), reducing_gap=2.0)  # before anything that copies it
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "RGBA":
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        picture = paper.convert("RGB")
    return picture


def jpeg(picture: Image.Image) -> bytes:
    kept = io.BytesIO()
    picture.info = {}  # Pillow would write some of it into the new file
    picture.save(kept, "JPEG", quality=82, exif=b"", icc_profile=None)
    return kept.getvalue()


def grey_pages(drawn: bytes, count: int) -> Iterator[Image.Image]:
    """The pages that pdftoppm printed one behind another."""
    size = f"P5\n{SIDE * 4} {SIDE * 4}\n255\n".encode()
    whole = len(size) + (SIDE * 4) ** 2
    if len(drawn) != whole * count:
        raise Refused("unreadable")
    for first in range(0, len(drawn), whole):
        if not drawn[first : first + len(size)] == size:
            raise Refused("unreadable")
        yield Image.frombytes("L", (SIDE * 4, SIDE * 4), drawn[first + len(size) : first + whole])


def fingerprints(grey: Image.Image) -> list[str]:
    """The fingerprint of a grey picture and of what it is when turned by one, two and three quarters; none if empty."""
    small = grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    if max(small.tobytes()) - min(small.tobytes()) < FLAT:
        return []
    turns = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return [fingerprint((small.transpose(turn) if turn is not None else small).tobytes()) for turn in turns]


def fingerprint(pixels: bytes) -> str:
    """Which of the lowest frequencies are stronger than the middle one, as 64 hexadecimal digits.

    It stays nearly the same when a picture is saved smaller, paler, lighter, or cut by a hair; two forms that were
    filled in differently differ. The discrete cosine transform, rows first.
    """
    rows = [pixels[first : first + SIDE] for first in range(0, SIDE * SIDE, SIDE)]
    across = [[sum(map(float.__mul__, wave, map(float, row))) for wave in WAVES] for row in rows]
    columns = list(zip(*across, strict=True))
    found = [sum(map(float.__mul__, wave, column)) for wave in WAVES for column in columns]
    middle = sorted(found[1:])[len(found) // 2]  # the first is the mean brightness
    return f"{sum(1 << place for place, value in enumerate(found) if value > middle):064x}"


class in_memory:  # noqa: N801  a step, not a thing
    """The path of a file that exists in memory alone, for programs that read files."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> str:
        self.number = os.memfd_create("paper", 0)
        with open(self.number, "wb", closefd=False) as file:
            file.write(self.content)
        return f"/proc/self/fd/{self.number}"

    def __exit__(self, *_: object) -> None:
        os.close(self.number)


def poppler(*command: str) -> bytes:
    """What a program of poppler-utils prints. Raises Refused where it cannot read the file."""
    done = subprocess.run(command, capture_output=True, check=False, close_fds=False)
    if done.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        raise Refused("too_slow")
    if done.returncode:
        raise Refused("unreadable")
    return done.stdout


def end(answer: bytes) -> NoReturn:
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)  # what the file may have left behind needs no tidying


def main(act: str, media_type: str, *number: str) -> NoReturn:
    limit()
    try:
        content = sys.stdin.buffer.read()
        end(page(media_type, content, int(number[0])) if act == "page" else answer_to(media_type, content))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def answer_to(media_type: str, content: bytes) -> bytes:
    try:
        found = look(media_type, content)
    except Refused as refused:
        found = {"refused": refused.code}
    except (MemoryError, FileNotFoundError):
        raise  # the limit speaks for itself; a program is missing here: no fault of the file
    except Exception:  # Pillow raises many kinds over a file that is not what it says
        found = {"refused": "unreadable"}
    return json.dumps(found).encode()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Looking at a file before it is taken: in another process with little memory and time, which a bomb may break."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from credits.errors import Invalid
from credits.participants.wording import line
from credits.registry.papers.evidence_tables import refuse_formulas, table_text
from credits.registry.policy import Policy

PDF, JPEG, PNG, CSV = "application/pdf", "image/jpeg", "image/png", "text/csv"
BEGINNINGS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}
ENDINGS = {PDF: (".pdf",), JPEG: (".jpg", ".jpeg"), PNG: (".png",), CSV: (".csv",)}
NAMES = {PDF: "PDF", JPEG: "JPEG picture", PNG: "PNG picture", CSV: "CSV table"}
CHILD = Path(__file__).with_name("evidence_child.py")
# Nothing of the registry's own environment: there are secrets in it.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
LONGEST_NAME = 150

# Every word that the child refuses with, as a sentence for whoever sent the file.
REFUSALS = {
    "cut_off": "The PDF is cut off: its end is missing. Please send it again, or make it anew.",
    "encrypted": "The PDF is locked by a password or by restrictions. Print it to a new PDF without them.",
    "active": "The PDF carries a program, a form or another file in it. Print it to a new PDF, or send photos of it.",
    "two_in_one": "The file is two kinds of file in one. Please make a new scan or photo of the paper.",
    "too_many_pixels": "The picture has too many pixels to be opened. Send it smaller: 12 million pixels are enough.",
    "too_large_inside": "The picture is too large to be opened. Send it smaller, or as a JPEG picture.",
    "too_many_pages": "The PDF has more than 200 pages. Please send it in parts.",
    "unreadable": "The file cannot be read: it may be damaged or cut off. Please make it anew.",
    "too_slow": "The file takes too long to open. Make a simpler one: a photo, or a scan of 150 to 300 dots per inch.",
}
KILLED = (-signal.SIGKILL, -signal.SIGXCPU)
OUT_OF_MEMORY = 3  # how a child ends that has no memory left even to say so


class UnusableFile(Invalid):
    """Too large, empty, damaged, dangerous, or not what its name says."""

    code = "unusable_file"


class LookingFailed(Exception):
    """The file could not be looked at for a reason of ours. A fault, not a refusal."""


@dataclass(frozen=True)
class Looked:
    """A file that may be evidence, with all that was seen of it.

    pages: of a PDF, 1 of a picture, None of a table. prints: of each of the first pages, what it looks like upright
    and turned by one, two and three quarters (64 hexadecimal digits); nothing of an empty page.
    """

    filename: str
    content: bytes
    media_type: str
    sha256: str
    pages: int | None
    prints: tuple[tuple[str, ...], ...]


def look(filename: str, content: bytes, policy: Policy) -> Looked:
    """See what a file is, by its content. Takes up to `policy.milliseconds_to_look`: hold no lock meanwhile.

    Raises UnusableFile, FormulaCell, NoTable, UnsoundText; LookingFailed where a program is missing.
    """
    name = sound_name(filename)
    if not content:
        raise UnusableFile("The file is empty. Please choose it again.")
    refuse_too_large(len(content), policy)
    media_type = promised(content)
    text = None
    if media_type is None:
        text = table_text(content)
        media_type = CSV if text is not None else None
    if media_type is None:
        raise UnusableFile("Please send a PDF, a JPEG or PNG picture, or a CSV table.")
    if not name.lower().endswith(ENDINGS[media_type]):
        raise UnusableFile(
            f"The file is a {NAMES[media_type]}, but its name says something else. Name it {ENDINGS[media_type][0]}.",
            found=media_type,
        )
    seen: dict[str, object] = {"pages": None, "prints": []}
    if text is not None:
        refuse_formulas(text)
    else:
        seen = asked_of_child(media_type, content, policy)
    return Looked(
        filename=name,
        content=content,
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        pages=seen["pages"],  # type: ignore[arg-type]
        prints=tuple(tuple(prints) for prints in seen["prints"]),  # type: ignore[attr-defined]
    )


def sound_name(filename: str) -> str:
    """The name of a file without the folders of its sender's machine. Raises UnsoundText."""
    return line(filename.replace("\\", "/").rpartition("/")[2], "Name of the file", LONGEST_NAME)


def refuse_too_large(size: int, policy: Policy) -> None:
    most = policy.largest_file_bytes
    if size > most:
        raise UnusableFile(f"The file is too large: at most {most // 1_000_000} MB.", size=size)


def promised(beginning: bytes) -> str | None:
    """What a file says that it is, in its first bytes; None where they say nothing, as in a table."""
    return next((kind for mark, kind in BEGINNINGS.items() if beginning.startswith(mark)), None)


def asked_of_child(media_type: str, content: bytes, policy: Policy) -> dict[str, object]:
    answer = run(["look", media_type], content, policy.milliseconds_to_look)
    found: dict[str, object] = json.loads(answer)
    if "refused" in found:
        raise UnusableFile(REFUSALS[str(found["refused"])], why=found["refused"])
    return found


def page_of(media_type: str, content: bytes, number: int, policy: Policy) -> bytes:
    """Page `number` of a PDF or picture that was taken, as a JPEG of its pixels alone. Raises UnusableFile."""
    return run(["page", media_type, str(number)], content, policy.milliseconds_to_look)


def run(arguments: list[str], content: bytes, milliseconds: int, program: Path = CHILD) -> bytes:
    """What the child prints. It and all that it has started are killed when their time is over."""
    child = subprocess.Popen(
        [sys.executable, "-I", str(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    with child:
        try:
            printed, said = child.communicate(content, timeout=milliseconds / 1000)
        except subprocess.TimeoutExpired:
            raise UnusableFile(REFUSALS["too_slow"], why="too_slow") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode in KILLED:
        raise UnusableFile(REFUSALS["too_slow"], why="too_slow")
    if child.returncode == OUT_OF_MEMORY:
        raise UnusableFile(REFUSALS["too_large_inside"], why="too_large_inside")
    if child.returncode < 0:  # what the file did to the program that read it
        raise UnusableFile(REFUSALS["unreadable"], why="unreadable")
    if child.returncode:
        raise LookingFailed(said.decode(errors="replace")[-2000:])
    return printed

"""What is taken and what is not, on real files; and that no file takes long or much memory."""

import os
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from credits.errors import Invalid
from credits.participants.wording import UnsoundText
from credits.registry.papers import evidence_looking
from credits.registry.papers.evidence_looking import LookingFailed, UnusableFile, look, page_of
from tests import papers

MB = 1_000_000
SECONDS, MEMORY = 2.0, 300 * MB


class Peak(threading.Thread):
    """Watches how much memory the children of this process hold at once, as it is written in /proc."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.01):
            self.most = max(self.most, sum(map(resident, offspring(os.getpid()))))


def offspring(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    try:
        return found + [each for child in found for each in offspring(child)]
    except OSError:
        return found


def resident(process: int) -> int:
    try:
        # Between fork and exec a child shares what its parent holds: that is not its own.
        if "evidence_child" not in Path(f"/proc/{process}/cmdline").read_text() and not is_poppler(process):
            return 0
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def is_poppler(process: int) -> bool:
    return Path(f"/proc/{process}/cmdline").read_text().startswith("pdftoppm")


class TestLook:
    @pytest.mark.parametrize(
        "name, content, found",
        [
            ("a.pdf", papers.pdf(), ("application/pdf", 1, 1)),
            ("a.PDF", papers.scan(papers.form(1), papers.form(2)), ("application/pdf", 2, 2)),
            ("a.png", papers.png(), ("image/png", 1, 1)),
            ("a.jpeg", papers.jpeg(), ("image/jpeg", 1, 1)),
            ("a.jpg", papers.jpeg(progressive=True), ("image/jpeg", 1, 1)),
            ("a.jpg", papers.jpeg(papers.form().convert("CMYK")), ("image/jpeg", 1, 1)),
            ("a.png", papers.png(papers.form().convert("P")), ("image/png", 1, 1)),
            ("a.png", papers.png(papers.form().convert("1")), ("image/png", 1, 1)),
            ("a.png", papers.png(papers.form().convert("RGBA")), ("image/png", 1, 1)),
            ("a.jpg", papers.jpeg() + b"SEFH" + bytes(5000), ("image/jpeg", 1, 1)),  # as phones write behind a picture
            ("a.csv", b"\xef\xbb\xbfdate,kg\n2026-04-01,12\n", ("text/csv", None, 0)),
            ("a.csv", b"date;kg\n2026-04-01;12\n", ("text/csv", None, 0)),
            ("a.csv", "date\tkg\n2026-04-01\t-5\n".encode("utf-16"), ("text/csv", None, 0)),
            ("a.csv", "pièce;qualité\nreçu;été\n".encode("cp1252"), ("text/csv", None, 0)),
        ],
    )
    def test_goes_by_the_content(self, house_policy, name, content, found):
        looked = look(name, content, house_policy)

        assert (looked.media_type, looked.pages, len(looked.prints)) == found

    @pytest.mark.parametrize(
        "name, content",
        [
            ("a.pdf", b""),
            ("a.pdf", papers.png()),
            ("a.png", papers.pdf()),
            ("a.csv", papers.jpeg()),
            ("a.csv", b"MZ\x90\x00,\x00"),
            ("a.csv", b"\xff\xfe,"),
            ("a.csv", b"just one line"),
            ("a.exe", b"a,b\n1,2\n"),
            ("a.pdf.exe", papers.pdf()),
            ("a", papers.pdf()),
        ],
    )
    def test_refuses_what_its_name_does_not_say(self, house_policy, name, content):
        with pytest.raises(UnusableFile):
            look(name, content, house_policy)

    @pytest.mark.parametrize("name", ["", "  ", "a\x00.pdf", "x" * 300 + ".pdf"])
    def test_refuses_a_name_that_is_none(self, house_policy, name):
        with pytest.raises(UnsoundText):
            look(name, papers.pdf(), house_policy)

    def test_keeps_no_folder_of_the_sender_s(self, house_policy):
        assert look("C:\\Users\\Mwamba/../x.csv", b"a,b\n", house_policy).filename == "x.csv"

    def test_refuses_thirty_megabytes(self, house_policy):
        with pytest.raises(UnusableFile, match="20 MB"):
            look("a.pdf", papers.pdf() + bytes(30 * MB), house_policy)

    @pytest.mark.parametrize("kind", papers.HOSTILE)
    def test_refuses_in_time_and_in_little_memory(self, house_policy, tmp_path, kind):
        name, made = papers.HOSTILE[kind]
        content = made(tmp_path)
        peak = Peak()
        peak.start()
        began = time.monotonic()
        with pytest.raises(Invalid) as refusal:
            look(name, content, house_policy)
        took = time.monotonic() - began
        peak.over.set()
        peak.join()

        assert took < SECONDS
        assert peak.most < MEMORY
        assert len(refusal.value.message) > 30

    def test_takes_a_phone_s_largest_picture(self, house_policy):
        noise = Image.effect_noise((2000, 1500), 60).resize((8000, 6000))  # 48 million pixels

        assert look("a.jpg", papers.jpeg(noise.convert("RGB"), quality=60), house_policy).pages == 1

    def test_gives_the_child_none_of_our_secrets(self):
        assert set(evidence_looking.ENVIRONMENT) == {"PATH", "LC_ALL"}

    def test_says_that_a_program_is_missing_instead_of_blaming_the_file(self, house_policy, monkeypatch):
        monkeypatch.setitem(evidence_looking.ENVIRONMENT, "PATH", "/nowhere")
        with pytest.raises(LookingFailed, match="pdftoppm"):
            look("a.pdf", papers.pdf(), house_policy)

    def test_leaves_no_process_behind(self, house_policy):
        with pytest.raises(UnusableFile):
            look("a.pdf", papers.flate_bomb(), house_policy)

        running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        mine = [line for line in running.splitlines() if "evidence_child" in line and sys.executable in line]
        assert [line for line in mine if not line.startswith("[")] == []


class TestPageOf:
    def test_shows_the_pixels_alone(self, house_policy):
        original = papers.photo_with_position()
        shown = page_of("image/jpeg", original, 1, house_policy)

        assert b"TinyPhone" in original
        for secret in (b"TinyPhone", b"Model 7", b"Mwamba", b"Exif", b"GPS"):
            assert secret not in shown
        picture = Image.open(BytesIO(shown))
        assert dict(picture.getexif()) == {}
        assert "comment" not in picture.info
        assert picture.size == (877, 620)  # upright, as the phone was held

    def test_draws_each_page_of_a_pdf(self, house_policy):
        scan = papers.scan(papers.form(1), papers.form(2))
        first, second = (page_of("application/pdf", scan, number, house_policy) for number in (1, 2))

        assert first != second
        assert max(Image.open(BytesIO(first)).size) == 1600

    def test_shows_what_is_transparent_as_paper(self, house_policy):
        clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        shown = Image.open(BytesIO(page_of("image/png", papers.png(clear), 1, house_policy)))

        assert shown.getpixel((20, 20)) == (255, 255, 255)

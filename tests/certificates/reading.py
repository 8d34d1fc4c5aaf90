"""Read a drawn PDF as other people's programs do: its words, its pages, its codes."""

import re
import subprocess
from pathlib import Path


def tool(*command: str | Path) -> str:
    # A PDF is partly binary; what matters here can be read.
    return subprocess.run(command, capture_output=True, check=True, encoding="utf-8", errors="replace").stdout


def text_of(path: Path) -> str:
    """The words as a reader meets them, line breaks as spaces."""
    return " ".join(tool("pdftotext", path, "-").split())


def pages_of(path: Path) -> int:
    return int(re.search(r"^Pages: +(\d+)$", tool("pdfinfo", path), re.M)[1])


def codes_on(path: Path, page: int = 1) -> list[str]:
    picture = path.with_suffix("")
    tool("pdftoppm", "-r", "150", "-png", "-singlefile", "-f", str(page), "-l", str(page), path, picture)
    return tool("zbarimg", "--quiet", "--raw", picture.with_suffix(".png")).splitlines()


def words_outside(path: Path) -> list[str]:
    """Words that leave the text area of an A4 page (595 × 842 pt, frame at 31 pt), by their boxes."""
    boxes = re.findall(
        r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)<',
        tool("pdftotext", "-bbox", path, "-"),
    )
    return [
        word for x0, y0, x1, y1, word in boxes if float(x0) < 31 or float(x1) > 564 or float(y0) < 31 or float(y1) > 842
    ]

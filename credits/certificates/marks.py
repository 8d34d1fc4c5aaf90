"""The marks on the first sheet of a certificate, written straight into its page: the rosette and the code. Pure.

As pictures within the text, the two take longer than anything else on it. They are decoration to who listens to the
document: what the code says stands in letters beside it.
"""

import math
from collections.abc import Sequence
from functools import cache

import segno

MM = 72 / 25.4  # points
PAGE_HEIGHT = 297  # mm
PAGE_MIDDLE = 105
COPPER = "0.663 0.439 0.235"
CIRCLES = 24
EDGE = 11  # mm from the sheet's left and upper edge to the frame
FRAME = (187.69, 274.69)  # mm, its outside
LINE = 0.8  # points: of each of its two lines, and between them
BEND = 0.5522847498  # of the handles by which four curves make a circle
QUIET = 4  # modules around a code


def marked(*marks: str) -> bytes:
    """A stream that puts marks on a page, for the page's own coordinates."""
    return "\n".join(["/Artifact BMC", *marks, "EMC"]).encode()


@cache
def rosette(size: float, top: float) -> str:
    """Circles around a middle. size: across; top: of the mark, from the top of the sheet; both in millimetres."""
    radius = size / 2 * 36 / 98
    around = size / 2 * 62 / 98
    lines = ["q", f"{COPPER} RG {size * MM * 0.8 / 200:.3f} w"]
    for number in range(CIRCLES):
        angle = 2 * math.pi * number / CIRCLES
        x = PAGE_MIDDLE + around * math.cos(angle)
        y = PAGE_HEIGHT - top - size / 2 + around * math.sin(angle)
        lines.append(circle(x * MM, y * MM, radius * MM))
    return "\n".join([*lines, "Q"])


@cache
def frame() -> bytes:
    """The double line around each sheet."""
    across, down = (each * MM for each in FRAME)
    x, y = EDGE * MM, PAGE_HEIGHT * MM - EDGE * MM - down
    lines = (
        f"{x + inset:.3f} {y + inset:.3f} {across - 2 * inset:.3f} {down - 2 * inset:.3f} re"
        for inset in (LINE / 2, LINE * 2.5)
    )
    return marked("q", f"{COPPER} RG {LINE} w", *lines, "S Q")


def circle(x: float, y: float, radius: float) -> str:
    bend = radius * BEND
    points: Sequence[tuple[float, float]] = (
        (x + radius, y + bend), (x + bend, y + radius), (x, y + radius),
        (x - bend, y + radius), (x - radius, y + bend), (x - radius, y),
        (x - radius, y - bend), (x - bend, y - radius), (x, y - radius),
        (x + bend, y - radius), (x + radius, y - bend), (x + radius, y),
    )  # fmt: skip
    curves = [
        " ".join(f"{each:.2f}" for point in points[at : at + 3] for each in point) + " c" for at in range(0, 12, 3)
    ]
    return f"{x + radius:.2f} {y:.2f} m {' '.join(curves)} s"


def code(text: str, *, left: float, top: float, size: float) -> str:
    """A QR code of this size with its quiet zone. left, top: of its corner, from that of the sheet; in millimetres."""
    # A fixed mask: trying all eight for the prettiest takes longer than drawing the code.
    rows = segno.make_qr(text, error="m", mask=2).matrix
    module = size * MM / (len(rows) + 2 * QUIET)
    runs = []
    for down, row in enumerate(rows):
        start = None
        for across, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = across
            elif not dark and start is not None:
                runs.append(f"{start} {-down - 1} {across - start} 1 re")
                start = None
    x, y = left * MM + QUIET * module, (PAGE_HEIGHT - top) * MM - QUIET * module
    return "\n".join(["q", f"{module:.5f} 0 0 {module:.5f} {x:.3f} {y:.3f} cm 0 g", *runs, "f", "Q"])

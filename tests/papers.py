"""Real files, as scanners, phones and attackers make them."""

import random
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont


def form(number: int = 1, title: str = "SCALE LOG", lines: int = 14) -> Image.Image:
    """A page as a cooperative fills it in: the same lines each time, other figures."""
    chance = random.Random(number)
    page = Image.new("RGB", (620, 877), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(18)
    pen.text((40, 30), f"{title} {number}", font=ImageFont.load_default(32), fill="black")
    for row in range(lines + chance.randrange(10)):
        top = 100 + row * 29
        pen.line((40, top, 580, top), fill="black")
        words = (
            f"{chance.randrange(1, 31):02d}.04.2026    {chance.randrange(99_999) / 10} kg    {chance.choice('ABCDEFG')}"
        )
        pen.text((45, top + 4), words, font=font, fill=(20, 20, 90))
    return page


def jpeg(picture: Image.Image | None = None, **more: object) -> bytes:
    return saved(picture or form(), "JPEG", **more)


def png(picture: Image.Image | None = None) -> bytes:
    return saved(picture or form(), "PNG")


def saved(picture: Image.Image, kind: str, **more: object) -> bytes:
    kept = BytesIO()
    picture.save(kept, kind, **more)
    return kept.getvalue()


def photo_with_position() -> bytes:
    """A photo that tells where, by what and by whom it was taken, and that it lies on its side."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B] = "TinyPhone", "Model 7", "Mwamba Ilunga"
    exif[0x0112] = 6  # turned by a quarter
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "S", (10.0, 42.0, 59.0), "E", (25.0, 28.0, 0.0)
    return jpeg(form(), exif=exif, comment=b"Mwamba's phone")


def pdf(*lines: str, catalog: str = "", page: str = "", objects: tuple[str, ...] = ()) -> bytes:
    """A PDF of one page with these lines on it, and whatever else is put into its parts."""
    shown = " ".join(f"({line}) Tj 0 -24 Td" for line in lines or ("Assay LAB-1: 31.25 % Co",))
    words = f"BT /F 18 Tf 50 780 Td {shown} ET"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    resources = f"/Resources << /Font << /F {font} >> /XObject << /I 5 0 R >> >> "
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R " + resources + page + " >>",
        f"<< /Length {len(words)} >>\nstream\n{words}\nendstream",
        *objects,
    ]
    return assembled([body.encode("latin-1") for body in bodies])


def assembled(bodies: list[bytes]) -> bytes:
    """A PDF file of these objects."""
    made, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(made))
    return made + table + trailer


def scan(*pages: Image.Image) -> bytes:
    """A PDF of scanned pages."""
    kept = BytesIO()
    pages[0].save(kept, "PDF", save_all=True, append_images=pages[1:], resolution=75)
    return kept.getvalue()


def locked(content: bytes, folder: Path, password: str) -> bytes:
    """The same PDF, encrypted; without a password only restricted."""
    plain, made = folder / "plain.pdf", folder / "locked.pdf"
    plain.write_bytes(content)
    subprocess.run(["qpdf", "--encrypt", password, "owner", "256", "--", plain, made], check=True)
    return made.read_bytes()


def packed(content: bytes, folder: Path) -> bytes:
    """The same PDF with its objects in compressed streams."""
    plain, made = folder / "plain.pdf", folder / "packed.pdf"
    plain.write_bytes(content)
    subprocess.run(["qpdf", "--object-streams=generate", plain, made], check=True)
    return made.read_bytes()


def zipped() -> bytes:
    kept = BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("index.php", "<?php system($_GET['c']);")
    return kept.getvalue()


def png_saying(width: int, height: int, pixels: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose head says whatever it likes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def flate_bomb(megabytes: int = 400) -> bytes:
    """A PDF of a few kilobytes whose page is drawn by so much."""
    twice = zlib.compress(zlib.compress(b"0 0 m 9 9 l S\n" * (megabytes * 70_000), 9), 9)
    page = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(twice), twice)
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            page,
        ]
    )


NOUGHTS = 300_000_000  # bytes that a few hundred kilobytes become
SCRIPT = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
CARRIED = (
    "<< /Type /Filespec /F (run.exe) /EF << /F 6 0 R >> >>",
    "<< /Type /EmbeddedFile /Length 2 >>\nstream\nMZ\nendstream",
)
HUGE = (
    "<< /Type /XObject /Subtype /Image /Width 100000 /Height 100000 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
    "/Filter /FlateDecode /Length 4 >>\nstream\nxxxx\nendstream"
)
GIF = b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//"


def unpacking() -> bytes:
    return b"x\0\0" + zlib.compress(bytes(NOUGHTS))


# Files that must not be taken, by what they are: the name that each comes under, and what makes it in a folder.
HOSTILE: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "100,000 by 100,000 pixels": ("a.png", lambda folder: png_saying(100_000, 100_000, bytes(10_000_000))),
    "a picture of 3 GB in 3 MB": ("a.png", lambda folder: png_saying(30_000, 30_000, bytes(NOUGHTS))),
    "a text of 300 MB in a picture": (
        "a.png",
        lambda folder: png_saying(9, 9, bytes(252), (b"zTXt", unpacking())),
    ),
    "a profile of 300 MB in a picture": (
        "a.png",
        lambda folder: png_saying(9, 9, bytes(252), (b"iCCP", unpacking())),
    ),
    "half a JPEG": ("a.jpg", lambda folder: jpeg()[:20_000]),
    "half a PNG": ("a.png", lambda folder: png()[:9000]),
    "half a PDF": ("a.pdf", lambda folder: scan(form())[:20_000]),
    "a PDF of a head alone": ("a.pdf", lambda folder: b"%PDF-1.7\n%%EOF\n"),
    "a PDF that draws for hours": ("a.pdf", lambda folder: flate_bomb()),
    "a PDF with a giant picture": (
        "a.pdf",
        lambda folder: pdf(objects=(HUGE,)).replace(b"BT /F 18 Tf", b"q 9 0 0 9 0 0 cm /I Do Q BT"),
    ),
    "arrays 100,000 deep": ("a.pdf", lambda folder: pdf(catalog=f"/X {'[' * 100_000}{']' * 100_000}")),
    "pages that are their own parents": ("a.pdf", lambda folder: pdf().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")),
    "a billion pages": (
        "a.pdf",
        lambda folder: pdf().replace(b"/Kids [3 0 R] /Count 1 ", b"/Kids [] /Count 999999999 "),
    ),
    "a PDF with a password": ("a.pdf", lambda folder: locked(pdf(), folder, "secret")),
    "a PDF with restrictions": ("a.pdf", lambda folder: locked(pdf(), folder, "")),
    "a PDF that runs JavaScript": ("a.pdf", lambda folder: pdf(catalog=f"/OpenAction {SCRIPT}")),
    "the same with escapes": ("a.pdf", lambda folder: pdf(catalog=f"/OpenAction {SCRIPT}".replace("/J", "/#4a"))),
    "the same in a packed object": (
        "a.pdf",
        lambda folder: packed(pdf(catalog="/OpenAction 5 0 R", objects=(SCRIPT,)), folder),
    ),
    "a PDF that starts a program": ("a.pdf", lambda folder: pdf(page="/AA << /O << /S /Launch /F (calc.exe) >> >>")),
    "a PDF that carries a file": (
        "a.pdf",
        lambda folder: pdf(catalog="/Names << /EmbeddedFiles << /Names [(run.exe) 5 0 R] >> >>", objects=CARRIED),
    ),
    "a PDF and ZIP in one": ("a.pdf", lambda folder: pdf() + zipped()),
    "a PDF and HTML in one": ("a.pdf", lambda folder: b"%PDF-1.7\n%<script>alert(1)</script>\n" + pdf()),
    "a JPEG and PHP in one": ("a.jpg", lambda folder: jpeg(comment=b"<?php system($_GET['c']); ?>")),
    "a JPEG with PHP behind it": ("a.jpg", lambda folder: jpeg() + b"<?php phpinfo(); ?>"),
    "a JPEG and ZIP in one": ("a.jpg", lambda folder: jpeg() + zipped()),
    "a JPEG and PDF in one": ("a.jpg", lambda folder: jpeg(comment=pdf())),
    "a PNG and HTML in one": ("a.png", lambda folder: png() + b"<html><script>alert(1)</script>"),
    "a GIF and JavaScript in one": ("a.png", lambda folder: GIF),
    "the same as a table": ("a.csv", lambda folder: GIF),
    "a page as a table": ("a.csv", lambda folder: b"<html>,<script>alert(1)</script>"),
    "a program": ("a.jpg", lambda folder: b"MZ\x90\x00" + bytes(500)),
    "a drawing with a script": ("a.png", lambda folder: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "a formula": ("a.csv", lambda folder: b"tag,kg\nT-1,=2+5\n"),
    "a formula that runs a program": ("a.csv", lambda folder: b"tag,kg\nT-1,\"+cmd|' /C calc'!A0\"\n"),
    "a formula behind a blank": ("a.csv", lambda folder: b"tag;kg\nT-1;\t@SUM(A1:A9)\n"),
    "a link as a formula": ("a.csv", lambda folder: b'tag,kg\n"  =HYPERLINK(""http://x"")",1\n'),
    "ten million commas": ("a.csv", lambda folder: b"," * 10_000_000),
    "a quotation mark without end": ("a.csv", lambda folder: b'a,b\n"' + b"x" * 5_000_000),
}

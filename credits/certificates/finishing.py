"""What is put into a document once its pages are drawn: marks, enclosed files, and the bytes of its parts. Pure."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import md5

import pydyf
from weasyprint.document import Document

LEVEL = 6  # of compression: 9 takes twice as long for one per cent
SHARED = 4  # parts that all documents have in common, such as what their colours mean


@dataclass(frozen=True)
class Enclosed:
    """A file within the document. relationship: of the file to the document, as PDF/A-3 names it: Source, Data, …"""

    name: str
    content: bytes
    media_type: str
    relationship: str
    description: str


class _Written(pydyf.Object):
    """A part of the document in its bytes. The library writes each twice, and would compress it twice."""

    data = b""
    compressible = False

    def __init__(self, part: pydyf.Object, data: bytes) -> None:
        super().__init__()
        self.number, self.generation, self.free = part.number, part.generation, part.free
        self.data, self.compressible = data, part.compressible


@dataclass(frozen=True)
class Marks:
    """What is drawn below the text of a document's pages. on_each is the same in all documents."""

    on_each: bytes = b""
    on_first: bytes = b""


def finish(
    enclosed: Sequence[Enclosed], marks: Marks, shared: Sequence[bytes], document: Document, pdf: pydyf.PDF
) -> None:
    """Put the marks and the files into the document, then write its parts.

    shared: contents that every document has, and which are compressed once.
    """
    pages = [pdf.objects[number] for number in pdf.pages["Kids"][::3]]
    _put_below(pages, marks.on_each, pdf)
    _put_below(pages[:1], marks.on_first, pdf)
    shared = [*shared, marks.on_each]
    for each in pdf.objects:
        for empty in ("Pattern", "Shading"):  # of them PDF/A has rules, which nothing here can break
            if isinstance(each, pydyf.Dictionary) and each.get(empty) == {}:
                del each[empty]
    if enclosed:
        _enclose(enclosed, document, pdf)
    pdf.objects[:] = [_written(each, shared) for each in pdf.objects]


def _put_below(pages: Sequence[pydyf.Dictionary], content: bytes, pdf: pydyf.PDF) -> None:
    if not content:
        return
    stream = pydyf.Stream([content], compress=True)
    pdf.add_object(stream)
    for page in pages:
        above = page["Contents"]
        page["Contents"] = pydyf.Array([stream.reference, *(above if isinstance(above, list) else [above])])


def _enclose(enclosed: Sequence[Enclosed], document: Document, pdf: pydyf.PDF) -> None:
    # The day of the document itself: no clock is asked.
    day = pydyf.String(f"D:{datetime.fromisoformat(document.metadata.created):%Y%m%d%H%M%SZ}")
    names, all_of_them = pydyf.Array(), pydyf.Array()
    for each in sorted(enclosed, key=lambda file: file.name):
        params = {"Size": len(each.content), "CreationDate": day, "ModDate": day}
        params["CheckSum"] = f"<{md5(each.content, usedforsecurity=False).hexdigest()}>"
        kind = each.media_type.replace("/", "#2f")
        about = {"Type": "/EmbeddedFile", "Subtype": f"/{kind}", "Params": pydyf.Dictionary(params)}
        stream = pydyf.Stream([each.content], about, compress=True)
        pdf.add_object(stream)
        name = pydyf.String(each.name)
        file = pydyf.Dictionary(
            {
                "Type": "/Filespec",
                "F": name,
                "UF": name,
                "EF": pydyf.Dictionary({"F": stream.reference, "UF": stream.reference}),
                "Desc": pydyf.String(each.description),
                "AFRelationship": f"/{each.relationship}",
            }
        )
        pdf.add_object(file)
        names.extend([name, file.reference])
        all_of_them.append(file.reference)
    pdf.catalog["Names"] = pydyf.Dictionary({"EmbeddedFiles": pydyf.Dictionary({"Names": names})})
    pdf.catalog["AF"] = all_of_them


def _written(part: pydyf.Object, shared: Sequence[bytes]) -> pydyf.Object:
    if part.free == "f":
        return part
    if isinstance(part, pydyf.Stream) and part.compress:
        content = b"\n".join(each if isinstance(each, bytes) else pydyf._to_bytes(each) for each in part.stream)
        packed = _packed_once(content) if content in shared else zlib.compress(content, LEVEL)
        part.stream, part.compress = [packed], False
        part.extra = {**part.extra, "Filter": "/FlateDecode"}
    return _Written(part, part.data)


@lru_cache(SHARED)
def _packed_once(content: bytes) -> bytes:
    return zlib.compress(content, LEVEL)

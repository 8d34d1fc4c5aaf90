"""What the tests of a producer's pages share: the rules' own stage at a fixed time, and files as a phone sends them."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests import papers

NOW = datetime(2026, 7, 11, 12, tzinfo=UTC)  # ten days after what the stage does
PDF = papers.pdf()
NO_NUMBERS = ("١٢", "1e400", "NaN", "inf", "-5", "true", "0x10", "1_000", "<b>1</b>", "", " ", "\x00", "9" * 400)
# The form of a batch of cobalt, filled in.
FIGURES = {
    "key": "k1",
    "delivered_as": "ore",
    "produced_from": "2026-04-01",
    "produced_to": "2026-05-31",
    "gross_kg": "10000",
    "moisture": "20",
    "grade": "31,25",
    "miners": "800",
    "days_worked": "50",
    "sold_to": "Depot",
    "sold_with_premium": "",
    "registered_elsewhere": "0",
}


def upload(content: bytes = PDF, name: str = "assay.pdf", **bent: Any) -> dict[str, Any]:
    """A filled-in form for one paper."""
    return {"kind": "assay", "reference": "LAB-1", "key": "k1", "file": (BytesIO(content), name)} | bent


def encoded(form: dict[str, Any]) -> dict[str, Any]:
    """The same as the body of a request, in memory: the test client would leave a large file open."""
    content, name = form["file"]
    boundary, body = encode_multipart(form | {"file": FileStorage(content, name)})
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}

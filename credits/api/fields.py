"""Fields of requests and answers, stricter than the library's own: what is not exactly of its kind is refused."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_smorest.fields import Upload
from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import FileStorage

from credits.registry.minerals import Mineral

LARGEST = 2**63 - 1  # what a column holds
LONGEST = 4_000  # characters, unless a field says less
NOT_KEPT = re.compile("[\x00\ud800-\udfff]")  # no database keeps these
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Text(fields.String):
    """A text in whole characters, at most `most` of them."""

    def __init__(self, *, least: int = 0, most: int = LONGEST, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=least or None, max=most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if NOT_KEPT.search(text):
            raise ValidationError("It holds something that is no character.")
        return text


class Whole(fields.Integer):
    """A whole number written as a JSON number: no text, no truth value, no fraction."""

    def __init__(self, *, least: int = 0, most: int = LARGEST, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **kwargs)


class Count(fields.Integer):
    """A whole number in an address: digits 0 to 9 alone."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(min=least, max=most), **kwargs)

    def _validated(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", str(value), re.ASCII):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Day(fields.Date):
    """A day, written 2026-03-31 and in no other way."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        found: date = super()._deserialize(value, attr, data, **kwargs)
        return found


class OneOf(fields.Enum[StrEnum]):
    """One word of a closed list."""

    def __init__(self, words: type[StrEnum], **kwargs: Any) -> None:
        super().__init__(words, by_value=fields.String, **kwargs)


class File(Upload):
    """A file of a multipart form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ValidationError("Send a file, with its name.")
        return value


class Moment(fields.DateTime):
    """A time in UTC, to the second. For answers alone."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Micro(fields.String):
    """Micro-degrees as decimal degrees. For answers alone."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{Decimal(value).scaleb(-6):.6f}"


class InCredits(fields.String):
    """Base units as an exact decimal number of credits. For answers alone; their object has a `mineral`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dump_only=True, **kwargs)  # it reads what another field reads as well

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        mineral: Mineral = obj.mineral if hasattr(obj, "mineral") else obj.issuance.mineral
        return mineral.in_credits(value)

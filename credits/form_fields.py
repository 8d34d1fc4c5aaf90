"""Form fields that take what people type on a phone, and say clearly what they cannot take.

What was typed stays in the field, right or wrong, so that nobody types a thing twice.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar
from unicodedata import category
from uuid import uuid4

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, StringField, ValidationError
from wtforms.validators import StopValidation
from wtforms.widgets import TextInput

from credits.errors import CreditsError, Invalid
from credits.extensions import db
from credits.ledger import remember_refusal
from credits.participants.wording import DIRECTION, UNPRINTABLE, UnsoundText, paragraphs
from credits.payments.models import Currency
from credits.payments.prices import parse
from credits.problems import status_of
from credits.registry import decimals
from credits.registry.decimals import SPACED, SPACES
from credits.registry.minerals import BadMeasure

MOST_DIGITS = 18  # of a whole number; fits 64 bits
FAR_TOO_LONG = 100_000  # characters; the limit that counts is the field's own


class OnceForm(FlaskForm):
    """A form with a hidden key: sent twice, it counts once.

    field_for: the field that a refusal of this code is about, where the refusal does not name it itself. called: the
    field that a refusal names in words.
    """

    field_for: ClassVar[dict[str, str]] = {}
    called: ClassVar[dict[str, str]] = {}
    key = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"key": uuid4().hex} | kwargs)

    def validate(self, extra_validators: Any = None) -> bool:
        sound: bool = super().validate(extra_validators)
        if not sound:
            for field in self:
                show_legibly(field)
        return sound

    def refused(self, refusal: CreditsError) -> int:
        """Write the refusal down, show it and give the next try a key of its own. Returns the status."""
        refusal = remember_refusal(db.session, refusal)
        if refusal.code == "key_reused":
            said = _("This form was sent already, with other values. Look at what is there before you send it again.")
        else:
            said = str(refusal)
        named = str(refusal.detail.get("field"))
        tell_at(self, self.field_for.get(refusal.code, self.called.get(named, named)), said)
        self.key.data = uuid4().hex
        return status_of(refusal)


def tell_at(form: FlaskForm, name: object, said: str) -> None:
    """Say what is wrong at the field `name`, or above the form where it has no such field."""
    if name in form:
        form[name].errors = [*form[name].errors, said]
    else:
        form.form_errors.append(said)


class Amount(StringField):
    """A decimal number. `data` is what was typed, `plain` the same with a point and without spaces."""

    plain = ""

    def _value(self) -> str:
        return "".join(sign for sign in self.data or "" if sign.isprintable())  # HTML has no form for the others

    def pre_validate(self, form: Any) -> None:
        try:
            self.plain = with_point(self.data or "")
        except BadMeasure as refusal:
            raise StopValidation(str(refusal)) from None


class Degrees(StringField):
    """A decimal latitude or longitude. No thousands here, so a comma can only be the decimal one."""

    @property
    def plain(self) -> str:
        return (self.data or "").strip().replace(",", ".").replace("\u2212", "-")


class Whole(StringField):
    """A whole number, 0 or more; `number` is None where nothing was typed."""

    widget = TextInput()
    number: int | None = None

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)

    def pre_validate(self, form: Any) -> None:
        typed = str(self.data or "").strip()
        if SPACED.fullmatch(typed):
            typed = re.sub(rf"[{SPACES}]", "", typed)
        self.number = None
        if not typed:
            return
        if not (typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS):
            raise StopValidation(_("Please write a whole number such as 1200, in digits 0 to 9 only."))
        self.number = int(typed)


class Day(DateField):
    """A day, year first. Browsers show a calendar."""

    data: Any  # a date once the form is sound

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not typed:
            return
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", typed):
                raise ValueError
            self.data = date.fromisoformat(typed)
        except ValueError:
            raise ValueError(_("Write a day as year-month-day, such as 2026-03-31.")) from None


def with_point(typed: str) -> str:
    """`typed` with a decimal point. Raises BadMeasure where a comma may as well set thousands apart."""
    try:
        return decimals.with_point(typed)
    except decimals.Ambiguous as asked:
        told = {"typed": asked.typed, "large": asked.large, "small": asked.small}
        said = _("%(typed)s can mean %(large)s or %(small)s. Please write it without a comma.", **told)
        raise BadMeasure(said, asked=asked.typed[:40]) from None


def show_legibly(field: Field) -> None:
    """Leave out, where a refused value is shown again, what no page may contain."""
    if isinstance(field.data, str):
        field.data = legible(field.data)
    field.raw_data = [legible(raw) if isinstance(raw, str) else raw for raw in field.raw_data or ()]


def legible(text: str) -> str:
    left_out = {sign for sign in text if category(sign) in UNPRINTABLE} - set("\r\n\t") | DIRECTION
    return "".join(sign for sign in text if sign not in left_out)


def accepted_by(rule: Callable[[str], object]) -> Callable[[Any, Any], None]:
    """A validator: the value passes where `rule` takes it, otherwise the rule's sentence stands at the field."""

    def validate(form: Any, field: Any) -> None:
        try:
            rule(field.plain)
        except Invalid as refusal:
            raise ValidationError(str(refusal)) from None

    return validate


def printable(form: Any, field: Field) -> None:
    """A validator: refuses what no person can read and no database can store."""
    text = field.data or ""
    try:
        if text.strip():
            paragraphs(text, "", FAR_TOO_LONG)
    except UnsoundText:
        raise ValidationError(
            _("It held characters that cannot be printed. They are taken out; please look at it again.")
        ) from None


class Price(StringField):
    """An amount of money in the currency that another field of the form names; `minor` are its minor units."""

    minor = 0

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def _value(self) -> str:
        return "".join(sign for sign in self.data or "" if sign.isprintable())  # HTML has no form for the others

    def pre_validate(self, form: Any) -> None:
        chosen = form[self.currency].data
        if chosen not in set(Currency):
            return  # the other field says so
        try:
            self.minor = parse(self.data or "", Currency(chosen))
        except Invalid as refusal:
            raise StopValidation(str(refusal)) from None

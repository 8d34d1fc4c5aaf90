"""What a buyer fills in: what for, to whom it is billed, and how it is paid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Day, printable, with_point
from credits.identity import current_user
from credits.participants.models import Language, User
from credits.payments.models import Means, Offer, Order, Use
from credits.payments.offering import offers
from credits.payments.offering.filling import MOST_LINES
from credits.payments.orders import language_in
from credits.payments.placing import Asked
from credits.registry.minerals import BadMeasure
from credits.registry.retirement import Claim
from credits.web.paying_fields import BILL, PayingFields, begun_for, countries_offered

MOST_TYPED = 40  # characters of a quantity
CLAIM = ("beneficiary", "claim_country", "identifier", "purpose", "claim_from", "claim_to")


@dataclass(frozen=True)
class Line:
    """An offer and the number of credits that was typed for it. problem: what is wrong with that, in words."""

    offer: Offer
    typed: str
    problem: str = ""

    @property
    def quantity(self) -> int:
        """Base units. Raises BadMeasure, naming the offer."""
        try:
            return self.offer.mineral.base_units(with_point(self.typed))
        except BadMeasure as refusal:
            raise BadMeasure(f"{self.offer.number}: {refusal.message}", offer=self.offer.number) from None


class OrderForm(PayingFields):
    """The lines are read beside it: they are as many as were chosen."""

    field_for: ClassVar[dict[str, str]] = {
        "bad_vat_number": "vat_number",
        "unknown_country": "country",
        "outside_claim_window": "claim_from",
    }
    called: ClassVar[dict[str, str]] = PayingFields.called | {
        "Beneficiary": "beneficiary",
        "Identifier of the beneficiary": "identifier",
        "Purpose": "purpose",
    }

    revision = HiddenField()
    use = RadioField(lazy_gettext("What are the credits for?"), [InputRequired()])
    beneficiary = StringField(lazy_gettext("Beneficiary: its legal name"), [Optional(), Length(max=200), printable])
    claim_country = SelectField(lazy_gettext("Country of the beneficiary"), [Optional()])
    identifier = StringField(lazy_gettext("Identifier of the beneficiary"), [Optional(), Length(max=100), printable])
    purpose = TextAreaField(lazy_gettext("Purpose"), [Optional(), Length(max=500), printable])
    claim_from = Day(lazy_gettext("First day of the claim period"), [Optional()])
    claim_to = Day(lazy_gettext("Last day of the claim period"), [Optional()])
    language = SelectField(
        lazy_gettext("Language of the certificate"),
        choices=[SelectChoice(code, name) for code, name in languages.NAMES],
        default=lambda: current_user().language.value,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.claim_country.choices = countries_offered()
        for name in (*CLAIM, "language"):
            self[name].flags.required = True  # where they are shown; `validate` asks for them
        self.use.choices = [
            SelectChoice(Use.KEEP.value, _("To keep: we transfer or retire them later")),
            SelectChoice(Use.RETIRE.value, _("To be retired at once, with the certificate in the same step")),
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        sound: bool = super().validate(extra_validators)
        if self.use.data == Use.RETIRE:
            for name in CLAIM:
                field = self[name]
                if not field.data and not field.errors:
                    field.errors = [_("Needed where the credits are retired at once.")]
                    sound = False
        return sound

    def asked(self, lines: Sequence[Line]) -> Asked:
        """Raises BadMeasure."""
        use = Use(self.use.data)
        return Asked(
            lines=[(line.offer, line.quantity) for line in lines],
            means=Means(self.means.data),
            use=use,
            claim=self.claim() if use is Use.RETIRE else None,
            billing=self.billing,
            open_to_public=self.open_to_public.data,
            language=Language(self.language.data) if use is Use.RETIRE else None,
        )

    def claim(self) -> Claim:
        return Claim(
            beneficiary=self.beneficiary.data,
            country=self.claim_country.data,
            identifier=self.identifier.data,
            purpose=self.purpose.data,
            claim_from=self.claim_from.data,
            claim_to=self.claim_to.data,
        )


def lines_asked() -> list[Line]:
    """The offers of the address or the form, each with its quantity. Raises NoSuchOffer."""
    numbers, typed = request.values.getlist("offer"), request.values.getlist("quantity")
    quantities = dict(zip(numbers, typed + [""] * len(numbers), strict=False))
    return [
        Line(offers.offer_numbered(db.session(), number), quantity.strip()[:MOST_TYPED])
        for number, quantity in list(quantities.items())[:MOST_LINES]
    ]


def told_at(lines: Sequence[Line], refusal: CreditsError) -> list[Line]:
    """The lines as they were typed, with the refusal at the one that it names, if it names one."""
    named = refusal.detail.get("offer")
    return [replace(line, problem=str(refusal)) if line.offer.number == named else line for line in lines]


def lines_of(order: Order) -> list[Line]:
    return [Line(line.offer, line.offer.mineral.in_credits(line.quantity)) for line in order.lines]


def filled_from(order: Order) -> dict[str, Any]:
    """What the fields show of an order that stands."""
    claim = dict(order.claim or {})
    shown = {name: claim.get(name) for name in ("beneficiary", "identifier", "purpose")}
    if spoken := language_in(order):
        shown["language"] = spoken.value
    shown["claim_country"] = claim.get("country", "")
    for name in ("claim_from", "claim_to"):
        shown[name] = date.fromisoformat(claim[name]) if name in claim else None
    billing = {name: order.billing.get(name) for name in BILL}
    return shown | billing | {"means": order.means, "use": order.use, "open_to_public": order.open_to_public}


def filled_for(person: User, country: str) -> dict[str, Any]:
    """What a new order begins with. country: the one for which the price was shown, if any."""
    buyer = person.organisation
    first = {"use": Use.KEEP.value, "beneficiary": buyer.name, "claim_country": buyer.country}
    return first | {"identifier": buyer.registration_number or ""} | begun_for(person, country)


def whole(typed: str | None) -> int:
    """A number that a hidden field carries; 0, which nothing has, where somebody wrote something else."""
    text = typed or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

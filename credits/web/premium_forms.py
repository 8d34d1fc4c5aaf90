"""The forms of a site's premium: committee, minute, payout, use."""

from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, StopValidation

from credits.errors import CreditsError, Invalid
from credits.form_fields import Day, OnceForm, Whole, printable
from credits.payments.models import Currency
from credits.payments.premiums.committees import Decided, NotHeld
from credits.payments.premiums.disbursing import BeyondDecision
from credits.payments.premiums.premium_models import PayoutMeans, Theme
from credits.payments.premiums.premium_papers import PaperUsed
from credits.payments.premiums.spending import BeyondPayout, Bought
from credits.payments.prices import parse, written
from credits.premium_words import MEANS, THEMES
from credits.registry.papers.evidence_looking import UnusableFile
from credits.web.sites import choices_of, chosen_of, not_ahead


class Sum(StringField):
    """An amount of money in the form's own currency, or nothing; `minor` are its minor units, 0 for nothing."""

    minor = 0

    def _value(self) -> str:
        return "".join(sign for sign in self.data or "" if sign.isprintable())  # HTML has no form for the others

    def pre_validate(self, form: Any) -> None:
        typed = (self.data or "").strip()
        if not typed or (typed.isascii() and not typed.strip("0.")):
            self.minor = 0
            return
        try:
            self.minor = parse(typed, form.money)
        except Invalid as refusal:
            raise StopValidation(str(refusal)) from None


class MoneyForm(OnceForm):
    """money: the currency of its amounts."""

    def __init__(self, *args: Any, money: Currency, **kwargs: Any) -> None:
        self.money = money
        super().__init__(*args, **kwargs)


CHOSEN = FileRequired(lazy_gettext("Choose the file."))


class CommitteeForm(OnceForm):
    women = Whole(lazy_gettext("Women in the committee"), [InputRequired()])
    men = Whole(lazy_gettext("Men in the committee"), [InputRequired()])
    names = TextAreaField(lazy_gettext("Their names"), [DataRequired(), Length(max=4000), printable])
    since = Day(lazy_gettext("Since"), [InputRequired(), not_ahead])


class MinuteForm(MoneyForm):
    health_and_safety = Sum(THEMES[Theme.HEALTH_AND_SAFETY], [Length(max=40)])
    child_rights = Sum(THEMES[Theme.CHILD_RIGHTS], [Length(max=40)])
    governance = Sum(THEMES[Theme.GOVERNANCE], [Length(max=40)])
    environment = Sum(THEMES[Theme.ENVIRONMENT], [Length(max=40)])
    income = Sum(THEMES[Theme.INCOME], [Length(max=40)])
    other = Sum(THEMES[Theme.OTHER], [Length(max=40)])
    said = TextAreaField(lazy_gettext("What was decided?"), [DataRequired(), Length(max=4000), printable])
    decided_on = Day(lazy_gettext("Decided on"), [InputRequired(), not_ahead])
    women = Whole(lazy_gettext("Women who were there"), [InputRequired()])
    men = Whole(lazy_gettext("Men who were there"), [InputRequired()])
    file = FileField(lazy_gettext("The signed minute"), [CHOSEN])
    open_to_public = BooleanField(lazy_gettext("Everybody may look at the minute"))

    def validate_other(self, field: Sum) -> None:
        if not any(self[theme.value].minor or self[theme.value].errors for theme in Theme):
            raise ValidationError(_("Give an amount for at least one theme."))

    def refused(self, refusal: CreditsError) -> int:
        """As every form; that there is less than the themes need stands at the first of them."""
        given = [theme.value for theme in Theme if self[theme.value].minor]
        files = dict.fromkeys((PaperUsed.code, UnusableFile.code), "file")
        self.field_for = files | ({NotHeld.code: given[0]} if given else {})  # type: ignore[misc]
        return super().refused(refusal)

    @property
    def decided(self) -> Decided:
        return Decided(
            currency=self.money,
            by_theme={theme: self[theme.value].minor for theme in Theme if self[theme.value].minor},
            women=self.women.number or 0,
            men=self.men.number or 0,
            said=self.said.data or "",
            decided_on=self.decided_on.data,
        )


class ReasonForm(OnceForm):
    reason = TextAreaField(lazy_gettext("Reason"), [DataRequired(), Length(max=500), printable])


class PayoutForm(MoneyForm):
    field_for: ClassVar[dict[str, str]] = dict.fromkeys((BeyondDecision.code, NotHeld.code), "amount")
    amount = Sum(lazy_gettext("Amount"), [InputRequired(), Length(max=40)])
    means = RadioField(lazy_gettext("How is it paid?"), [InputRequired()], choices=choices_of(MEANS))
    payee = TextAreaField(lazy_gettext("Who is paid, and where?"), [DataRequired(), Length(max=500), printable])

    @property
    def asked(self) -> dict[str, Any]:
        return {"amount": self.amount.minor, "means": PayoutMeans(self.means.data), "payee": self.payee.data}


class UseForm(MoneyForm):
    field_for: ClassVar[dict[str, str]] = {BeyondPayout.code: "amount"}
    theme = SelectField(lazy_gettext("Theme"), [InputRequired()], choices=chosen_of(THEMES))
    amount = Sum(lazy_gettext("Amount"), [InputRequired(), Length(max=40)])
    what = TextAreaField(lazy_gettext("What was bought?"), [DataRequired(), Length(max=2000), printable])
    bought_on = Day(lazy_gettext("Bought on"), [InputRequired(), not_ahead])
    receipt = FileField(lazy_gettext("The receipt"), [CHOSEN])
    show_receipt = BooleanField(lazy_gettext("Everybody may look at the receipt"))
    photo = FileField(lazy_gettext("A photo of it"), [Optional()])
    show_photo = BooleanField(lazy_gettext("Everybody may look at the photo"))

    def offer(self, left: dict[Theme, int]) -> None:
        """Let one of these themes be chosen, each with what of it can still be accounted for, in minor units."""
        chosen = [
            SelectChoice(theme.value, _("%(theme)s: %(sum)s left", theme=THEMES[theme], sum=written(rest, self.money)))
            for theme, rest in left.items()
        ]
        self.theme.choices = chosen if len(chosen) == 1 else [SelectChoice("", _("Choose…")), *chosen]

    @property
    def bought(self) -> Bought:
        return Bought(Theme(self.theme.data), self.amount.minor, self.what.data or "", self.bought_on.data)

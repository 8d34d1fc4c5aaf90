"""An organisation joins, and a person looks after their own account."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import hash_password
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError
from credits.extensions import db, security
from credits.identity import current_user, new_handle, now, signed_in, visitor
from credits.letters import send_later
from credits.participants import countries, organisations, users
from credits.participants.models import Kind, Language
from credits.participants.permissions import HEADS, has_any
from credits.problems import status_of
from credits.web.blueprint import bp

KINDS = [
    SelectChoice(Kind.COOPERATIVE.value, lazy_gettext("A cooperative or other group of miners")),
    SelectChoice(Kind.GROUP_MANAGER.value, lazy_gettext("A group manager, who acts for several cooperatives")),
    SelectChoice(Kind.VERIFIER.value, lazy_gettext("A verifier")),
    SelectChoice(Kind.MANUFACTURER.value, lazy_gettext("A manufacturer")),
    SelectChoice(Kind.RESELLER.value, lazy_gettext("A reseller")),
]
LANGUAGES = [SelectChoice(code, name) for code, name in languages.NAMES]


def sound_email(form: FlaskForm, field: EmailField) -> None:
    """Refuse what no mail can be sent to. Asks no name server."""
    try:
        field.data = security.mail_util.validate(field.data or "")
    except ValueError:
        raise ValidationError(_("Write an address such as name@example.org.")) from None


def sound_password(form: FlaskForm, field: PasswordField) -> None:
    problems, field.data = security.password_util.validate(field.data or "", True)
    if problems:
        raise ValidationError(" ".join(str(problem) for problem in problems))


class SignUpForm(FlaskForm):
    kind = SelectField(lazy_gettext("What are you?"), choices=KINDS, validators=[InputRequired()])
    name = StringField(lazy_gettext("Name of the organisation"), [InputRequired(), Length(max=200)])
    legal_form = StringField(lazy_gettext("Legal form"), [InputRequired(), Length(max=200)])
    country_code = SelectField(lazy_gettext("Country"), validators=[InputRequired()])
    registration_number = StringField(lazy_gettext("Registration number"), [Optional(), Length(max=200)])
    address = TextAreaField(lazy_gettext("Address"), [InputRequired(), Length(max=500)])
    contact_email = EmailField(
        lazy_gettext("E-mail of the organisation"), [InputRequired(), Length(max=200), sound_email]
    )
    person = StringField(lazy_gettext("Your name"), [InputRequired(), Length(max=200)])
    email = EmailField(lazy_gettext("Your e-mail"), [InputRequired(), Length(max=200), sound_email])
    language = SelectField(lazy_gettext("Language"), choices=LANGUAGES, validators=[InputRequired()])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(), Length(max=200), sound_password])


class LanguageForm(FlaskForm):
    language = SelectField(lazy_gettext("Language"), choices=LANGUAGES, validators=[InputRequired()])


@bp.route("/join", methods=["GET", "POST"])
def sign_up() -> ResponseReturnValue:
    if visitor() is not None:
        return redirect(url_for("web.account"), 303)
    form = SignUpForm(language=languages.current())
    form.country_code.choices = [
        SelectChoice(code, name) for code, name in [("", ""), *countries.listed(languages.current())]
    ]
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            organisations.sign_up(
                db.session,
                kind=Kind(form.kind.data),
                name=form.name.data,
                legal_form=form.legal_form.data,
                country_code=form.country_code.data,
                registration_number=form.registration_number.data or None,
                address=form.address.data,
                contact_email=form.contact_email.data,
                person=form.person.data,
                email=form.email.data,
                language=Language(form.language.data),
                password=hash_password(form.password.data),
                handle=new_handle(),
                at=now(),
            )
            db.session.commit()
            return redirect(url_for("web.signed_up"), 303)
        except users.EmailTaken:
            db.session.rollback()
            # The same answer as to everybody: whether an address has an account is told to its owner alone.
            send_later(_("You have an account already"), render_template("emails/account_exists.txt"), form.email.data)
            return redirect(url_for("web.signed_up"), 303)
        except CreditsError as refusal:
            db.session.rollback()
            form.form_errors.append(str(refusal))
            status = status_of(refusal)
    return render_template("accounts/sign_up.html", form=form), status


@bp.get("/join/received")
def signed_up() -> ResponseReturnValue:
    return render_template("accounts/signed_up.html")


@bp.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    user = current_user()
    return render_template(
        "accounts/account.html",
        user=user,
        organisation=user.organisation,
        country=countries.name_of(user.organisation.country, languages.current()),
        heads=has_any(user, *HEADS),
        language_form=LanguageForm(language=user.language.value),
    )


@bp.post("/account/language")
@signed_in
def choose_language() -> ResponseReturnValue:
    user = current_user()
    form = LanguageForm()
    if form.validate_on_submit():
        user.language = Language(form.language.data)
        db.session.commit()
        languages.forget_choice()
        flash(_("Your language is kept."), "success")
    return redirect(url_for("web.account"), 303)

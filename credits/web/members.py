"""The people of one's own organisation: invited, and let go."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import url_for_security
from flask_security.recoverable import generate_reset_password_token
from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, new_handle, now, signed_in
from credits.letters import send_later
from credits.participants import users
from credits.participants.models import Language, RoleName, User
from credits.participants.permissions import ROLES_OF, may_manage_members, must_head
from credits.problems import status_of
from credits.web.accounts import LANGUAGES, sound_email
from credits.web.blueprint import bp

ROLES = {
    RoleName.CLERK: lazy_gettext("Clerk: records sites, batches and evidence"),
    RoleName.MANAGER: lazy_gettext("Manager: also moves credits and adds people"),
    RoleName.REVIEWER: lazy_gettext("Reviewer: looks through batches and evidence"),
    RoleName.LEAD: lazy_gettext("Lead: also decides and adds people"),
    RoleName.ISSUER: lazy_gettext("Issuer: approves organisations, issues credits and adds people"),
    RoleName.INITIATOR: lazy_gettext("Initiator: starts transfers and retirements"),
    RoleName.APPROVER: lazy_gettext("Approver: approves them and adds people"),
    RoleName.READER: lazy_gettext("Reader: sees everything, changes nothing"),
    RoleName.AUDITOR: lazy_gettext("Auditor: reads everything, changes nothing"),
}


class Checkboxes(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NewMemberForm(FlaskForm):
    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=200)])
    email = EmailField(lazy_gettext("E-mail"), [InputRequired(), Length(max=200), sound_email])
    language = SelectField(lazy_gettext("Language"), choices=LANGUAGES, validators=[InputRequired()])
    roles = Checkboxes(lazy_gettext("What may this person do?"), [InputRequired()])


@bp.get("/account/members")
@signed_in
def members() -> ResponseReturnValue:
    user = current_user()
    must_head(user, user.organisation)
    return render_template("accounts/members.html", organisation=user.organisation, user=user, words=ROLES)


@bp.route("/account/members/new", methods=["GET", "POST"])
@signed_in
def add_member() -> ResponseReturnValue:
    user = current_user()
    may_manage_members(user, user.organisation)
    form = NewMemberForm(language=user.language.value)
    form.roles.choices = [SelectChoice(role.value, ROLES[role]) for role in ROLES_OF[user.organisation.kind]]
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            member = users.add(
                db.session,
                organisation=user.organisation,
                name=form.name.data,
                email=form.email.data,
                language=Language(form.language.data),
                roles=[RoleName(role) for role in form.roles.data],
                handle=new_handle(),
                by=user,
                at=now(),
            )
            db.session.commit()
            invite(member, user)
            return invited(form)
        except users.EmailTaken:
            db.session.rollback()
            # The same answer as to everybody: whether an address has an account is told to its owner alone.
            send_later(_("You have an account already"), render_template("emails/account_exists.txt"), form.email.data)
            return invited(form)
        except CreditsError as refusal:
            db.session.rollback()
            form.form_errors.append(str(refusal))
            status = status_of(refusal)
    return render_template("accounts/add_member.html", form=form), status


@bp.post("/account/members/<number>/close")
@signed_in
def close_member(number: str) -> ResponseReturnValue:
    user = current_user()
    member = users.numbered(db.session, number)
    users.close(db.session, member, handle=new_handle(), by=user, at=now())
    db.session.commit()
    flash(_("The account of %(name)s is closed.", name=member.name), "success")
    return redirect(url_for("web.members"), 303)


def invited(form: NewMemberForm) -> ResponseReturnValue:
    flash(_("%(name)s gets a mail with the way to a password.", name=form.name.data), "success")
    return redirect(url_for("web.members"), 303)


def invite(member: User, by: User) -> None:
    """Mail the way to a first password: the same link as for a forgotten one."""
    token = generate_reset_password_token(member)  # type: ignore[no-untyped-call]
    link = url_for_security("reset_password", token=token, _external=True)
    body = render_template("emails/invitation.txt", member=member, by=by, link=link)
    send_later(_("You are invited"), body, member.email)

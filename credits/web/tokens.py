"""A person's keys to the JSON API: made, shown once, revoked."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, new_secret, now, signed_in
from credits.participants import tokens as tokens_of
from credits.problems import status_of
from credits.web.blueprint import bp


class NewTokenForm(FlaskForm):
    name = StringField(lazy_gettext("What is it for?"), [InputRequired(), Length(max=80)])


@bp.get("/account/tokens")
@signed_in
def tokens() -> ResponseReturnValue:
    return _page(NewTokenForm(), 200)


@bp.post("/account/tokens")
@signed_in
def create_token() -> ResponseReturnValue:
    form = NewTokenForm()
    status = 422
    if form.validate_on_submit():
        secret = new_secret()
        try:
            token = tokens_of.create(db.session, user=current_user(), name=form.name.data, secret=secret, at=now())
            db.session.commit()
            # No redirect: the secret exists in this one answer and nowhere else.
            return render_template("accounts/new_token.html", token=token, secret=secret), 201
        except CreditsError as refusal:
            db.session.rollback()
            form.form_errors.append(str(refusal))
            status = status_of(refusal)
    return _page(form, status)


@bp.post("/account/tokens/<int:token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> ResponseReturnValue:
    token = tokens_of.revoke(db.session, token_id, by=current_user(), at=now())
    db.session.commit()
    flash(_("The token %(name)s opens nothing any more.", name=token.name), "success")
    return redirect(url_for("web.tokens"), 303)


def _page(form: NewTokenForm, status: int) -> ResponseReturnValue:
    in_use = [token for token in current_user().tokens if token.revoked_at is None]
    return render_template("accounts/tokens.html", tokens=in_use, form=form), status

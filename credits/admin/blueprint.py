"""The blueprint of the panel for verifiers and the registry: strangers do not come past its door."""

from flask import Blueprint

from credits.identity import current_user, must_be_staff

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.before_request
def let_staff_in() -> None:
    must_be_staff(current_user())

"""The blueprint of the panel for verifiers and the registry: strangers do not come past its door."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from credits.identity import current_user, must_be_staff, visitor
from credits.participants.permissions import is_auditor, is_issuer

bp = Blueprint("admin", __name__, url_prefix="/admin")


@bp.before_request
def let_staff_in() -> None:
    must_be_staff(current_user())


@bp.context_processor
def areas() -> dict[str, Any]:
    """The parts of the panel that are open to who is asking, as (label, endpoint) pairs."""
    user = visitor()
    if user is None:
        return {"areas": []}
    open_to = [
        (_("Queue"), "admin.home"),
        (_("Findings"), "admin.findings"),
        (_("Grievances"), "admin.grievances"),
        (_("Groups"), "admin.groups"),
    ]
    if is_issuer(user) or is_auditor(user):
        open_to.append((_("Assignments"), "admin.assignments"))
        open_to.append((_("Issuances"), "admin.issuances"))
        open_to.append((_("Decisions"), "admin.decisions"))
        open_to.append((_("Holds"), "admin.holds"))
        open_to.append((_("Premium"), "admin.premium"))
        open_to.append((_("Orders"), "admin.orders"))
        open_to.append((_("Floors"), "admin.price_floors"))
        open_to.append((_("Organisations"), "admin.organisations"))
        open_to.append((_("Transfers"), "admin.transfers"))
        open_to.append((_("Retirements"), "admin.retirements"))
    return {"areas": open_to}

"""Who asks, for whom they act, and who can be sent credits."""

from collections.abc import Sequence
from typing import Any

from credits.api.blueprint import Area
from credits.api.doing import With, page_of
from credits.api.schemas.participants import Me, Organisation, OrganisationsQuery
from credits.api.schemas.shared import OrganisationBrief, PagingSchema
from credits.extensions import db
from credits.identity import current_user
from credits.participants import models
from credits.registry import public, queries

area = Area("participants", "Who asks, for whom they act, and who can be sent credits.")


@area.get("/me", gives=Me)
def me() -> With:
    """Whose token this is, and what they may do."""
    user = current_user()
    return With(user, roles=[role.name.value for role in user.roles])


@area.get("/organisations", takes=PagingSchema, gives=Organisation(many=True))
def organisations(asked: dict[str, Any]) -> tuple[Sequence[models.Organisation], dict[str, str]]:
    """Your organisation and those of its group; all of them for the registry."""
    return page_of(queries.organisations_of(current_user()), asked)


@area.get("/organisations/<number>", gives=OrganisationBrief, public=True)
def organisation(number: str) -> models.Organisation:
    """An organisation that takes part. Public."""
    return public.organisation_known_as(db.session, number)


@area.get("/recipients", takes=OrganisationsQuery, gives=OrganisationBrief(many=True))
def recipients(asked: dict[str, Any]) -> tuple[Sequence[models.Organisation], dict[str, str]]:
    """Who can be sent credits by your organisation."""
    return page_of(queries.recipients(current_user().organisation, asked["q"]), asked)

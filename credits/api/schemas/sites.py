"""Sites, their licences, and what others have seen there."""

from marshmallow import fields

from credits.api.fields import Day, Micro, Moment, OneOf, Text, Whole
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.registry.mines.sites import MOST_MINERS
from credits.registry.production import Access, Method
from credits.registry.production import Answer as YesNo


class SiteRequest(Request):
    """A site to register."""

    producer = Text(
        load_default=None,
        allow_none=True,
        most=40,
        metadata={"description": "Number of a cooperative of your group; your own organisation if left out."},
    )
    name = Text(required=True, least=1, most=120)
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    province = Text(required=True, least=1, most=120)
    district = Text(required=True, least=1, most=120)
    latitude = Text(required=True, least=1, most=20, metadata={"description": "Decimal degrees, WGS 84. Kept private."})
    longitude = Text(required=True, least=1, most=20)
    access = OneOf(Access, required=True)
    concession_owner = Text(required=True, least=1, most=200)
    method = OneOf(Method, required=True)
    mercury = OneOf(YesNo, required=True)
    miners = Whole(required=True, most=MOST_MINERS)
    conflict_affected = OneOf(YesNo, required=True)
    conflict_source = Text(load_default="", most=200, metadata={"description": "Needed unless `unknown`."})
    conflict_checked_on = Day(load_default=None, allow_none=True)


class LicenceRequest(Request):
    """A licence to enter."""

    number = Text(required=True, least=1, most=80)
    authority = Text(required=True, least=1, most=200)
    valid_from = Day(required=True)
    valid_to = Day(required=True)


class MatchRequest(Request):
    """Which site of the open data this is; null: none of them."""

    pcode = Text(required=True, allow_none=True, least=1, most=40)


class SitesQuery(PagingSchema):
    q = Text(load_default="", most=200, metadata={"description": "Part of a name, code, district or producer."})


class Licence(Answer):
    number = fields.String()
    authority = fields.String()
    valid_from = fields.Date()
    valid_to = fields.Date()


class Visit(Answer):
    """A dated visit by somebody else."""

    visit = fields.Integer()
    visited_on = fields.Date()
    recorded = fields.Dict(keys=fields.String(), values=fields.String())


class ObservedSite(Answer):
    """A site in somebody else's open data."""

    pcode = fields.String()
    source = fields.String()
    name = fields.String()
    country = fields.String()
    province = fields.String()
    territory = fields.String()
    village = fields.String()


class ObservedSiteWithVisits(ObservedSite):
    licence = fields.String()
    visits = fields.List(fields.Nested(Visit), attribute="observations")


class Candidate(Answer):
    """An observed site that may be the one in question."""

    site = fields.Nested(ObservedSite)
    distance_km = fields.Float()
    likeness = fields.Float(metadata={"description": "Of the names, from 0 to 1, the same."})


class SiteSummary(Answer):
    """A site in a list."""

    number = fields.String()
    name = fields.String()
    country = fields.String()
    province = fields.String()
    district = fields.String()
    producer = fields.Nested(OrganisationBrief)


class Site(SiteSummary):
    """A site in full, its exact position included: for its own people, verifiers and the registry."""

    latitude = Micro()
    longitude = Micro()
    access = fields.String(attribute="access.value")
    concession_owner = fields.String()
    method = fields.String(attribute="method.value")
    mercury = fields.String(attribute="mercury.value")
    miners = fields.Integer()
    conflict_affected = fields.String(attribute="conflict_affected.value")
    conflict_source = fields.String()
    conflict_checked_on = fields.Date(allow_none=True)
    registered_at = Moment()
    licences = fields.List(fields.Nested(Licence))
    observed = fields.Nested(ObservedSite, allow_none=True)


class SiteRecord(Answer):
    """What was written down of a site on a day. struck: it was wrong, and no longer counts."""

    day = fields.Date()
    struck = fields.Boolean()
    struck_reason = fields.String(allow_none=True)
    entered_at = Moment()


class Training(SiteRecord):
    topic = fields.String()
    minutes = fields.Integer()
    women = fields.Integer()
    men = fields.Integer()


class Members(SiteRecord):
    women = fields.Integer()
    men = fields.Integer()
    young_women = fields.Integer(metadata={"description": "Of the women, those of 18 to 35 years."})
    young_men = fields.Integer(metadata={"description": "Of the men, those of 18 to 35 years."})


class Accident(SiteRecord):
    severity = fields.String(attribute="severity.value")
    hurt = fields.Integer()
    killed = fields.Integer()
    measures = fields.String()


class Mercury(SiteRecord):
    used = fields.String(attribute="used.value")
    note = fields.String()


class Formalised(SiteRecord):
    stage = fields.String(attribute="stage.value")
    source = fields.String()


class Miners(SiteRecord):
    miners = fields.Integer()


class SiteRecords(Answer):
    """What a site's people have written down over time."""

    training = fields.List(fields.Nested(Training))
    members = fields.List(fields.Nested(Members))
    accidents = fields.List(fields.Nested(Accident))
    mercury = fields.List(fields.Nested(Mercury))
    formalisation = fields.List(fields.Nested(Formalised))
    miners = fields.List(fields.Nested(Miners))

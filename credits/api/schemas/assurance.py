"""What is asked and answered about standards, assessments and the standing of sites."""

from marshmallow import fields

from credits.api.fields import Day, Moment, OneOf, Text, Whole
from credits.api.schemas.shared import Answer, Request
from credits.registry.assurance.assurance_models import Severity
from credits.registry.assurance.standards import Word


class AnswerRequest(Request):
    """The answer to one requirement. What is left out is empty."""

    requirement = Text(required=True, least=1, most=20)
    answer = OneOf(Word, load_default=None, allow_none=True)
    evidence = Text(load_default="", most=1000, metadata={"description": "What it rests on."})
    paper = Whole(load_default=None, allow_none=True, metadata={"description": "Id of a paper of the site's batches."})
    finding = Text(load_default="", most=1000, metadata={"description": "What was found, where it is not met."})
    severity = OneOf(Severity, load_default=None, allow_none=True)
    plan = Text(load_default="", most=200, metadata={"description": "What is done about it; public."})
    due = Day(load_default=None, allow_none=True)
    concerns_from = Day(load_default=None, allow_none=True, metadata={"description": "Of zero tolerance: first day."})
    concerns_to = Day(load_default=None, allow_none=True)


class AnswersRequest(Request):
    answers = fields.List(fields.Nested(AnswerRequest), required=True, validate=lambda rows: 1 <= len(rows) <= 200)


class CompletionRequest(Request):
    next_due = Day(required=True, metadata={"description": "When the site is to be assessed again."})


class Requirement(Answer):
    code = fields.String()
    title = fields.String()
    summary = fields.String()
    wording = fields.String(attribute="wording.value", metadata={"description": "`own summary` or `official`."})
    source = fields.String()


class Module(Answer):
    number = fields.Integer()
    title = fields.String()
    answers = fields.List(fields.String(), attribute="answers.words")
    source = fields.String()
    requirements = fields.List(fields.Nested(Requirement))


class Level(Answer):
    number = fields.Integer()
    title = fields.String()
    rule = fields.String()


class Standard(Answer):
    """One version of a standard, as its file says it."""

    code = fields.String()
    name = fields.String()
    version = fields.String()
    published_by = fields.String()
    note = fields.String()
    sha256 = fields.String()
    modules = fields.List(fields.Nested(Module))
    levels = fields.List(fields.Nested(Level))


class Assessment(Answer):
    """A verifier's assessment of a site. level: null until it is complete; level_number 0: no step reached."""

    number = fields.String()
    standard = fields.String(attribute="edition.code")
    version = fields.String(attribute="edition.version")
    begun_at = Moment()
    completed_at = Moment(allow_none=True)
    level_number = fields.Integer(allow_none=True)
    level = fields.String(allow_none=True)
    next_due = fields.Date(allow_none=True)
    missing = fields.List(fields.String(), metadata={"description": "What is to be written before it is complete."})


class PlanPoint(Answer):
    """One open finding, as everybody may read it."""

    finding = fields.String()
    requirement = fields.String(allow_none=True)
    title = fields.String()
    severity = fields.String()
    plan = fields.String()
    due = fields.String()


class StateRow(Answer):
    state = fields.String(attribute="state.value")
    from_on = fields.Date()
    until_on = fields.Date(allow_none=True)
    cause = fields.String(attribute="cause.value")


class LevelReached(Answer):
    assessment = fields.String(attribute="number")
    standard = fields.String(attribute="edition.name")
    version = fields.String(attribute="edition.version")
    level_number = fields.Integer()
    level = fields.String()
    verifier = fields.String(attribute="verifier_organisation.name")
    completed_at = Moment()
    next_due = fields.Date()


class SiteAssurance(Answer):
    """How a site stands: its state on a day, the level reached, the plan with its dates, and its states so far."""

    site = fields.String()
    day = fields.Date()
    state = fields.String(metadata={"description": "`active`, `probation` or `suspended`."})
    since = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True, metadata={"description": "End of a probation; earliest of a suspension."})
    level = fields.Nested(LevelReached, allow_none=True)
    plan = fields.List(fields.Nested(PlanPoint))
    history = fields.List(fields.Nested(StateRow))


class DayQuery(Request):
    on = Day(load_default=None, metadata={"description": "Any day, past ones too; today if left out."})

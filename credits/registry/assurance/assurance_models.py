"""The tables of assurance: standards as they were used, assessments with their answers, findings, states of a site."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import Organisation, User
from credits.registry.assurance import standard_files, standards
from credits.registry.movements import Decision
from credits.registry.production import Assurance, AssuranceState, Batch, Evidence, Site


class StandardEdition(Model):
    """A standard's file as an assessment used it, kept for ever under its SHA-256. Never edited."""

    __tablename__ = "standard_edition"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_whole"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    version: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(Document())
    kept_at: Mapped[datetime]

    @property
    def standard(self) -> standards.Standard:
        return standard_files.of(self.content, self.sha256)


class Assessment(Model):
    """A verifier's answers about a site against one edition of a standard. Once completed never edited.

    batch: the batch in whose review it was begun, whose papers are the evidence. next_due: when to look again.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        CheckConstraint("(completed_at IS NULL) = (completed_by_id IS NULL)", name="completed_by_somebody"),
        CheckConstraint("(completed_at IS NULL) = (level IS NULL)", name="completed_with_a_level"),
        CheckConstraint("(level IS NULL) = (level_number IS NULL)", name="level_numbered"),
        CheckConstraint("(completed_at IS NULL) = (next_due IS NULL)", name="completed_until_next"),
        Index(
            "uq_assessment_open",
            "site_id",
            "verifier_organisation_id",
            unique=True,
            sqlite_where=text("completed_at IS NULL"),
            postgresql_where=text("completed_at IS NULL"),
        ),
        Index("ix_assessment_site_id", "site_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    edition_id: Mapped[int] = mapped_column(ForeignKey("standard_edition.id"))
    verifier_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    begun_at: Mapped[datetime]
    completed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    completed_at: Mapped[datetime | None]
    level_number: Mapped[int | None]
    level: Mapped[str | None]
    next_due: Mapped[date | None]

    site: Mapped[Site] = relationship()
    batch: Mapped[Batch] = relationship()
    edition: Mapped[StandardEdition] = relationship()
    verifier_organisation: Mapped[Organisation] = relationship()
    begun_by: Mapped[User] = relationship(foreign_keys=[begun_by_id])
    completed_by: Mapped[User | None] = relationship(foreign_keys=[completed_by_id])
    answers: Mapped[list["AssessmentAnswer"]] = relationship(back_populates="assessment")

    @property
    def number(self) -> str:
        return f"ASSESSMENT-{self.id:06d}"


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    ZERO_TOLERANCE = "zero_tolerance"


class AssessmentAnswer(Model):
    """The answer to one requirement, with what it rests on; where it is not the best one, what to do until when.

    None while somebody has begun to write and not decided yet.

    evidence: what was seen, in words; paper: the file that shows it. plan: public, so it names nobody.
    """

    __tablename__ = "assessment_answer"
    __table_args__ = (
        one_of("answer", standards.Word),
        one_of("severity", Severity),
        CheckConstraint(
            "severity <> 'zero_tolerance' OR coalesce(answer, '') IN ('suspected', 'found')", name="severity_fits"
        ),
    )

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"), primary_key=True)
    requirement: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[standards.Word | None] = mapped_column(Word(standards.Word))
    evidence: Mapped[str]
    paper_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id"))
    finding: Mapped[str]
    severity: Mapped[Severity | None] = mapped_column(Word(Severity))
    plan: Mapped[str]
    due_on: Mapped[date | None]
    answered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime]

    assessment: Mapped[Assessment] = relationship(back_populates="answers")
    paper: Mapped[Evidence | None] = relationship()


class AssuranceBasis(Model):
    """On which completed assessment an assurance rests. Never edited."""

    __tablename__ = "assurance_basis"

    assurance_id: Mapped[int] = mapped_column(ForeignKey("assurance.id"), primary_key=True, autoincrement=False)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id"), index=True)

    assurance: Mapped[Assurance] = relationship()
    assessment: Mapped[Assessment] = relationship()


class Certainty(StrEnum):
    SUSPECTED = "suspected"
    FOUND = "found"


class Source(StrEnum):
    """Where a finding comes from."""

    ASSESSMENT = "assessment"
    VERIFIER = "verifier"
    REGISTRY = "registry"
    GRIEVANCE = "grievance"


class SiteFinding(Model):
    """Something at a site that has to be put right until a day. Closed once, with evidence and a reason.

    concerns_from, concerns_to: the production that a zero-tolerance finding is about.
    text and reference (such as a grievance's number) are for those concerned; requirement, severity, plan and days
    are public.
    """

    __tablename__ = "finding"
    __table_args__ = (
        one_of("source", Source),
        one_of("severity", Severity),
        one_of("certainty", Certainty),
        CheckConstraint("trim(text) <> ''", name="text_not_blank"),
        CheckConstraint("(source = 'assessment') = (assessment_id IS NOT NULL)", name="assessment_fits"),
        CheckConstraint("requirement IS NULL OR edition_id IS NOT NULL", name="requirement_of_an_edition"),
        CheckConstraint("(concerns_from IS NULL) = (concerns_to IS NULL)", name="concerns_whole"),
        CheckConstraint("concerns_from <= concerns_to", name="concerns_sound"),
        CheckConstraint(
            "severity <> 'zero_tolerance' OR certainty = 'suspected' OR concerns_from IS NOT NULL",
            name="stops_known_days",
        ),
        CheckConstraint("(closed_at IS NULL) = (closed_by_id IS NULL)", name="closed_by_somebody"),
        CheckConstraint("(closed_at IS NULL) = (closing_reason IS NULL)", name="closed_with_a_reason"),
        CheckConstraint("(closed_at IS NULL) = (closing_evidence IS NULL)", name="closed_with_evidence"),
        CheckConstraint("severity <> 'zero_tolerance' OR closed_by_id <> opened_by_id", name="two_people"),
        Index("ix_finding_site_id", "site_id", "id"),
        Index("ix_finding_closed_at_due_on", "closed_at", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    source: Mapped[Source] = mapped_column(Word(Source))
    reference: Mapped[str]
    assessment_id: Mapped[int | None] = mapped_column(ForeignKey("assessment.id"), index=True)
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("standard_edition.id"))
    requirement: Mapped[str | None]
    severity: Mapped[Severity] = mapped_column(Word(Severity))
    certainty: Mapped[Certainty] = mapped_column(Word(Certainty))
    text: Mapped[str]
    plan: Mapped[str]
    due_on: Mapped[date]
    concerns_from: Mapped[date | None]
    concerns_to: Mapped[date | None]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    opened_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]
    closing_reason: Mapped[str | None]
    closing_evidence: Mapped[str | None]

    site: Mapped[Site] = relationship()
    assessment: Mapped[Assessment | None] = relationship()
    edition: Mapped[StandardEdition | None] = relationship()
    opened_by: Mapped[User | None] = relationship(foreign_keys=[opened_by_id])
    closed_by: Mapped[User | None] = relationship(foreign_keys=[closed_by_id])

    @property
    def number(self) -> str:
        return f"FINDING-{self.id:06d}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_stopping(self) -> bool:
        """Whether it stands in the way of every batch of the site."""
        return self.is_open and self.severity is Severity.ZERO_TOLERANCE

    def is_overdue(self, today: date) -> bool:
        return self.is_open and self.due_on < today

    @property
    def title(self) -> str:
        """What it is about, as the public may read it: the requirement's own title, where there is one."""
        if self.edition is None or self.requirement is None:
            return ""
        return self.edition.standard.requirements[self.requirement][1].title


class StateCause(StrEnum):
    FINDING = "finding"
    REGISTRY = "registry"  # one issuer, at once
    CLOCK = "clock"
    DECISION = "decision"  # of two issuers


class SiteState(Model):
    """From which day on a site stood how, and why. The newest row that has begun counts. Never edited.

    until_on: last day of a probation, first possible end of a suspension. policy: the version its length is from.
    """

    __tablename__ = "site_state"
    __table_args__ = (
        one_of("state", AssuranceState),
        one_of("cause", StateCause),
        CheckConstraint("from_on <= until_on", name="period_sound"),
        CheckConstraint("(state = 'active') = (until_on IS NULL)", name="limited_unless_active"),
        CheckConstraint("(state = 'active') = (decision_id IS NOT NULL)", name="active_by_decision"),
        CheckConstraint("(cause = 'decision') = (decision_id IS NOT NULL)", name="decision_fits"),
        CheckConstraint("(cause = 'clock') = (set_by_id IS NULL)", name="set_by_somebody"),
        CheckConstraint("cause <> 'finding' OR finding_id IS NOT NULL", name="finding_fits"),
        CheckConstraint("trim(reason) <> ''", name="reason_not_blank"),
        UniqueConstraint("decision_id"),
        Index("ix_site_state_site_id", "site_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    state: Mapped[AssuranceState] = mapped_column(Word(AssuranceState))
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    cause: Mapped[StateCause] = mapped_column(Word(StateCause))
    reason: Mapped[str]
    policy: Mapped[str]
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("finding.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    set_at: Mapped[datetime]

    site: Mapped[Site] = relationship()
    finding: Mapped[SiteFinding | None] = relationship()
    decision: Mapped[Decision | None] = relationship()
    set_by: Mapped[User | None] = relationship(foreign_keys=[set_by_id])

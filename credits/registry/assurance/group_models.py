"""The tables of group certification: the group's own control of its members, and the sample that a verifier visits."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model
from credits.participants.models import Organisation, User
from credits.registry.reviews.assigned import Draw


class MemberControl(Model):
    """What a group manager found when it controlled a member, in one year. Never edited: the newest counts.

    version: of the checklist. answers: by item, {"answer": "yes" | "no" | "not_applicable", "note": …}.
    """

    __tablename__ = "member_control"
    __table_args__ = (
        CheckConstraint("year BETWEEN 2000 AND 2999", name="year_sound"),
        CheckConstraint("group_id <> member_id", name="two_organisations"),
        Index("ix_member_control_group_id_year", "group_id", "year", "member_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    version: Mapped[str]
    answers: Mapped[dict[str, Any]] = mapped_column(Document())
    conforms: Mapped[bool]
    controlled_on: Mapped[date]
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    group: Mapped[Organisation] = relationship(foreign_keys=[group_id])
    member: Mapped[Organisation] = relationship(foreign_keys=[member_id])
    entered_by: Mapped[User] = relationship()


class GroupAudit(Model):
    """The external audit of a group in one year: which members were drawn to be visited, and by which verifier.

    Never edited, and one a year, so that nobody draws again until the sample suits them.
    """

    __tablename__ = "group_audit"
    __table_args__ = (
        CheckConstraint("members > 0", name="members_counted"),
        UniqueConstraint("group_id", "year"),
        Index("ix_group_audit_organisation_id", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    members: Mapped[int]
    sample_draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"), unique=True)
    verifier_draw_id: Mapped[int] = mapped_column(ForeignKey("draw.id"), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    begun_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    begun_at: Mapped[datetime]

    group: Mapped[Organisation] = relationship(foreign_keys=[group_id])
    sample_draw: Mapped[Draw] = relationship(foreign_keys=[sample_draw_id])
    verifier_draw: Mapped[Draw] = relationship(foreign_keys=[verifier_draw_id])
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    begun_by: Mapped[User] = relationship()


class SampleVisit(Model):
    """What a verifier found at a member of the sample. Never edited: of several visits the newest counts."""

    __tablename__ = "sample_visit"
    __table_args__ = (
        CheckConstraint("visited_from <= visited_to", name="visit_sound"),
        CheckConstraint("trim(report) <> ''", name="report_not_blank"),
        CheckConstraint("trim(declaration) <> ''", name="declaration_not_blank"),
        Index("ix_sample_visit_audit_id", "audit_id", "member_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("group_audit.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    visited_from: Mapped[date]
    visited_to: Mapped[date]
    conforms: Mapped[bool]
    report: Mapped[str]
    declaration: Mapped[str]
    visited_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    audit: Mapped[GroupAudit] = relationship()
    member: Mapped[Organisation] = relationship()
    visited_by: Mapped[User] = relationship()

"""The tables of production: sites, licences, assurance, batches, their evidence and what was said about them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import Organisation, User
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.mines.observed import ObservedSite


class Access(StrEnum):
    """On what ground the miners work there."""

    OWN_TITLE = "own_title"
    SUB_LEASE = "sub_lease"
    TOLERATED = "tolerated"
    ASM_ZONE = "asm_zone"


class Method(StrEnum):
    OPEN_PIT = "open_pit"
    UNDERGROUND = "underground"
    ALLUVIAL = "alluvial"
    TAILINGS = "tailings"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Site(Model):
    """A mine site of a producer. Its district is public, its exact position private (micro-degrees, WGS 84)."""

    __tablename__ = "site"
    __table_args__ = (
        one_of("access", Access),
        one_of("method", Method),
        one_of("mercury", Answer),
        one_of("conflict_affected", Answer),
        CheckConstraint("latitude BETWEEN -90000000 AND 90000000", name="latitude_on_earth"),
        CheckConstraint("longitude BETWEEN -180000000 AND 180000000", name="longitude_on_earth"),
        CheckConstraint("miners >= 0", name="miners_counted"),
        CheckConstraint("length(country) = 3", name="country_alpha_3"),
        UniqueConstraint("country", "code"),
        Index("ix_site_producer_id", "producer_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    producer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    code: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    province: Mapped[str]
    district: Mapped[str]
    latitude: Mapped[int]
    longitude: Mapped[int]
    access: Mapped[Access] = mapped_column(Word(Access))
    concession_owner: Mapped[str]
    method: Mapped[Method] = mapped_column(Word(Method))
    mercury: Mapped[Answer] = mapped_column(Word(Answer))
    miners: Mapped[int]
    conflict_affected: Mapped[Answer] = mapped_column(Word(Answer))
    conflict_source: Mapped[str]
    conflict_checked_on: Mapped[date | None]
    pcode: Mapped[str | None] = mapped_column(ForeignKey("observed_site.pcode"))
    registered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    registered_at: Mapped[datetime]

    producer: Mapped[Organisation] = relationship()
    licences: Mapped[list["Licence"]] = relationship(back_populates="site", order_by="Licence.valid_from")
    assurances: Mapped[list["Assurance"]] = relationship(back_populates="site", order_by="Assurance.valid_from")
    observed: Mapped[ObservedSite | None] = relationship()


class Licence(Model):
    """A paper by which the authority, or the title's owner, lets the site be worked from one day to another."""

    __tablename__ = "licence"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_to", name="period_sound"),
        UniqueConstraint("site_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    number: Mapped[str]
    authority: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]

    site: Mapped[Site] = relationship(back_populates="licences")


class AssuranceState(StrEnum):
    ACTIVE = "active"
    PROBATION = "probation"
    SUSPENDED = "suspended"


class Assurance(Model):
    """A verifier's word that a site met a standard, up to which level, and from when to when that counts."""

    __tablename__ = "assurance"
    __table_args__ = (
        one_of("state", AssuranceState),
        CheckConstraint("valid_from <= valid_to", name="period_sound"),
        CheckConstraint("(visited_from IS NULL) = (visited_to IS NULL)", name="visit_whole"),
        CheckConstraint("visited_from <= visited_to", name="visit_sound"),
        CheckConstraint("visited_from IS NOT NULL OR remote_reason <> ''", name="visited_or_why_not"),
        Index("ix_assurance_site_id", "site_id", "valid_from"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    verifier_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    standard: Mapped[str]
    version: Mapped[str]
    level: Mapped[str]
    visited_from: Mapped[date | None]
    visited_to: Mapped[date | None]
    remote_reason: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    state: Mapped[AssuranceState] = mapped_column(Word(AssuranceState))
    given_at: Mapped[datetime]

    site: Mapped[Site] = relationship(back_populates="assurances")
    verifier: Mapped[User] = relationship()


class BatchState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    INFORMATION_REQUESTED = "information_requested"
    VERIFIED = "verified"
    ISSUED = "issued"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"


class Batch(Model):
    """What a site produced of one mineral in a period. Weights in mg, shares in ppm, fine content in ng."""

    __tablename__ = "batch"
    __table_args__ = (
        one_of("state", BatchState),
        CheckConstraint("produced_from <= produced_to", name="period_sound"),
        CheckConstraint("gross_mg > 0 AND dry_mg > 0 AND dry_mg <= gross_mg", name="weights_sound"),
        CheckConstraint("moisture_ppm BETWEEN 0 AND 1000000", name="moisture_sound"),
        CheckConstraint("grade_ppm BETWEEN 1 AND 1000000", name="grade_sound"),
        CheckConstraint("contained_ng >= 0 AND carried_ng >= 0", name="contained_sound"),
        CheckConstraint("sold_with_premium >= 0 AND registered_elsewhere >= 0", name="deductions_sound"),
        CheckConstraint("miners >= 0 AND days_worked >= 0", name="work_counted"),
        CheckConstraint("(state IN ('draft', 'withdrawn')) OR submitted_by_id IS NOT NULL", name="submitted_by"),
        CheckConstraint(
            "(state NOT IN ('verified', 'issued', 'suspended')) OR verified_by_id IS NOT NULL", name="verified_by"
        ),
        CheckConstraint("submitted_by_id <> verified_by_id", name="two_people"),
        Index("ix_batch_site_id_mineral_code_produced_from", "site_id", "mineral_code", "produced_from"),
        Index("ix_batch_state_submitted_at", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    mineral_code: Mapped[str]
    form: Mapped[str]
    produced_from: Mapped[date]
    produced_to: Mapped[date]
    gross_mg: Mapped[int]
    moisture_ppm: Mapped[int]
    dry_mg: Mapped[int]
    grade_ppm: Mapped[int]
    contained_ng: Mapped[int]
    carried_ng: Mapped[int] = mapped_column(default=0)  # from the producer's earlier batches, once issued
    sold_with_premium: Mapped[int]  # base units
    registered_elsewhere: Mapped[int]  # base units
    miners: Mapped[int]
    days_worked: Mapped[int]
    sold_to: Mapped[str]
    state: Mapped[BatchState] = mapped_column(Word(BatchState))
    revision: Mapped[int] = mapped_column(default=1)  # how often its figures were changed, and one
    drafted_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    drafted_at: Mapped[datetime]
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_at: Mapped[datetime | None]
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    verified_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    verified_at: Mapped[datetime | None]
    independence: Mapped[str | None]  # the verifier's declaration of no conflict of interest
    assurance_id: Mapped[int | None] = mapped_column(ForeignKey("assurance.id"))

    site: Mapped[Site] = relationship()
    submitted_by: Mapped[User | None] = relationship(foreign_keys=[submitted_by_id])
    reviewer: Mapped[User | None] = relationship(foreign_keys=[reviewer_id])
    verified_by: Mapped[User | None] = relationship(foreign_keys=[verified_by_id])
    assurance: Mapped[Assurance | None] = relationship()
    evidence: Mapped[list["Evidence"]] = relationship(back_populates="batch", order_by="Evidence.id")
    remarks: Mapped[list["Remark"]] = relationship(back_populates="batch", order_by="Remark.id")

    @property
    def number(self) -> str:
        return f"BATCH-{self.id:06d}"

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)

    @property
    def vintage(self) -> int:
        """The year of the batch's last production day."""
        return self.produced_to.year


class EvidenceKind(StrEnum):
    SCALE_LOG = "scale_log"
    ASSAY = "assay"
    SALES_INVOICE = "sales_invoice"
    ROYALTY_RECEIPT = "royalty_receipt"
    TAG_LOG = "tag_log"
    PHOTO = "photo"
    OTHER = "other"


def once_where_it_counts(name: str, *columns: str) -> Index:
    """No two papers that count share these columns."""
    return Index(name, *columns, unique=True, sqlite_where=text("counts"), postgresql_where=text("counts"))


class Evidence(Model):
    """A paper or picture behind one batch and no other. The file is stored under its SHA-256, outside the web.

    counts: no longer, once its batch was withdrawn or rejected: a new batch may then bring the same paper.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        one_of("kind", EvidenceKind),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("reference <> ''", name="reference_not_blank"),
        once_where_it_counts("uq_evidence_sha256", "sha256"),
        Index("ix_evidence_batch_id", "batch_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    kind: Mapped[EvidenceKind] = mapped_column(Word(EvidenceKind))
    reference: Mapped[str | None]  # the numbers on it as a person reads them; compared as evidence_models.PaperNumber
    issuer: Mapped[str | None]  # who gave these numbers: laboratory, buyer, authority, scale
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]  # bytes
    sha256: Mapped[str]
    pages: Mapped[int | None]  # of a PDF; 1 for a picture, none for a table
    added_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime]
    counts: Mapped[bool] = mapped_column(default=True)

    batch: Mapped[Batch] = relationship(back_populates="evidence")


class RemarkKind(StrEnum):
    REQUEST = "request"
    ANSWER = "answer"
    DECISION = "decision"


class Remark(Model):
    """What a verifier asked about a batch, what the producer answered, and how it was decided. Never edited."""

    __tablename__ = "remark"
    __table_args__ = (
        one_of("kind", RemarkKind),
        CheckConstraint("text <> ''", name="text_not_blank"),
        Index("ix_remark_batch_id", "batch_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[RemarkKind] = mapped_column(Word(RemarkKind))
    text: Mapped[str]
    made_at: Mapped[datetime]

    batch: Mapped[Batch] = relationship(back_populates="remarks")
    author: Mapped[User] = relationship()

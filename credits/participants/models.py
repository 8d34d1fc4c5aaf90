"""Organisations, their people, what the people may do, and the tokens of their machines.

`User` and `Role` carry Flask-Security's mixins, which bring behaviour and no columns: every column is ours.
"""
# mypy: disable-error-code="assignment"
# The mixins declare plain attributes (`id: int`) where a mapped class has `Mapped[int]`.

from datetime import datetime
from enum import StrEnum

from flask_security import RoleMixin, UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of


class Kind(StrEnum):
    COOPERATIVE = "cooperative"
    GROUP_MANAGER = "group_manager"
    VERIFIER = "verifier"
    MANUFACTURER = "manufacturer"
    RESELLER = "reseller"
    REGISTRY = "registry"


class Kyc(StrEnum):
    """Whether the registry knows who an organisation is."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    SUSPENDED = "suspended"


class RoleName(StrEnum):
    CLERK = "clerk"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ISSUER = "issuer"
    INITIATOR = "initiator"
    APPROVER = "approver"
    READER = "reader"
    AUDITOR = "auditor"


class Language(StrEnum):
    EN = "en"
    FR = "fr"
    ES = "es"
    PT = "pt"
    SW = "sw"


def organisation_number(organisation_id: int) -> str:
    """How an organisation is named in public: ORG-000017."""
    return f"ORG-{organisation_id:06d}"


class Organisation(Model):
    """A legal person, or a group of miners that is not one yet. It may write in the registry once approved."""

    __tablename__ = "organisation"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("kyc", Kyc),
        CheckConstraint("length(country) = 3 AND country = upper(country)", name="country_alpha_3"),
        CheckConstraint("(kyc = 'pending') = (kyc_decided_at IS NULL)", name="kyc_decided"),
        CheckConstraint("kyc NOT IN ('refused', 'suspended') OR coalesce(kyc_reason, '') <> ''", name="kyc_reasoned"),
        CheckConstraint("group_manager_id IS NULL OR kind = 'cooperative'", name="group_of_cooperatives"),
        CheckConstraint("group_manager_id <> id", name="group_manager_is_another"),
        Index("ix_organisation_kyc_registered_at", "kyc", "registered_at"),
        Index("ix_organisation_country_registration_number", "country", "registration_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    legal_form: Mapped[str]
    kind: Mapped[Kind] = mapped_column(Word(Kind))
    country: Mapped[str]  # ISO 3166-1 alpha-3
    registration_number: Mapped[str | None]  # none while a group is not formalised
    address: Mapped[str]
    contact_email: Mapped[str]
    kyc: Mapped[Kyc] = mapped_column(Word(Kyc), default=Kyc.PENDING)
    kyc_reason: Mapped[str | None]
    kyc_decided_at: Mapped[datetime | None]
    kyc_decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", use_alter=True))
    group_manager_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    registered_at: Mapped[datetime]

    group_manager: Mapped["Organisation | None"] = relationship(remote_side=[id])
    members: Mapped[list["User"]] = relationship(
        back_populates="organisation", foreign_keys="User.organisation_id", order_by="User.id"
    )
    decider: Mapped["User | None"] = relationship(foreign_keys=[kyc_decided_by], post_update=True)

    @property
    def number(self) -> str:
        """The public id, such as ORG-000012."""
        return organisation_number(self.id)

    @property
    def approved(self) -> bool:
        return self.kyc is Kyc.APPROVED


# What most requests ask of one; the rest is asked for where somebody needs it.
ORGANISATION_IN_BRIEF = ("id", "name", "kind", "country", "kyc", "group_manager_id")


class User(UserMixin, Model):
    """A person of one organisation, who signs in with an email address."""

    __tablename__ = "user"
    __table_args__ = (
        one_of("language", Language),
        # With the unique key: one account an address, however it is capitalised.
        CheckConstraint("email = lower(email)", name="email_lower_case"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    language: Mapped[Language] = mapped_column(Word(Language), default=Language.EN)
    active: Mapped[bool] = mapped_column(default=True)
    registered_at: Mapped[datetime]
    password: Mapped[str | None]  # argon2id; none until the invited person has chosen one
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)  # sessions name this, so changing it ends them
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]  # encrypted by the door
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(Document()))  # encrypted
    current_login_at: Mapped[datetime | None]
    current_login_ip: Mapped[str | None]
    last_login_at: Mapped[datetime | None]
    last_login_ip: Mapped[str | None]
    login_count: Mapped[int | None]

    organisation: Mapped[Organisation] = relationship(back_populates="members", foreign_keys=[organisation_id])
    roles: Mapped[list["Role"]] = relationship(
        back_populates="user", cascade="all, delete-orphan", order_by="Role.name"
    )
    tokens: Mapped[list["ApiToken"]] = relationship(back_populates="user", order_by="ApiToken.id")

    @property
    def number(self) -> str:
        """The public id, such as USR-000003: what the journal calls a person by."""
        return f"USR-{self.id:06d}"

    @property
    def has_signed_in(self) -> bool:
        """Whether somebody uses the account: whoever was only invited may know nothing of it."""
        return self.current_login_at is not None


class Role(RoleMixin, Model):
    """One thing one person may do. Which fit an organisation, `permissions.ROLES_OF` says."""

    __tablename__ = "role"
    __table_args__ = (one_of("name", RoleName),)

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    name: Mapped[RoleName] = mapped_column(Word(RoleName), primary_key=True)

    user: Mapped[User] = relationship(back_populates="roles")


class ApiToken(Model):
    """A key to the JSON API that acts as its user. Only a digest is kept."""

    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the secret, in hexadecimal
    prefix: Mapped[str]  # how the secret begins, so that its owner can tell tokens apart
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="tokens")

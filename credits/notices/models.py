"""What people were told: a line for each person, written with the change, and sent as mail afterwards."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word
from credits.notices.wordings import Kind
from credits.participants.models import User

GIVEN_UP = text("mail_tries > 0 AND mail_due_at IS NULL AND mailed_at IS NULL")


class Notice(Model):
    """What one person was told. Its words are made when they are read, in the language of that day.

    facts: what the words of its kind are about, as they were then.
    mail_due_at: when the mail is tried next; empty once it has left, or where nobody is there to read it.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("kind <> ''", name="kind_not_blank"),
        CheckConstraint("mail_tries >= 0", name="mail_tries_counted"),
        CheckConstraint("mailed_at IS NULL OR mail_due_at IS NULL", name="mailed_once"),
        Index("ix_notice_person_id", "person_id", "id"),
        Index(
            "ix_notice_unread",
            "person_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("ix_notice_given_up", "mail_tries", sqlite_where=GIVEN_UP, postgresql_where=GIVEN_UP),
        Index(
            "ix_notice_mail_due_at",
            "mail_due_at",
            sqlite_where=text("mail_due_at IS NOT NULL"),
            postgresql_where=text("mail_due_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[Kind] = mapped_column(Word(Kind))  # any word: a list in the database would have to grow with each
    facts: Mapped[dict[str, Any]] = mapped_column(Document())
    told_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_due_at: Mapped[datetime | None]
    mail_tries: Mapped[int] = mapped_column(default=0)
    mailed_at: Mapped[datetime | None]

    person: Mapped[User] = relationship()

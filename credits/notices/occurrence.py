"""What happened, as the journal has it, with the look-ups that several tellers need."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.models import Event
from credits.participants.models import Organisation, User
from credits.registry.models import Issuance
from credits.registry.queries import digits_of, issuance_numbered


@dataclass(frozen=True)
class Occurrence:
    """One event. facts: what the journal says of it in public; `private` asks for the rest."""

    event: Event
    facts: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "Occurrence":
        return cls(event, json.loads(event.body)["facts"])

    @property
    def subject(self) -> str:
        return self.event.subject

    @property
    def at(self) -> datetime:
        return self.event.at

    def private(self, session: Session) -> dict[str, str]:
        """Its private texts: for those alone whose affair it is."""
        return events.private_of(session, [self.event]).get(self.event.id, {})

    def organisation(self, session: Session, fact: str) -> Organisation:
        """The organisation that a fact names."""
        return session.get_one(Organisation, digits_of(self.facts[fact], "ORG-"))

    def person(self, session: Session, number: str) -> User:
        """The person with this public number."""
        return session.get_one(User, digits_of(number, "USR-"))

    def issuance(self, session: Session) -> Issuance:
        """The issuance that it is about."""
        return issuance_numbered(session, self.subject)


def measured(issuance: Issuance, base_units: int) -> dict[str, str]:
    """So much of an issuance, as wordings name it."""
    mineral = issuance.mineral
    return {"issuance": issuance.number, "quantity": mineral.quantity(base_units), "mineral": mineral.name}

"""Who takes part in the demo world: its organisations, their people, and to whom each may send credits at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from credits.certificates.issuing import Issuer
from credits.files import Files
from credits.participants import organisations, users
from credits.participants.models import Kind, Language, Organisation, RoleName, User
from credits.registry import trust
from credits.registry.policy import Policy

DOMAIN = "demo.example"


@dataclass
class People:
    """Brings the people in. password: an argon2id hash that every demo person shares."""

    session: Session
    policy: Policy
    evidence_files: Files
    issuer: Issuer
    password: str
    at: datetime
    handles: Iterator[str]

    def __post_init__(self) -> None:
        self.keys = (f"demo-{number:03d}" for number in count(1))
        self.papers = count(1)

    @property
    def joined(self) -> datetime:
        """When all of them had joined, and knew each other."""
        return self.at - timedelta(days=30)

    def people(self) -> None:
        registry, self.ana = organisations.found_registry(
            self.session,
            name="ASM Credit Registry",
            legal_form="association",
            country_code="CHE",
            registration_number="CHE-000.000.001",
            address="Rue de la Paix 1, Geneva",
            contact_email=f"registry@{DOMAIN}",
            person="Ana Keller",
            email=f"issuer@{DOMAIN}",
            language=Language.EN,
            password=self.password,
            handle=next(self.handles),
            at=self.joined,
        )
        self.tomas = self.joins(registry, "Tomás Rivera", "issuer2", Language.ES, RoleName.ISSUER, by=self.ana)
        self.joins(registry, "Aisha Bello", "auditor", Language.EN, RoleName.AUDITOR, by=self.ana)
        self.coop, self.chantal = self.organisation(
            Kind.COOPERATIVE, "Coopérative minière Kamilombe Demo", "COD", "Chantal Ilunga", "cooperative", Language.FR
        )
        self.clerk = self.joins(self.coop, "Joseph Kabamba", "clerk", Language.FR, RoleName.CLERK, by=self.chantal)
        self.group, self.luz = self.organisation(
            Kind.GROUP_MANAGER, "Oro Justo Group Demo", "PER", "Luz Quispe", "group", Language.ES
        )
        self.gold_coop, self.rosa = self.organisation(
            Kind.COOPERATIVE, "Minera Cerro Claro Demo", "PER", "Rosa Huamán", "gold", Language.ES
        )
        organisations.join_group(self.session, self.gold_coop, manager=self.group, by=self.ana, at=self.joined)
        _, self.lead = self.organisation(
            Kind.VERIFIER, "Great Lakes Assurance Demo", "RWA", "Grace Uwase", "verifier", Language.EN
        )
        self.joins(self.lead.organisation, "Paul Mwangi", "reviewer", Language.SW, RoleName.REVIEWER, by=self.lead)
        self.maker, self.ingrid = self.organisation(
            Kind.MANUFACTURER, "Nordlicht Batteries Demo", "SWE", "Ingrid Larsson", "manufacturer", Language.EN
        )
        self.second, self.ken = self.organisation(
            Kind.MANUFACTURER, "Hikari Motors Demo", "JPN", "Ken Watanabe", "manufacturer2", Language.EN
        )
        self.broker, self.maya = self.organisation(
            Kind.RESELLER, "Clear Origin Brokers Demo", "GBR", "Maya Patel", "reseller", Language.EN
        )
        organisations.sign_up(
            self.session,
            **self.card(Kind.COOPERATIVE, "Ushirika wa Wachimbaji Demo", "TZA", "Neema Mushi", "waiting", Language.SW),
        )

    def trusted(self) -> None:
        """To whom each of them may send credits at once: two people have said so, long enough ago."""
        for holder, by, second, recipients in (
            (self.coop, self.chantal, self.ana, (self.maker, self.second, self.broker)),
            (self.gold_coop, self.luz, self.rosa, (self.maker, self.broker)),
            (self.maker, self.ingrid, self.ana, (self.second, self.broker)),
            (self.second, self.ken, self.ana, (self.maker, self.broker)),
            (self.broker, self.maya, self.ana, (self.maker, self.second)),
        ):
            for recipient in recipients:
                made = trust.propose(
                    self.session, holder=holder, recipient=recipient, by=by, key=next(self.keys), at=self.joined
                )
                trust.approve(self.session, trust=made, policy=self.policy, by=second, at=self.joined)

    def card(
        self, kind: Kind, name: str, country: str, person: str, mailbox: str, language: Language
    ) -> dict[str, Any]:
        return {
            "kind": kind,
            "name": name,
            "legal_form": "cooperative" if kind is Kind.COOPERATIVE else "company",
            "country_code": country,
            "registration_number": f"DEMO-{country}-{mailbox.upper()}",
            "address": "Demo Street 1",
            "contact_email": f"{mailbox}@{DOMAIN}",
            "person": person,
            "email": f"{mailbox}@{DOMAIN}",
            "language": language,
            "password": self.password,
            "handle": next(self.handles),
            "at": self.joined,
        }

    def organisation(
        self, kind: Kind, name: str, country: str, person: str, mailbox: str, language: Language
    ) -> tuple[Organisation, User]:
        organisation, user = organisations.sign_up(
            self.session, **self.card(kind, name, country, person, mailbox, language)
        )
        organisations.approve(self.session, organisation, by=self.ana, at=self.joined)
        return organisation, user

    def joins(
        self, organisation: Organisation, name: str, mailbox: str, language: Language, role: RoleName, *, by: User
    ) -> User:
        return users.add(
            self.session,
            organisation=organisation,
            name=name,
            email=f"{mailbox}@{DOMAIN}",
            language=language,
            roles=[role],
            handle=next(self.handles),
            by=by,
            at=self.joined,
            password=self.password,
        )

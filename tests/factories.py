"""The smallest valid records, written past the operations: a test states only what it is about."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import factory
from sqlalchemy.orm import Session

from credits.participants.models import ApiToken, Kind, Kyc, Language, Organisation, Role, User
from credits.participants.permissions import FIRST_ROLES
from credits.participants.tokens import MARK, SHOWN, digest_of

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


class _Writing:
    """The session that factories write to: the test's own, put here by the fixture `session`."""

    session: Session | None = None


def write_to(session: Session | None) -> Session | None:
    """Have the factories write there from now on; where they wrote before."""
    before, _Writing.session = _Writing.session, session
    return before


class RecordFactory(factory.alchemy.SQLAlchemyModelFactory):
    """Adds to the test's session and flushes. The fixture `client` commits before each request."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = lambda: _Writing.session  # noqa: E731  factory_boy calls it without a class
        sqlalchemy_session_persistence = "flush"


class OrganisationFactory(RecordFactory):
    """An approved cooperative."""

    class Meta:
        model = Organisation

    name = factory.Sequence(lambda n: f"Cooperative {n}")
    legal_form = "cooperative"
    kind = Kind.COOPERATIVE
    country = "COD"
    registration_number = factory.Sequence(lambda n: f"RCCM/{n:05d}")
    address = "Avenue Kamanyola 1, Kolwezi"
    contact_email = "office@example.org"
    kyc = Kyc.APPROVED
    kyc_decided_at = factory.LazyAttribute(lambda made: None if made.kyc is Kyc.PENDING else AT)
    kyc_reason = factory.LazyAttribute(lambda made: "Why." if made.kyc in (Kyc.REFUSED, Kyc.SUSPENDED) else None)
    registered_at = AT


class UserFactory(RecordFactory):
    """A person with the roles that whoever signs such an organisation up is given; `may=[…]` gives others."""

    class Meta:
        model = User

    class Params:
        may = None
        kind = Kind.COOPERATIVE

    organisation = factory.SubFactory(OrganisationFactory, kind=factory.SelfAttribute("..kind"))
    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@example.org")
    language = Language.EN
    active = True
    fs_uniquifier = factory.LazyFunction(lambda: uuid4().hex)
    registered_at = AT - timedelta(days=30)  # nobody is new
    current_login_at = AT - timedelta(days=30)
    roles = factory.LazyAttribute(
        lambda made: [Role(name=role) for role in (made.may or FIRST_ROLES[made.organisation.kind])]
    )


class ApiTokenFactory(RecordFactory):
    """A token in use. `secret` is what a program would send."""

    class Meta:
        model = ApiToken

    class Params:
        secret = factory.Sequence(lambda n: f"{MARK}{n:043d}")

    user = factory.SubFactory(UserFactory)
    name = "Warehouse"
    digest = factory.LazyAttribute(lambda made: digest_of(made.secret))
    prefix = factory.LazyAttribute(lambda made: made.secret[:SHOWN])
    created_at = AT

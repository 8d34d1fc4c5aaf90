"""Looking things up: for one's own people only what is theirs, for the public only what is public."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.ledger import balances
from credits.ledger.models import AccountKind, Block
from credits.ledger.serials import SerialRange, written
from credits.participants.models import ORGANISATION_IN_BRIEF, Kyc, Organisation, User
from credits.participants.permissions import BUYERS, PRODUCERS, NoSuchOrganisation, is_auditor, is_issuer, is_verifier
from credits.registry.accounts import accounts_of
from credits.registry.making.batches import NoSuchBatch
from credits.registry.mines.sites import NoSuchSite
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.offering import ISSUANCE_KNOWN, OF_NUMBER, Footing, accounts_in
from credits.registry.papers.evidence import NoSuchEvidence
from credits.registry.production import Batch, BatchState, Evidence, Site
from credits.registry.retirement import NoSuchRetirement
from credits.registry.reviews.reviewed import open_to_review_of
from credits.registry.transfer import NoSuchTransfer
from credits.worded import at_hand, parted

UNSEEN_BY_STAFF = (BatchState.DRAFT, BatchState.WITHDRAWN)
MOST_STANDINGS = 200
ISSUANCE = select(Issuance).where(Issuance.number == bindparam("number"))


class NoSuchIssuance(Missing):
    code = "no_such_issuance"


class NoSuchSerial(Missing):
    code = "no_such_serial"


@dataclass(frozen=True)
class Held:
    """What an organisation has of one issuance, in base units by kind of account."""

    issuance: Issuance
    by_kind: dict[AccountKind, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        return self.by_kind.get(AccountKind.AVAILABLE, 0)


def digits_of(number: str, prefix: str) -> int:
    """The id in a public number such as BATCH-000007, or 0 where it is none."""
    digits = number.removeprefix(prefix)
    sound = digits != number and digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 18
    return int(digits) if sound else 0


def sites_of(by: User) -> Select[Site]:
    """The sites that `by` may see in full: their own, their group's, for verifiers those of batches that they may see.

    The registry sees all.
    """
    wanted = select(Site).order_by(Site.name, Site.id)
    if sees_all_production(by):
        return wanted
    if is_verifier(by):
        return wanted.where(Site.id.in_(batches_of(by).order_by(None).with_only_columns(Batch.site_id)))
    return wanted.join(Organisation, Organisation.id == Site.producer_id).where(of_own(by))


def sites_to_enter(by: User) -> Select[int]:
    """The ids of the sites of one's own and one's group: unlike `sites_of`, none for verifiers and the registry."""
    return select(Site.id).join(Organisation, Organisation.id == Site.producer_id).where(of_own(by))


def of_own(by: User) -> ColumnElement[bool]:
    """The organisation of `by`, and those whose group manager it is."""
    return or_(Organisation.id == by.organisation_id, Organisation.group_manager_id == by.organisation_id)


def sees_all_production(by: User) -> bool:
    return is_issuer(by) or is_auditor(by)


def site_coded(session: Session, by: User, number: str) -> Site:
    """The site with the public number COD-KAM001, if `by` may see it in full. Raises NoSuchSite."""
    country, _, code = number.partition("-")
    site = session.scalars(sites_of(by).where(Site.country == country, Site.code == code)).one_or_none()
    if site is None:
        raise NoSuchSite("There is no such site.")
    return site


def batches_of(by: User) -> Select[Batch]:
    """The batches that `by` may see, newest first. Verifiers and the registry see none before it is submitted."""
    wanted = select(Batch).order_by(Batch.id.desc())
    if sees_all_production(by):
        return wanted.where(Batch.state.not_in(UNSEEN_BY_STAFF))
    if is_verifier(by):
        return wanted.where(Batch.state.not_in(UNSEEN_BY_STAFF), open_to_review_of(by))
    owned = select(Site.id).join(Organisation, Organisation.id == Site.producer_id).where(of_own(by))
    return wanted.where(Batch.site_id.in_(owned))


def batch_numbered(session: Session, by: User, number: str) -> Batch:
    """The batch with this public number, if `by` may see it. Raises NoSuchBatch."""
    batch = session.scalars(batches_of(by).where(Batch.id == digits_of(number, "BATCH-"))).one_or_none()
    if batch is None:
        raise NoSuchBatch("There is no such batch.")
    return batch


def evidence_of(session: Session, by: User, number: str, evidence_id: int) -> Evidence:
    """A paper of a batch that `by` may see. Raises NoSuchBatch, NoSuchEvidence."""
    batch = batch_numbered(session, by, number)
    if is_verifier(by) and batch.state is BatchState.SUBMITTED:
        raise NoSuchEvidence("Declare first that you have no tie to this batch: then its papers are shown.")
    for paper in batch.evidence:
        if paper.id == evidence_id:
            return paper
    raise NoSuchEvidence("There is no such paper.")


def issuance_numbered(session: Session, number: str) -> Issuance:
    """The issuance with this number; public. Raises NoSuchIssuance."""
    issuance = session.scalars(ISSUANCE, {"number": number}).one_or_none()
    if issuance is None:
        raise NoSuchIssuance("There is no such issuance.")
    return issuance


def holdings_of(session: Session, organisation: Organisation) -> list[Held]:
    """What an organisation has, by issuance, oldest first; only what is not yet gone."""
    kinds = accounts_of(session, organisation)
    found: dict[int, dict[AccountKind, int]] = {}
    for (account_id, issuance_id), quantity in balances.balances_by_issuance(session, accounts=list(kinds)).items():
        found.setdefault(issuance_id, {})[kinds[account_id]] = quantity
    issuances = session.scalars(select(Issuance).where(Issuance.id.in_(found)).order_by(Issuance.id))
    return [Held(issuance, found[issuance.id]) for issuance in issuances]


def held_of(session: Session, organisation: Organisation, issuance: Issuance) -> Held:
    """What an organisation has of one issuance; nothing is an answer too."""
    kinds = accounts_of(session, organisation)
    sums = {
        kind: balances.balance(session, accounts=[account_id], issuance_id=issuance.id)
        for account_id, kind in kinds.items()
    }
    return Held(issuance, {kind: quantity for kind, quantity in sums.items() if quantity})


def serials_held(session: Session, organisation: Organisation, issuance: Issuance) -> list[tuple[AccountKind, str]]:
    """The first serial ranges of one issuance that an organisation has, with the kind of account they stand in."""
    found = islice(every_serial_held(session, organisation, issuance), MOST_STANDINGS)
    return [(kind, serial) for kind, _, serial in found]


def every_serial_held(
    session: Session, organisation: Organisation, issuance: Issuance
) -> Iterator[tuple[AccountKind, SerialRange, str]]:
    """All serial ranges of one issuance that an organisation has, lowest first, some at a time."""
    kinds = accounts_of(session, organisation)
    after, at_once = 0, MOST_STANDINGS
    while True:
        rows = session.execute(
            select(Block.first, Block.last, Block.account_id)
            .where(Block.issuance_id == issuance.id, Block.account_id.in_(kinds), Block.first > after)
            .order_by(Block.first)
            .limit(at_once)
        ).all()
        for first, last, account in rows:
            units = SerialRange(first, last)
            yield kinds[account], units, written(issuance.number, units)
        if len(rows) < at_once:
            return
        after = rows[-1].first


def transfers_of(by: User) -> Select[Transfer]:
    """The transfers that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(Transfer).order_by(Transfer.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    owned = select(Organisation.id).where(of_own(by))
    return wanted.where(or_(Transfer.sender_id.in_(owned), Transfer.recipient_id.in_(owned)))


def transfer_numbered(session: Session, by: User, number: str) -> Transfer:
    """The transfer with this public number, if `by` may see it. Raises NoSuchTransfer."""
    transfer = session.scalars(transfers_of(by).where(Transfer.id == digits_of(number, "TRANSFER-"))).one_or_none()
    if transfer is None:
        raise NoSuchTransfer("There is no such transfer.")
    return transfer


def retirements_of(by: User) -> Select[Retirement]:
    """The retirements that `by` may see, newest first: those of their organisation; all for the registry."""
    wanted = select(Retirement).order_by(Retirement.id.desc())
    if is_issuer(by) or is_auditor(by):
        return wanted
    owned = select(Organisation.id).where(of_own(by))
    return wanted.where(Retirement.holder_id.in_(owned))


def retirement_numbered(session: Session, number: str) -> Retirement:
    """The retirement with this number; public. Raises NoSuchRetirement."""
    retirement = session.get(Retirement, digits_of(number, "ASMC-R-"))
    if retirement is None or retirement.number != number:
        raise NoSuchRetirement("There is no such retirement.")
    return retirement


def recipients(sender: Organisation, text: str) -> Select[Organisation]:
    """Who can be sent credits: approved holders other than the sender whose name holds `text`, by name."""
    return (
        select(Organisation)
        .where(
            Organisation.kind.in_((*BUYERS, *PRODUCERS)),
            Organisation.kyc == Kyc.APPROVED,
            Organisation.id != sender.id,
            Organisation.name.icontains(text, autoescape=True),
        )
        .order_by(Organisation.name, Organisation.id)
    )


def recipient_numbered(session: Session, sender: Organisation, number: str) -> Organisation:
    """The organisation with this number, if it can be sent credits. Raises NoSuchOrganisation."""
    return must_be_sendable(session.get(Organisation, digits_of(number, "ORG-")), sender)


def footing_named(session: Session, issuance: str, sender: Organisation, recipient: str) -> Footing:
    """What an offer of the issuance to the recipient with these numbers stands on, with them, in one trip.

    The sender itself is let through: the rule has a sentence of its own for that.
    Raises NoSuchIssuance, NoSuchOrganisation.
    """
    rows = OF_NUMBER.rows(session, number=issuance, sender=sender.id, recipient=digits_of(recipient, "ORG-"))
    if not rows:
        raise NoSuchIssuance("There is no such issuance.")
    state, _, _, *more = rows[0]
    known, columns = parted(more, ISSUANCE_KNOWN, ORGANISATION_IN_BRIEF)
    them = None if columns["id"] is None else at_hand(session, Organisation, columns)
    them = sender if recipient == sender.number else must_be_sendable(them, sender)
    return Footing(at_hand(session, Issuance, known), sender, them, state, accounts_in(rows))


def must_be_sendable(found: Organisation | None, sender: Organisation) -> Organisation:
    """Raise NoSuchOrganisation unless this organisation can be sent credits."""
    if found is None or found.id == sender.id or found.kind not in (*BUYERS, *PRODUCERS) or not found.approved:
        raise NoSuchOrganisation("There is no such organisation.")
    return found


def organisations_of(by: User) -> Select[Organisation]:
    """The organisations that `by` may see in full: their own and its group; all for the registry. One's own first."""
    wanted = select(Organisation).order_by(Organisation.id != by.organisation_id, Organisation.name, Organisation.id)
    return wanted if is_issuer(by) or is_auditor(by) else wanted.where(of_own(by))


def holders_of(session: Session, by: User) -> list[Organisation]:
    """Whose credits `by` looks after: their own organisation's, then those of its group, by name."""
    own = (Organisation.id != by.organisation_id, Organisation.name, Organisation.id)
    return list(session.scalars(select(Organisation).where(of_own(by)).order_by(*own)))


def count(session: Session, wanted: Select[object]) -> int:
    """How many rows a list would have."""
    return session.scalars(select(func.count()).select_from(wanted.order_by(None).subquery())).one()

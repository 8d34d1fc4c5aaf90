"""Where one begins after signing in: what is open, and the places one goes to most."""

from dataclasses import dataclass

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, func, select

from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.notices import reading
from credits.participants.models import Kind, Kyc, Organisation, RoleName, User
from credits.participants.permissions import BUYERS, PRODUCERS, has_any, is_issuer, is_verifier
from credits.payments import looking
from credits.payments.going_back import sending_back
from credits.payments.models import Order, OrderState
from credits.payments.premiums import disbursing, premium_open
from credits.payments.premiums.premium_models import PayoutState
from credits.registry import queries
from credits.registry.making import entering
from credits.registry.models import Transfer, TransferState
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import review_queue, waiting
from credits.web.blueprint import bp

MOST_SITES = 20  # whose premium is looked at
Way = tuple[str, str]  # what a place is called, and its address


@dataclass(frozen=True)
class Open:
    """Something that waits for a person. count: how many, 0 where nothing waits. text: what it is, in words."""

    count: int
    text: str
    href: str


@bp.get("/start")
@signed_in
def start() -> ResponseReturnValue:
    user = current_user()
    found = [*of_trade(user), *of_production(user), *of_staff(user), *of_notices(user)]
    return render_template(
        "accounts/start.html",
        organisation=user.organisation,
        found=[each for each in found if each.count],
        ways=ways_of(user),
        approved=user.organisation.kyc is Kyc.APPROVED,
    )


def counted(wanted: Select[object]) -> int:
    rows = wanted.order_by(None).subquery()
    return db.session.scalars(select(func.count()).select_from(rows)).one()


def of_notices(user: User) -> list[Open]:
    unread = reading.unread(db.session(), user)
    said = ngettext("%(num)s notice that you have not read", "%(num)s notices that you have not read", unread)
    return [Open(unread, said, url_for("web.notices", show="unread"))]


def of_trade(user: User) -> list[Open]:
    """Transfers to answer, and orders of one's own to pay."""
    if user.organisation.kind not in (*BUYERS, *PRODUCERS):
        return []
    own = [holder.id for holder in queries.holders_of(db.session, user)]
    offered = queries.transfers_of(user).where(Transfer.recipient_id.in_(own), Transfer.state == TransferState.PENDING)
    transfers, answer = counted(offered), url_for("web.transfers", direction="incoming", state="pending")
    said = ngettext("%(num)s transfer to accept or reject", "%(num)s transfers to accept or reject", transfers)
    found = [Open(transfers, said, answer)]
    if user.organisation.kind not in BUYERS:
        return found
    drafts, awaited = (
        counted(looking.orders_of(user).where(Order.state == state))
        for state in (OrderState.OPEN, OrderState.AWAITING_PAYMENT)
    )
    begun = ngettext("%(num)s order that you have not sent yet", "%(num)s orders that you have not sent yet", drafts)
    pay = ngettext("%(num)s order to pay", "%(num)s orders to pay", awaited)
    return [
        Open(awaited, pay, url_for("web.orders", state="awaiting_payment")),
        Open(drafts, begun, url_for("web.orders", state="open")),
        *found,
    ]


def of_production(user: User) -> list[Open]:
    """Batches to finish or to answer for, and premium to decide on and to account for."""
    if user.organisation.kind not in PRODUCERS:
        return []
    session, sites = db.session(), queries.sites_to_enter(user)
    asked, drafts = (
        counted(queries.batches_of(user).where(Batch.state == state))
        for state in (BatchState.INFORMATION_REQUESTED, BatchState.DRAFT)
    )
    drafts_typed = len(entering.entries_of(session, user))
    free = premium_open.sites_to_decide(session, sites, MOST_SITES) if has_any(user, RoleName.MANAGER) else 0
    unaccounted = premium_open.payouts_to_account_for(session, sites)
    answer = ngettext("%(num)s batch with questions to answer", "%(num)s batches with questions to answer", asked)
    finish = ngettext("%(num)s batch to finish and submit", "%(num)s batches to finish and submit", drafts)
    typed = ngettext("%(num)s batch that is half entered", "%(num)s batches that are half entered", drafts_typed)
    decide = ngettext("%(num)s site with premium to decide on", "%(num)s sites with premium to decide on", free)
    receipts = ngettext(
        "%(num)s payout not accounted for whole", "%(num)s payouts not accounted for whole", unaccounted
    )
    return [
        Open(asked, answer, url_for("web.batches", state="information_requested")),
        Open(drafts_typed, typed, url_for("web.batches")),
        Open(drafts, finish, url_for("web.batches", state="draft")),
        Open(free, decide, url_for("web.my_premium")),
        Open(unaccounted, receipts, url_for("web.my_premium")),
    ]


def of_staff(user: User) -> list[Open]:
    """What waits in the panel for a verifier, or for an issuer."""
    session, queue = db.session(), url_for("admin.home")
    if is_verifier(user):
        on_the_way = review_queue.on_the_way(session, user)
        waits = sum(on_the_way.values()) - on_the_way[BatchState.VERIFIED]
        said = ngettext("%(num)s batch in your queue", "%(num)s batches in your queue", waits)
        return [Open(waits, said, queue)]
    if not is_issuer(user):
        return []
    decisions = sum(each.proposed_by_id != user.id for each in waiting.decisions_for(session, user))
    verified = review_queue.on_the_way(session, user)[BatchState.VERIFIED]
    organisations = waiting.undecided_organisations(session)
    payouts = counted(disbursing.payouts_of(user, PayoutState.ASKED))
    decide = ngettext("%(num)s decision that waits for you", "%(num)s decisions that wait for you", decisions)
    issue = ngettext("%(num)s verified batch to issue", "%(num)s verified batches to issue", verified)
    approve = ngettext("%(num)s organisation to approve", "%(num)s organisations to approve", organisations)
    pay = ngettext("%(num)s payout of premium to see to", "%(num)s payouts of premium to see to", payouts)
    refunds = counted(sending_back.by_our_bank())
    send = ngettext("%(num)s refund to send back by bank", "%(num)s refunds to send back by bank", refunds)
    return [
        Open(decisions, decide, url_for("admin.decisions", state="waiting")),
        Open(verified, issue, queue),
        Open(organisations, approve, url_for("admin.organisations")),
        Open(refunds, send, url_for("admin.orders")),
        Open(payouts, pay, url_for("admin.premium")),
    ]


def ways_of(user: User) -> list[Way]:
    """The places that somebody of this organisation goes to most, the next step of one's work first."""
    organisation: Organisation = user.organisation
    if organisation.kind in PRODUCERS:
        return [
            (_("Enter a batch"), url_for("web.batches")),
            (_("Your sites"), url_for("web.sites")),
            (_("Holdings"), url_for("web.holdings")),
            (_("Premium"), url_for("web.my_premium")),
        ]
    if organisation.kind in BUYERS:
        return [
            (_("See what is for sale"), url_for("web.all_offers")),
            (_("Holdings"), url_for("web.holdings")),
            (_("Declare what you use"), url_for("web.uses")),
            (_("Retirements and certificates"), url_for("web.retirements")),
        ]
    if organisation.kind is Kind.REGISTRY:
        return [
            (_("To the queue"), url_for("admin.home")),
            (_("Decisions"), url_for("admin.decisions")),
            (_("Orders"), url_for("admin.orders")),
            (_("Premium"), url_for("admin.premium")),
        ]
    return [(_("To the queue"), url_for("admin.home"))]

"""From the journal to the people: which events concern somebody, and who tells of them."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from credits.journal import events
from credits.notices import (
    assignments_told,
    assurance_told,
    batches_told,
    credits_told,
    decisions_told,
    grievances_told,
    orders_told,
    premium_told,
    standing_told,
    transfers_told,
)
from credits.notices.occurrence import Occurrence

TOLD: dict[str, tuple[Callable[[Session, Occurrence], None], ...]] = {
    "lots.drawn": (assignments_told.drawn,),
    "grievance.filed": (grievances_told.filed,),
    "grievance.added_to": (grievances_told.added_to,),
    "group.sample_drawn": (assignments_told.sample_drawn,),
    "batch.given_back": (assignments_told.left,),
    "batch.information_requested": (batches_told.asked,),
    "batch.answered": (batches_told.answered,),
    "batch.verified": (batches_told.verified,),
    "batch.rejected": (batches_told.rejected,),
    "batch.stopped": (assurance_told.batch_stopped,),
    "finding.opened": (assurance_told.opened,),
    "finding.confirmed": (assurance_told.found,),
    "finding.closed": (assurance_told.closed,),
    "site.put_on_probation": (assurance_told.stands,),
    "site.suspended": (assurance_told.stands,),
    "site.reinstated": (assurance_told.stands, decisions_told.approved),
    "issuance.issued": (batches_told.issued,),
    "transfer.proposed": (transfers_told.offered,),
    "transfer.accepted": (transfers_told.closed,),
    "transfer.rejected": (transfers_told.closed,),
    "transfer.withdrawn": (transfers_told.closed,),
    "transfer.expired": (transfers_told.closed,),
    "transfer.approved": (transfers_told.approved,),
    "bulk.transfer": (transfers_told.offered_in_bulk,),
    "expiry.warned": (credits_told.expiry_near,),
    "expiry.expired": (credits_told.expired, transfers_told.stopped),
    "hold.held": (credits_told.held,),
    "hold.zero_tolerance": (credits_told.held_unsold, transfers_told.stopped),
    "hold.released": (credits_told.released, decisions_told.approved),
    "issuance.suspended": (credits_told.suspended,),
    "issuance.suspension_lifted": (credits_told.suspended, decisions_told.approved),
    "cancellation.cancelled": (credits_told.gone, decisions_told.approved),
    "export.exported": (credits_told.gone, decisions_told.approved),
    "issuance.rolled_back": (credits_told.rolled_back, decisions_told.approved),
    "debit.opened": (credits_told.debited, decisions_told.approved),
    "buffer.drawn": (decisions_told.approved,),
    "batch.let_through": (decisions_told.approved,),
    "certificate.annotated": (decisions_told.approved,),
    "certificate.annulled": (decisions_told.approved,),
    "order.reserved": (orders_told.to_pay,),
    "order.lapses_soon": (orders_told.lapses_soon,),
    "order.paid": (orders_told.pay_no_more,),
    "order.cancelled": (orders_told.pay_no_more, orders_told.cancelled),
    "order.delivered": (orders_told.delivered,),
    "order.kept": (orders_told.kept,),
    "order.waits": (orders_told.waits,),
    "order.refunded": (orders_told.refunded, decisions_told.approved),
    "payment.surplus": (orders_told.surplus,),
    "payment.mismatch": (orders_told.mismatched,),
    "refund.not_ours": (orders_told.refunded_elsewhere,),
    "refund.failed": (orders_told.refund_failed,),
    "dispute.opened": (orders_told.disputed,),
    "dispute.extended": (orders_told.dispute_extended,),
    "dispute.recovered": (orders_told.dispute_recovered,),
    "dispute.closed": (orders_told.dispute_closed,),
    "standing.filled": (standing_told.filled,),
    "standing.paused": (standing_told.paused,),
    "standing.expired": (standing_told.expired,),
    "premium.collected": (premium_told.collected,),
    "premium.asked": (premium_told.asked,),
    "premium.disbursed": (premium_told.disbursed, decisions_told.approved),
    "premium.overdue": (premium_told.overdue,),
    "decision.proposed": (decisions_told.waits,),
    "decision.declined": (decisions_told.declined,),
    "organisation.signed_up": (decisions_told.organisation_waits,),
    "organisation.approved": (decisions_told.organisation_decided,),
    "organisation.refused": (decisions_told.organisation_decided,),
    "organisation.suspended": (decisions_told.organisation_decided,),
}

# Of what may happen thousands of times at once.
TOLD_TOGETHER: dict[str, Callable[[Session, Sequence[Occurrence]], None]] = {
    "transfer.guarded": transfers_told.to_approve,
}


def tell_of_events(session: Session) -> None:
    """Tell everybody concerned of the events that the running transaction has appended. Flushes.

    To be called before a commit; the end of a savepoint is none.
    """
    if session.in_nested_transaction():
        return
    found = [Occurrence.of(event) for event in events.appended(session, {*TOLD, *TOLD_TOGETHER})]
    for occurrence in found:
        for tell in TOLD.get(occurrence.event.kind, ()):
            tell(session, occurrence)
    for kind, tell_together in TOLD_TOGETHER.items():
        if together := [occurrence for occurrence in found if occurrence.event.kind == kind]:
            tell_together(session, together)
    events.forget_appended(session)

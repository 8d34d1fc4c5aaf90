"""A zero-tolerance hold against holders who move the same serials at the same moment, each in its own session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.ledger.models import AccountKind
from credits.participants.models import Organisation, User
from credits.registry import bulk, holds, queries, transfer
from credits.registry.bulk_lines import TransferLine
from credits.registry.models import Transfer, TransferState
from credits.registry.production import Site

DAYS = {"first_day": date(2026, 4, 1), "last_day": date(2026, 5, 31)}


def test_a_hold_of_periods_leaves_nothing_unsold_behind(stage, engine):
    made = stage.issued()
    offers = [stage.offered(made, 10).id for _ in range(6)]
    number, at, policy = made.number, stage.at, stage.policy
    site_id, coop_id, buyer_number = made.site_id, stage.coop.id, stage.buyer.organisation.number
    manager_id, buyer_id, issuer_id = stage.manager.id, stage.buyer.id, stage.issuer.id
    stage.session.commit()

    def done(step) -> bool:
        with Session(engine) as session:
            begin_writing(session)
            try:
                step(session)
                session.commit()
            except CreditsError:
                session.rollback()
                return False
            return True

    def accepting(offer_id):
        return lambda session: transfer.accept(
            session, transfer=session.get_one(Transfer, offer_id), by=session.get_one(User, buyer_id), at=at
        )

    def offering(key):
        return lambda session: bulk.transfer(
            session,
            sender=session.get_one(Organisation, coop_id),
            lines=[TransferLine(number, 7, buyer_number)] * 2,
            policy=policy,
            by=session.get_one(User, manager_id),
            key=key,
            at=at,
        )

    def freezing(session):
        site, issuer = session.get_one(Site, site_id), session.get_one(User, issuer_id)
        holds.hold_periods(session, site=site, **DAYS, reason="Children at work.", by=issuer, key="hold", at=at)

    steps = [accepting(offer) for offer in offers[:3]] + [offering(f"o{n}") for n in range(3)] + [freezing]
    steps += [accepting(offer) for offer in offers[3:]] + [offering(f"p{n}") for n in range(3)]
    with ThreadPoolExecutor(len(steps)) as pool:
        results = list(pool.map(done, steps))

    assert results[6]
    sold = 10 * len([each for each in stage.session.query(Transfer) if each.state is TransferState.ACCEPTED])
    assert stage.session.query(Transfer).filter_by(state=TransferState.PENDING).count() == 0
    made = queries.issuance_numbered(stage.session, number)
    assert stage.balance(made) == {AccountKind.HELD: 2_500 - sold}
    stage.must_be_sound()

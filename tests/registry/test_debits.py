"""A debit is made good once, however close an issuance and a buffer draw come to each other."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.participants.models import User
from credits.registry import decisions, issuance
from credits.registry.movements import Debit, Decision, DecisionKind
from credits.registry.production import Batch

HALF_A_SECOND = 0.5


def test_what_a_draw_of_this_moment_makes_good_is_not_deducted_again(stage, engine):
    stage.policy = replace(stage.policy, buffer_share_ppm=100_000)
    site = stage.site()
    stage.handed_over(made := stage.issued(site), 100)
    stage.decided(DecisionKind.DEBIT, made.number, quantity=50)
    debit = stage.session.scalars(select(Debit)).one()
    draw = stage.proposed(DecisionKind.BUFFER_DRAW, debit.number, quantity=50)
    batch = stage.verified(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 20))
    draw_id, batch_id, colleague_id, issuer_id = draw.id, batch.id, stage.colleague.id, stage.issuer.id
    policy, at = stage.policy, stage.at
    stage.session.commit()

    def issue() -> int:
        with Session(engine) as session:
            begin_writing(session)
            waiting, issuer = session.get_one(Batch, batch_id), session.get_one(User, issuer_id)
            quantity = issuance.issue(session, batch=waiting, policy=policy, by=issuer, key="i", at=at).quantity
            session.commit()
            return quantity

    with ThreadPoolExecutor(1) as pool, Session(engine) as session:
        begin_writing(session)
        decision, colleague = session.get_one(Decision, draw_id), session.get_one(User, colleague_id)
        decisions.approve(session, decision=decision, policy=policy, by=colleague, key="d", at=at)
        issued = pool.submit(issue)
        wait([issued], HALF_A_SECOND)
        session.commit()

        assert issued.result() == 2_500
    stage.session.rollback()
    assert debit.still_open == 0
    stage.must_be_sound()

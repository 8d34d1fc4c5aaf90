from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from credits import jobs
from credits.db import begin_writing
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.participants.models import User
from credits.registry import buffer, expiry, holds, public, reservation, validity
from credits.registry.models import TransferState
from credits.registry.movements import DecisionKind
from credits.registry.production import Site
from credits.registry.validity import Expired

LAST_DAY = datetime(2029, 5, 31, 23, tzinfo=UTC)  # 36 months after the last production day
AFTER = LAST_DAY + timedelta(hours=1)
HALF_A_SECOND = 0.5


def expired(stage, at=AFTER):
    return stage.expired(at)


def warned(stage, days_before):
    told = expiry.warn_due(stage.session, policy=stage.policy, at=LAST_DAY - timedelta(days=days_before))
    return [(each.organisation.id, each.days) for each in told]


class TestLastDay:
    @pytest.mark.parametrize(
        "production, last",
        [("2026-05-31", "2029-05-31"), ("2024-02-29", "2027-02-28"), ("2026-12-31", "2029-12-31")],
    )
    def test_lies_so_many_months_after_the_production(self, stage, production, last):
        made = stage.issued()
        stage.session.expunge(made)
        made.facts = {"production": {"to": production}}

        assert str(validity.last_day(made, stage.policy)) == last


class TestExpireDue:
    def test_waits_for_the_end_of_the_last_day(self, stage):
        made = stage.issued()

        assert expired(stage, LAST_DAY) == []
        assert expired(stage) == [made]
        assert stage.balance(made) == {}
        stage.must_be_sound()

    def test_takes_every_holder_s_and_the_buffer_s(self, stage):
        stage.policy = stage.policy.__class__(**vars(stage.policy) | {"buffer_share_ppm": 100_000})
        made = stage.issued()
        stage.handed_over(made, 400)
        stage.retired(made, 100)
        expired(stage)
        shares = {share.holding.kind: share.quantity for share in public.shares(stage.session, made)}

        assert shares == {AccountKind.RETIRED: 100, AccountKind.EXPIRED: 2_400}
        assert buffer.in_buffer(stage.session, "CO") == {}

    def test_ends_offers(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 400)
        expired(stage)

        assert (offer.state, offer.reason) == (TransferState.EXPIRED, "The credits have expired.")
        assert stage.balance(made) == {}
        stage.must_be_sound()

    def test_leaves_what_is_held_or_reserved_until_it_is_let_go(self, stage):
        made = stage.issued()
        reserved, held = stage.reserved((made, 100)), stage.held(made, 50)
        expired(stage)
        assert stage.balance(made) == {AccountKind.RESERVED: 100, AccountKind.HELD: 50}
        assert expired(stage) == []

        reservation.release(stage.session, reservation=reserved, by=None, at=AFTER)
        stage.decided(DecisionKind.RELEASE, held.number)
        assert expired(stage) == [made]
        assert stage.balance(made) == {}

    def test_takes_suspended_issuances_too(self, stage):
        made = stage.suspended(stage.issued())

        assert expired(stage) == [made]

    def test_happens_once_with_one_event(self, stage):
        made = stage.issued()
        stage.handed_over(made, 400)
        expired(stage)

        assert expired(stage) == []
        assert [event.kind for event in events.story(stage.session, made.number)].count("expiry.expired") == 1

    def test_is_foreseen_by_every_use(self, stage):
        made = stage.issued()
        stage.handed_over(made, 1)
        for use in (lambda: stage.offered(made, 1, at=AFTER), lambda: stage.retired(made, 1, at=AFTER)):
            with pytest.raises(Expired):
                use()


class TestExpireCredits:
    def test_goes_on_until_nothing_is_due(self, stage, monkeypatch):
        monkeypatch.setattr(expiry, "MOST_AT_A_TIME", 1)
        site = stage.site()
        stage.issued(site)
        stage.issued(site, produced_from=date(2026, 3, 1), produced_to=date(2026, 3, 20))
        stage.session.commit()

        assert jobs.expire_credits(stage.session, policy=stage.policy, at=AFTER) == 2
        assert jobs.warn_of_expiry(stage.session, policy=stage.policy, at=AFTER) == []
        stage.must_be_sound()

    def test_goes_on_past_what_nobody_foresaw(self, stage, monkeypatch):
        site = stage.site()
        first = stage.issued(site)
        second = stage.issued(site, produced_from=date(2026, 3, 1), produced_to=date(2026, 3, 20))
        stage.session.commit()
        expire, broken = expiry.expire, second.id

        def sometimes(session, issuance, *asked):
            if issuance.id == broken:
                raise LookupError("nobody foresaw this")
            return expire(session, issuance, *asked)

        monkeypatch.setattr(expiry, "expire", sometimes)
        assert jobs.expire_credits(stage.session, policy=stage.policy, at=AFTER) == 1
        assert (stage.balance(first), stage.balance(second)) == ({}, {AccountKind.AVAILABLE: 2_500})

    def test_and_a_hold_of_the_same_periods_never_wait_for_each_other(self, stage, engine, monkeypatch):
        site = stage.site()
        older = stage.issued(site)
        newer = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 20))
        stage.offered(newer, 10)
        site_id, issuer_id, at, expire = site.id, stage.issuer.id, stage.at, expiry.expire
        days = {"first_day": older.batch.produced_from, "last_day": newer.batch.produced_to}
        stage.session.commit()

        def hold() -> None:
            with Session(engine) as session:
                begin_writing(session)
                place, issuer = session.get_one(Site, site_id), session.get_one(User, issuer_id)
                holds.hold_periods(session, site=place, **days, reason="Children at work.", by=issuer, key="h", at=at)
                session.commit()

        with ThreadPoolExecutor(1) as pool:
            holding = []

            def expire_while_somebody_holds(*asked) -> bool:
                done = expire(*asked)
                if not holding:
                    holding.append(pool.submit(hold))
                    wait(holding, HALF_A_SECOND)
                return done

            monkeypatch.setattr(expiry, "expire", expire_while_somebody_holds)
            jobs.expire_credits(stage.session, policy=stage.policy, at=AFTER + timedelta(days=60))
            holding[0].result()

        assert stage.balance(older) == {}
        assert stage.balance(newer) in ({}, {AccountKind.HELD: 2_500})
        stage.must_be_sound()


class TestWarnDue:
    def test_tells_each_holder_once_at_each_of_the_days(self, stage):
        made = stage.issued()
        stage.handed_over(made, 400)
        both = [stage.coop.id, stage.buyer.organisation_id]
        told = [(days, warned(stage, days)) for days in (91, 90, 89, 30, 29, 8, 7, 0, -1)]

        assert [(days, [who for who, _ in rows]) for days, rows in told if rows] == [(90, both), (30, both), (7, both)]

    def test_gives_the_most_pressing_one_after_a_pause(self, stage):
        stage.issued()

        assert warned(stage, 5) == [(stage.coop.id, 5)]
        assert warned(stage, 4) == []

    def test_tells_who_became_a_holder_later(self, stage):
        made = stage.issued()
        warned(stage, 90)
        stage.handed_over(made, 400)

        assert warned(stage, 80) == [(stage.buyer.organisation_id, 80)]

    def test_tells_nobody_of_what_is_gone(self, stage):
        made = stage.issued()
        stage.decided(DecisionKind.CANCELLATION, made.number, holder=stage.coop.number, quantity=2_500)

        assert warned(stage, 7) == []

    def test_looks_at_no_other_day(self, stage):
        site = stage.site()
        for month in (1, 2, 3):
            stage.issued(site, produced_from=date(2026, month, 1), produced_to=date(2026, month, 20))

        assert warned(stage, 90) == [(stage.coop.id, 18)]  # 20 March alone: 72 days before 31 May

"""Chaos in its short form, and with planted bugs that it must see."""

import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text

from credits import market_jobs, market_rounds
from credits.payments.gateway import CheckoutState
from credits.payments.going_back import sending_back
from credits.payments.going_back.going_back_models import RefundState
from credits.payments.stripe_gateway import StripeGateway
from tests.checker_market import market
from tests.suites import chaos, chaos_http
from tests.suites.ground import Ground
from tests.suites.turmoil import Chaos


def test_comes_to_what_the_provider_says(database, tmp_path):
    ended = chaos.part(database, tmp_path / "papers", schedules=20, seed=7)

    assert ended.wrong == []
    assert ended.counted["delivered"] > 0
    assert ended.counted["cancelled"] > 0


def test_sells_the_last_credit_once(database, tmp_path):
    ended = chaos.rush(database, tmp_path / "papers", rounds=1, at_once=8)

    assert ended.wrong == []


def test_comes_to_the_same_over_http(database, tmp_path):
    counted, wrong, provider = chaos_http.over_http(database, tmp_path, orders=8)

    assert wrong == chaos.judged(database, provider.things) == []
    assert counted["delivered"] > 0
    assert counted["forged events refused"] == 10
    assert {name for name in counted if name.startswith("answered")} == {"answered 200"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestPlantedBug:
    @pytest.fixture
    def ground(self, database, tmp_path):
        made = Ground(database, tmp_path / "papers")
        yield made
        made.close()

    def wrong(self, ground, seed=3):
        made = Chaos(ground.stage, ground.issuance, random.Random(seed), Counter())
        said = chaos.play(made, 20)
        return "\n".join([*said, *chaos.judged(ground.url, made.standin.provider.things)])

    def test_of_delivering_before_the_money_has_cleared_is_seen(self, ground, monkeypatch):
        look = StripeGateway.look

        def hasty(self, reference):
            seen = look(self, reference)
            promised = seen.state is CheckoutState.PROCESSING
            return replace(seen, state=CheckoutState.PAID) if promised else seen

        monkeypatch.setattr(StripeGateway, "look", hasty)
        assert "nobody has paid" in self.wrong(ground)

    def test_of_hearing_nothing_is_seen(self, ground, monkeypatch):
        monkeypatch.setattr(market_jobs, "settle", lambda *_arguments: "nothing")
        monkeypatch.setattr(market_jobs, "take_in", lambda *_arguments, **_more: "nothing")

        said = self.wrong(ground)
        assert "is awaiting_payment, and the provider has" in said
        assert "was paid, and its payment is" in said

    def test_of_keeping_money_that_nobody_wants_is_seen(self, ground, monkeypatch):
        monkeypatch.setattr("credits.payments.settling.note_surplus", lambda *_arguments: None)
        monkeypatch.setattr(market_rounds, "send_refunds", lambda *_arguments, **_more: 0)

        assert "were not sent back" in self.wrong(ground)

    def test_of_what_banks_take_and_send_back_is_seen(self, ground, monkeypatch):
        def everything(line, amount, _payment):
            return line.quantity if amount else 0

        for room in ("concerning", "taking_back"):
            monkeypatch.setattr(f"credits.payments.going_back.{room}.share_of", everything)
        monkeypatch.setattr("credits.payments.premiums.premium.book_shortfall", lambda *_arguments, **_more: None)
        monkeypatch.setitem(sending_back.NEXT, RefundState.DONE, ())

        said = self.wrong(ground, seed=6)
        assert "the buyer has paid for" in said
        assert "went back, and the books say 0" in said
        assert "were not sent back" in said


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestMarketChecker:
    @pytest.fixture
    def sold(self, stage, engine):
        """A delivered order in a database without walls."""
        made = stage.bought((stage.for_sale(stage.issued(), 2_000), 1_000))
        stage.session.commit()
        with engine.begin() as connection:
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        return made

    @pytest.mark.parametrize(
        "damage, sentence",
        [
            ("DELETE FROM payment", "was delivered against []"),
            ("UPDATE payment SET amount = amount - 1", "was delivered against"),
            ("UPDATE purchase SET posting_id = NULL, delivered_at = NULL", "is delivered and nothing moved"),
            ("UPDATE purchase_line SET quantity = 999", "was delivered with other credits"),
            ("UPDATE offer SET remaining = quantity", "are sold"),
            ("UPDATE earmark_range SET last = last + 1", "are reserved for it"),
            ("UPDATE earmark SET closing_posting_id = opening_posting_id", "were not reserved for it"),
            ("UPDATE money_entry SET amount = amount + 1 WHERE id = 1", "which was divided"),
        ],
    )
    def test_sees_damage(self, sold, database, damage, sentence):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            assert market(connection) == []
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(damage)
            assert sentence in "\n".join(market(connection))

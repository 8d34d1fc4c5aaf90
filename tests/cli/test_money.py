import json
import sys

import pytest

from config import load
from credits import provider
from credits.app import create_app
from credits.market_jobs import Till, open_checkout
from credits.payments.models import Means
from tests.market_stage import certify
from tests.stripe_standin.in_process import standin_at
from tests.stripe_standin.server import Fault


@pytest.fixture
def standin(stage, monkeypatch):
    """The provider, at the same moment as the stage."""
    made, gateway = standin_at(stage.at.timestamp)
    monkeypatch.setattr(provider, "gateway_for", lambda _settings: gateway)
    # The package has the command under the module's name.
    monkeypatch.setattr(sys.modules["credits.cli.money"], "now", lambda: stage.at)
    return made, gateway


@pytest.fixture
def reconcile(app, session, standin):
    """Gives exit status and what was printed."""

    def run(*options):
        session.commit()
        told = app.test_cli_runner().invoke(args=["money", "reconcile", *options])
        return told.exit_code, told.output

    return run


class TestReconcile:
    def test_agrees_with_an_order_that_was_paid_by_a_transfer(self, reconcile, stage):
        stage.bought((stage.for_sale(stage.issued(), 1_000), 1_000))

        status, told = reconcile("--json")

        assert status == 0
        assert json.loads(told) == {
            "orders": 1,
            "payments": 1,
            "delivered": 1,
            "refunded": 0,
            "disagreements": [],
        }
        assert "All agree." in reconcile()[1]

    def test_names_what_the_provider_does_not_know(self, reconcile, stage, standin):
        payment = stage.begun(stage.ordered((stage.for_sale(stage.issued(), 1_000), 1_000), means=Means.STRIPE))
        number = payment.order.number
        stage.session.commit()
        till = Till(standin[1], stage.policy, lambda number: ("http://localhost", "http://localhost"), certify)
        open_checkout(stage.session, payment_id=payment.id, till=till, at=stage.at)
        standin[0].provider.things["checkout.session"].clear()

        status, told = reconcile("--json")

        assert status == 1
        assert [(each["kind"], each["subject"]) for each in json.loads(told)["disagreements"]] == [
            ("unknown_to_provider", number)
        ]
        assert number in reconcile()[1]

    def test_misses_nothing_that_began_at_another_stand_in(self, reconcile, stage, standin, monkeypatch):
        payment = stage.begun(stage.ordered((stage.for_sale(stage.issued(), 1_000), 1_000), means=Means.STRIPE))
        stage.session.commit()
        till = Till(standin[1], stage.policy, lambda number: ("http://localhost", "http://localhost"), certify)
        open_checkout(stage.session, payment_id=payment.id, till=till, at=stage.at)
        standin[0].provider.things["checkout.session"].clear()

        monkeypatch.setattr(type(standin[1]), "pages", "http://127.0.0.1:2")

        assert reconcile("--json")[0] == 0

    def test_says_that_the_provider_is_silent(self, reconcile, standin):
        standin[0].faults = [Fault("GET", "lose", times=9)]

        status, told = reconcile("--json")

        assert status == 1
        assert set(json.loads(told)) == {"orders", "payments", "delivered", "refunded", "disagreements"}
        assert json.loads(told)["disagreements"][0]["subject"] == "provider"


class TestMoney:
    @pytest.mark.parametrize("asked", [["reconcile", "--json"], ["check"]])
    def test_says_what_to_do_where_the_database_has_no_tables(self, tmp_path, asked):
        app = create_app(load({"DATABASE_URL": f"sqlite:///{tmp_path}/empty.db", "DATA_DIR": str(tmp_path)}))

        told = app.test_cli_runner().invoke(args=["money", *asked])

        assert told.exit_code == 2
        assert told.output == "Error: The database is not of this version: run flask --app wsgi db upgrade first.\n"

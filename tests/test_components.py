"""The macros of templates/components, by what a person sees. Pages are tested with their views."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel
from flask_wtf import CSRFProtect, FlaskForm
from jinja2 import StrictUndefined
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, StringField
from wtforms.validators import InputRequired

from config import ROOT
from credits.ledger.models import AccountKind
from credits.participants.models import Kyc
from credits.registry.minerals import MINERALS
from credits.registry.models import TransferState
from credits.registry.production import AssuranceState, BatchState
from credits.states import state_shown

Render = Callable[..., str]


@pytest.fixture(scope="module")
def bare_app() -> Flask:
    """Templates and what they call, without the registry behind them."""
    app = Flask("credits", static_folder=None, template_folder=str(ROOT / "templates"))
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.config.update(SECRET_KEY="only for these tests", WTF_CSRF_ENABLED=False)
    Babel(app)
    CSRFProtect(app)
    pages = ["search", "holdings", "batches", "sites", "transfers", "retirements", "account", "about", "sign_up"]
    pages += ["my_offers", "sold", "my_premium", "orders", "uses", "all_offers"]
    for endpoint in [f"web.{page}" for page in pages] + ["admin.home", "admin.organisations"]:
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "")
    app.add_url_rule("/static/<path:filename>", "static", lambda filename: "")
    app.jinja_env.filters["state_shown"] = state_shown
    return app


@pytest.fixture
def render(bare_app: Flask) -> Iterator[Render]:
    with bare_app.test_request_context("/list?q=ore&page=2"):
        yield lambda module, call, **values: render_template_string(
            f'{{% import "components/{module}.html" as it %}}{{{{ it.{call} }}}}', **values
        )


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.replace("&nbsp;", " "))).strip()


class Form(FlaskForm):
    key = HiddenField()
    name = StringField("Legal name", [InputRequired("Write the name.")])
    note = StringField("Note")
    access = RadioField(
        "Access",
        [InputRequired("Choose one.")],
        choices=[SelectChoice("own", "Own title"), SelectChoice("zone", "Zone")],
    )
    agree = BooleanField("I have read it")


class TestFigures:
    def test_a_serial_breaks_after_hyphens_and_copies_as_written(self, render):
        html = render("figures", "serial(text)", text="ASMC-CO-<b>-1")

        assert "ASMC-<wbr>CO-<wbr>&lt;b&gt;-<wbr>1" in html

    @pytest.mark.parametrize(
        "base_units, shown", [(2_500, "2.5 credits 2,500 kg"), (1_000, "1 credit 1,000 kg"), (0, "0 credits 0 kg")]
    )
    def test_a_quantity_says_credits_and_the_mineral_behind_them(self, render, base_units, shown):
        assert words(render("figures", "quantity(n, mineral)", n=base_units, mineral=MINERALS["CO"])) == shown

    def test_a_moment_says_that_it_is_utc(self, render):
        html = render("figures", "moment(at)", at=datetime(2026, 3, 31, 23, 5, tzinfo=UTC))

        assert words(html) == "31 Mar 2026, 23:05 UTC"
        assert 'datetime="2026-03-31T23:05:00+00:00"' in html

    def test_a_period_names_both_days(self, render):
        assert words(render("figures", "period(a, b)", a=date(2026, 1, 1), b=date(2026, 3, 31))) == (
            "1 Jan 2026 – 31 Mar 2026"
        )

    def test_a_bar_fills_its_width_exactly(self, render):
        parts = [("Available", 1, "1", "good"), ("Held", 0, "0", "stop"), ("Retired", 2, "2", "done")]

        html = render("figures", "bar(parts, 'Cobalt')", parts=parts)

        rects = [(int(x), int(width)) for x, width in re.findall(r' x="(\d+)".* width="(\d+)"', html)]
        assert rects == [(0, 330), (333, 667)]
        assert words(html) == "1. Available 1 2. Held 0 3. Retired 2"


class TestStatus:
    @pytest.mark.parametrize("state", [*BatchState, *TransferState, *AccountKind, *Kyc, *AssuranceState], ids=repr)
    def test_knows_every_state_of_the_registry(self, render, state):
        assert words(render("states", "status(state)", state=state))

    def test_shows_how_far_a_batch_has_come(self, render):
        html = render("states", "batch_progress(state)", state=BatchState.IN_REVIEW)

        assert re.findall(r'<li class="(\w+)"', html) == ["done", "done", "now", "next", "next"]


class TestField:
    def test_marks_what_may_stay_empty(self, render):
        assert words(render("forms", "field(form.note)", form=Form())) == "Note (optional)"
        assert words(render("forms", "field(form.name)", form=Form())) == "Legal name"

    def test_ties_hint_and_error_to_the_input(self, render):
        form = Form(MultiDict())
        form.validate()

        html = render("forms", "field(form.name, hint='As registered.')", form=form)

        assert 'aria-describedby="name-hint name-error-0"' in html
        assert 'aria-invalid="true"' in html
        assert words(html) == "Legal name As registered. Write the name."

    def test_gives_a_quantity_its_unit(self, render):
        html = render("forms", "field(form.name, unit='kg')", form=Form())

        assert words(html) == "Legal name kg"
        assert 'inputmode="decimal"' in html


class TestErrorSummary:
    def test_is_silent_when_nothing_is_wrong(self, render):
        assert render("forms", "error_summary(form)", form=Form()).strip() == ""

    def test_leads_to_each_field_and_says_what_the_rules_refused(self, render):
        form = Form(MultiDict())
        form.validate()
        form.form_errors.append("The <period> overlaps.")

        html = render("forms", "error_summary(form)", form=form)

        assert re.findall(r'href="#([\w-]+)"', html) == ["name", "access-0"]
        assert "The &lt;period&gt; overlaps." in html


class TestNavigation:
    @pytest.mark.parametrize(
        "kind, links",
        [
            (
                "cooperative",
                "Batches Sites My offers Sold Premium Holdings Transfers Retirements For sale How it works",
            ),
            ("manufacturer", "Holdings Transfers Retirements Orders Declared use For sale How it works"),
            ("verifier", "Panel For sale How it works"),
            ("registry", "Panel For sale How it works"),
        ],
    )
    def test_shows_each_kind_of_organisation_its_own_work(self, render, kind, links):
        person = SimpleNamespace(is_authenticated=True, organisation=SimpleNamespace(kind=kind))

        assert words(render("navigation", "main_navigation(person, '')", person=person)) == f"Menu {links}"

    def test_says_which_area_one_is_in(self, render):
        person = SimpleNamespace(is_authenticated=False)

        html = render("navigation", "main_navigation(person, 'web.search')", person=person)

        assert re.findall(r'href="([^"]+)" aria-current="page"', html) == ["/web.search"]

    def test_pages_keep_the_other_questions(self, render):
        html = render("navigation", "pagination(2, 3)")

        assert re.findall(r'href="([^"]+)"', html) == ["?q=ore&amp;page=1", "?q=ore&amp;page=3"]

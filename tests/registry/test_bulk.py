import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import Missing
from credits.journal.models import Event
from credits.ledger.claims import KeyReused
from credits.ledger.models import AccountKind, Entry, Posting
from credits.participants.models import User
from credits.registry import bulk, retirement, transfer
from credits.registry.bulk_lines import LineRefused, NoLines, RetirementLine, TooManyLines, TransferLine
from credits.registry.choosing import Choice
from credits.registry.models import Bulk, Retirement, Transfer, TransferState
from credits.registry.retirement import NotABuyer
from tests.stage import CLAIM

JUNE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}


@pytest.fixture
def stock(stage):
    """Two issuances, 1,000 units of each with the buyer."""
    site = stage.site()
    made = stage.issued(site), stage.issued(site, **JUNE)
    for each in made:
        stage.handed_over(each, 1_000)
    return made


def line(made, quantity, **bent) -> RetirementLine:
    return RetirementLine(made.number, quantity, replace(CLAIM, **bent))


def retired(stage, lines, **bent) -> Bulk:
    asked = {"holder": stage.buyer.organisation, "policy": stage.policy, "by": stage.buyer}
    return bulk.retire(stage.session, lines=lines, **asked | {"key": stage.key(), "at": stage.at} | bent)


def offered(stage, lines, **bent) -> Bulk:
    asked = {"sender": stage.coop, "policy": stage.policy, "by": stage.manager}
    return bulk.transfer(stage.session, lines=lines, **asked | {"key": stage.key(), "at": stage.at} | bent)


def of(stage, statement, model):
    """The lines of a statement in their order."""
    return stage.session.query(model).filter_by(bulk_id=statement.id).order_by(model.id).all()


class TestRetire:
    def test_serves_each_line_in_its_own_name(self, stage, stock):
        one, two = stock
        lines = [line(one, 10, beneficiary="A"), line(two, 20, beneficiary="B"), line(one, 30, beneficiary="C")]
        made = of(stage, retired(stage, lines), Retirement)

        assert [(each.beneficiary, each.quantity) for each in made] == [("A", 10), ("B", 20), ("C", 30)]
        assert ["-".join(retirement.serials_of(stage.session, each)[0].split("-")[-3:-1]) for each in made] == [
            "000000001-000000010",
            "000000001-000000020",
            "000000011-000000040",
        ]
        assert stage.balance(one, stage.buyer.organisation) == {AccountKind.AVAILABLE: 960}
        stage.must_be_sound()

    def test_is_one_posting_and_one_event(self, stage, stock):
        before = stage.session.query(Event).count()
        statement = retired(stage, [line(made, 1) for made in stock * 20])
        posting = stage.session.get_one(Posting, statement.posting_id)
        told = json.loads(stage.session.get_one(Event, posting.event_id).body)["facts"]

        assert stage.session.query(Event).count() == before + 1
        assert stage.session.query(Entry).filter_by(posting_id=posting.id).count() == 2
        assert (told["lines"], told["lines_sha256"]) == (40, statement.lines_sha256)
        assert len(told["serials"]) == 2
        assert statement.number.startswith("BULK-")

    def test_deals_scattered_serials_out_in_order(self, stage, stock):
        one, _ = stock
        stage.retired(one, 5)
        stage.held(one, 3, holder=stage.buyer.organisation)  # 6 to 8
        stage.handed_over(one, 4)  # 1001 to 1004, touching
        made = of(stage, retired(stage, [line(one, 500), line(one, 496)]), Retirement)

        assert [len(retirement.serials_of(stage.session, each)) for each in made] == [1, 1]
        assert stage.balance(one, stage.buyer.organisation) == {AccountKind.HELD: 3}
        stage.must_be_sound()

    @pytest.mark.parametrize(
        "number, bent, reason",
        [
            (2, {"quantity": 0}, "bad_quantity"),
            (3, {"quantity": True}, "bad_quantity"),
            (1, {"quantity": 2**63}, "bad_quantity"),
            (2, {"issuance": "ASMC-X"}, "no_such_issuance"),
            (3, {"claim": replace(CLAIM, beneficiary=" ")}, "unsound_text"),
            (3, {"claim": replace(CLAIM, country="XXX")}, "unknown_country"),
            (1, {"claim": replace(CLAIM, claim_from=date(2029, 1, 1))}, "bad_period"),
            (2, {"quantity": 999}, "insufficient_balance"),
            (1, {"quantity": 2**53 - 1}, "insufficient_balance"),
        ],
    )
    def test_names_the_line_that_fails_and_does_nothing(self, stage, stock, number, bent, reason):
        lines = [line(stock[0], 5), line(stock[0], 5), line(stock[0], 5)]
        lines[number - 1] = replace(lines[number - 1], **bent)
        with pytest.raises(LineRefused, match=f"^Line {number}: ") as refusal:
            retired(stage, lines)

        assert (refusal.value.detail["line"], refusal.value.detail["reason"]) == (number, reason)
        assert stage.session.query(Retirement).count() == 0
        assert stage.balance(stock[0], stage.buyer.organisation) == {AccountKind.AVAILABLE: 1_000}

    def test_names_the_first_line_of_a_suspended_issuance(self, stage, stock):
        stage.suspended(stock[1])
        with pytest.raises(LineRefused) as refusal:
            retired(stage, [line(stock[0], 1), line(stock[1], 1), line(stock[1], 1)])

        assert refusal.value.detail == {"issuance": stock[1].number, "line": 2, "reason": "issuance_suspended"}

    def test_refuses_no_line_and_too_many(self, stage, stock):
        with pytest.raises(NoLines):
            retired(stage, [])
        with pytest.raises(TooManyLines):
            retired(stage, [line(stock[0], 1)] * 10_001)

    def test_happens_once_a_key_and_for_these_lines_alone(self, stage, stock):
        lines = [line(stock[0], 1), line(stock[0], 2)]
        assert retired(stage, lines, key="once").id == retired(stage, lines, key="once").id

        with pytest.raises(KeyReused) as refusal:
            retired(stage, lines[::-1], key="once")
        assert refusal.value.detail == {"differs_in": ["lines"]}

    def test_is_the_holder_s(self, stage, stock):
        with pytest.raises(Missing):
            retired(stage, [line(stock[0], 1)], by=stage.second)
        with pytest.raises(NotABuyer):
            retired(stage, [line(stock[0], 1)], holder=stage.coop, by=stage.manager)

    def test_makes_a_statement_that_never_changes(self, stage, stock):
        statement = retired(stage, [line(stock[0], 1)])
        statement.lines = 2
        with pytest.raises(IntegrityError):
            stage.session.flush()


class TestRetireChosen:
    def test_makes_a_line_of_each_issuance_and_asks_no_second_time(self, stage, stock):
        asked = {"holder": stage.buyer.organisation, "claim": CLAIM, "policy": stage.policy, "by": stage.buyer}
        asked |= {"choice": Choice("CO", 1_200, 1_500), "key": "once", "at": stage.at}
        first, again = (bulk.retire_chosen(stage.session, **asked) for _ in range(2))

        assert first.id == again.id
        assert [(each.issuance_id, each.quantity) for each in of(stage, first, Retirement)] == [
            (stock[0].id, 1_000),
            (stock[1].id, 500),
        ]
        with pytest.raises(KeyReused):
            bulk.retire_chosen(stage.session, **asked | {"choice": Choice("CO", 1, 1_500)})

    def test_takes_what_is_left_where_two_choose_at_once(self, stage, stock, engine):
        buyer, policy, at = stage.buyer.id, stage.policy, stage.at
        stage.session.commit()
        gate = threading.Barrier(2)

        def choose(key):
            with Session(engine) as mine:
                gate.wait()
                begin_writing(mine)
                by = mine.get_one(User, buyer)
                choice = Choice("CO", 900, 900)  # the oldest has 1,000
                asked = {"holder": by.organisation, "choice": choice, "claim": CLAIM, "policy": policy}
                made = bulk.retire_chosen(mine, **asked, by=by, key=key, at=at)
                mine.commit()
                return made.lines

        with ThreadPoolExecutor(2) as both:
            assert sorted(both.map(choose, ["one", "two"])) == [1, 2]


class TestTransfer:
    def test_offers_each_line_to_its_own_recipient(self, stage):
        made = stage.issued()
        lines = [TransferLine(made.number, 10, stage.buyer.organisation.number, "For May")]
        lines += [TransferLine(made.number, 20, stage.second.organisation.number)]
        first, second = of(stage, offered(stage, lines), Transfer)
        transfer.accept(stage.session, transfer=second, by=stage.second, at=stage.at)

        assert (first.state, first.note, first.expires_at > stage.at) == (TransferState.PENDING, "For May", True)
        assert first.opening_posting_id == second.opening_posting_id
        assert stage.serials(made) == [("pending", 1, 10), ("available", 31, 2_500)]
        assert stage.serials(made, stage.second.organisation) == [("available", 11, 30)]
        stage.must_be_sound()

    @pytest.mark.parametrize("who, reason", [("issuer", "cannot_hold"), ("manager", "transfer_to_oneself")])
    def test_names_the_line_whose_recipient_cannot_be(self, stage, who, reason):
        made = stage.issued()
        lines = [TransferLine(made.number, 1, stage.buyer.organisation.number)]
        lines += [TransferLine(made.number, 1, getattr(stage, who).organisation.number)]
        with pytest.raises(LineRefused) as refusal:
            offered(stage, lines)

        assert (refusal.value.detail["line"], refusal.value.detail["reason"]) == (2, reason)
        assert stage.balance(made) == {AccountKind.AVAILABLE: 2_500}

    @pytest.mark.parametrize("number", ["ORG-999999", "", "ORG-1", "x"])
    def test_names_the_line_with_an_unknown_recipient(self, stage, number):
        with pytest.raises(LineRefused, match=r"^Line 1: "):
            offered(stage, [TransferLine(stage.issued().number, 1, number)])

    def test_names_the_line_for_which_nothing_is_left(self, stage):
        made = stage.issued()
        with pytest.raises(LineRefused) as refusal:
            offered(stage, [TransferLine(made.number, 1_000, stage.buyer.organisation.number)] * 3)

        assert refusal.value.detail == {
            "line": 3,
            "reason": "insufficient_balance",
            "asked": 1_000,
            "available": 500,
        }

    def test_is_ended_line_by_line(self, stage):
        made = stage.issued()
        offered(stage, [TransferLine(made.number, 1, stage.buyer.organisation.number)] * 3)
        ended = stage.unanswered(stage.at.replace(year=2027))

        assert len(ended) == 3
        assert stage.balance(made) == {AccountKind.AVAILABLE: 2_500}
        stage.must_be_sound()


class TestDatabase:
    def test_keeps_an_offer_in_its_own_statement(self, stage, stock):
        one, _ = stock
        alone = stage.offered(one, 5)
        statement = offered(stage, [TransferLine(one.number, 5, stage.second.organisation.number)])
        within = of(stage, statement, Transfer)[0]
        stage.session.commit()
        for change in (f"bulk_id = {statement.id} WHERE id = {alone.id}", f"bulk_id = NULL WHERE id = {within.id}"):
            with pytest.raises(IntegrityError):
                stage.session.connection().exec_driver_sql(f"UPDATE transfer SET {change}")
            stage.session.rollback()

    def test_lets_no_offer_into_the_statement_of_others(self, stage, stock):
        one, _ = stock
        stage.offered(one, 5)
        statement = offered(stage, [TransferLine(one.number, 5, stage.second.organisation.number)])
        columns = "issuance_id, quantity, sender_id, recipient_id, note, state, opening_posting_id, proposed_by_id"
        with pytest.raises(IntegrityError, match="own posting"):
            stage.session.connection().exec_driver_sql(
                f"""INSERT INTO transfer ({columns}, proposed_at, expires_at, bulk_id)
                    SELECT {columns}, proposed_at, expires_at, {statement.id} FROM transfer WHERE bulk_id IS NULL"""
            )

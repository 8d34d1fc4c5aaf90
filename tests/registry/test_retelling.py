"""What `flask ledger check` asks of movements and the log. Edits that it finds: tests/suites/test_attacks.py."""

import pytest

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.registry.movements import DecisionKind
from credits.registry.retelling import check
from tests.ledger.test_invariants import damage
from tests.registry.test_invariants import freely


def broken(session):
    return {promise.name: promise.broken for promise in check(session) if not promise.holds}


@pytest.fixture
def made(stage):
    """Some of it retired, offered, reserved, held, refused and cancelled."""
    made = stage.issued()
    stage.handed_over(made, 1_500)
    retired = stage.retired(made, 750)
    issuing.freeze(stage.session, retirement=retired, issuer=Issuer("ASM Credits", "https://registry.example"))
    stage.offered(made, 100)
    stage.reserved((made, 100))
    stage.decided(DecisionKind.RELEASE, stage.held(made, 100).number)
    stage.decided(DecisionKind.CANCELLATION, made.number, holder=stage.coop.number, quantity=7)
    return made


class TestCheck:
    def test_finds_nothing_where_nothing_is_wrong(self, session, made):
        assert [promise.name for promise in check(session)] == ["told", "listed"]
        assert broken(session) == {}

    def test_finds_nothing_in_an_empty_registry(self, session):
        assert broken(session) == {}

    @pytest.mark.parametrize(
        "statement, seen",
        [
            ("UPDATE entry SET last = last - 1 WHERE posting_id = 2", {"told": ["posting 2"]}),
            ("DELETE FROM entry WHERE posting_id = 2", {"told": ["posting 2"]}),
            ("UPDATE retirement SET purpose = 'Other'", {"listed": ["retirement 1", "certificate of retirement 1"]}),
            ("UPDATE retirement SET holder_id = 1", {"listed": ["holder of retirement 1"]}),
            ("UPDATE transfer SET state = 'withdrawn' WHERE id = 1", {"listed": ["transfer 1"]}),
            ("UPDATE transfer SET sender_id = 3 WHERE id = 2", {"listed": ["transfer 2"]}),
        ],
    )
    def test_names_what_differs(self, session, database, made, statement, seen):
        damage(session, database, *freely(database, statement))

        assert broken(session) == seen

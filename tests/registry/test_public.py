"""What everybody may look up, and that looking costs as much as is shown."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from credits.ledger.serials import LARGEST, SerialRange
from credits.registry import public


def plan_of(session: Session, statement) -> str:
    """How the database would read it, small as its tables are."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    if not on_sqlite:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
    sql = str(statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
    rows = session.execute(text(("EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN ") + sql)).all()
    return "\n".join(row[3] if on_sqlite else row[0] for row in rows)


class TestHistory:
    @pytest.fixture
    def moved(self, stage):
        """An issuance of which a hundred were moved, one by one, there and on."""
        made = stage.issued()
        for _ in range(50):
            stage.handed_over(made, 1)
        return made

    def test_tells_the_newest_first_and_goes_on_where_it_ended(self, stage, moved):
        everything = SerialRange(1, moved.quantity)
        first = public.history(stage.session, moved, everything, before=LARGEST, limit=20)
        ids = [each.posting_id for each in first]
        second = public.history(stage.session, moved, everything, before=ids[-1], limit=200)

        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 20
        assert len(ids + second) == 101  # issued, fifty times offered and accepted
        one = public.history(stage.session, moved, SerialRange(7, 7), before=LARGEST, limit=20)
        assert [len(each.units) for each in one] == [1, 1, 1]

    @pytest.mark.parametrize("units", [SerialRange(1, 2_500), SerialRange(7, 7)])
    def test_is_read_backwards_along_an_index(self, stage, moved, units):
        asked = {"issuance_id": moved.id, "first": units.first, "last": units.last, "before": LARGEST, "limit": 20}
        plan = plan_of(stage.session, public.NEWEST.params(asked))

        assert "ix_entry_issuance_id_posting_id" in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan

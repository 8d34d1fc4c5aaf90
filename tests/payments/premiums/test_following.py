"""Premium followed from a sale to what was bought with it, and how long it took."""

import json
from datetime import timedelta

from sqlalchemy import select

from credits.journal.models import Event
from credits.ledger.serials import SerialRange
from credits.payments.premiums import following, reminding, tracing


class TestFollow:
    def test_pays_out_first_what_was_collected_first(self):
        found = following.attributed([("a", 10), ("b", 0), ("c", 5)], [("x", 4), ("y", 8), ("z", 1)])

        assert list(found) == [("a", "x", 4), ("a", "y", 6), ("c", "y", 2), ("c", "z", 1)]

    def test_leads_from_units_to_their_order_payout_and_receipt(self, house):
        order = house.sold(100_000, 100)
        house.sold(100_000, 100)
        payout = house.paid(house.decided(income=44_000), 44_000)
        house.used(payout, 5_000)

        (trail,) = following.trails_of(house.session, house.made, [SerialRange(1, 50)])

        assert (trail.order.id, trail.units, trail.share, trail.held) == (order.id, 50, 44_000, 22_000)
        assert [(piece.payout.number, piece.amount) for piece in trail.pieces] == [(payout.number, 22_000)]
        assert following.trails_of(house.session, house.made, [SerialRange(2_000, 2_400)]) == []

    def test_leads_to_the_newest_purchases_of_very_many(self, house, monkeypatch):
        house.sold(100_000, 100)
        newest = house.sold(100_000, 100)
        for module in (following, tracing):
            monkeypatch.setattr(module, "MOST_LINES", 1)
        both = SerialRange(1, 200)

        assert [each.order for each in following.trails_of(house.session, house.made, [both])] == [newest]
        assert tracing.sales_of(house.session, house.made, both) == (2, 0)


class TestNoteOverdue:
    def test_tells_the_issuers_once_of_what_is_late(self, house):
        house.sold(at=house.at - timedelta(days=31))
        for new in (1, 0):
            assert reminding.note_overdue(house.session, goal=30, at=house.at) == new
        told = house.session.scalars(select(Event.body).where(Event.kind == reminding.OVERDUE)).all()
        assert [json.loads(each)["facts"] for each in told] == [{"days": 31, "site": "COD-KAM001"}]

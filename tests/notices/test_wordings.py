import re

import pytest

from credits.notices.occurrences import TOLD, TOLD_TOGETHER
from credits.notices.wordings import ACTS, MINERALS, WORDINGS, Kind, wording
from credits.registry.minerals import MINERALS as ALL_MINERALS
from credits.registry.movements import DecisionKind


class TestWordings:
    def test_are_there_for_every_kind(self):
        assert set(WORDINGS) == set(Kind)

    @pytest.mark.parametrize("kind", Kind)
    def test_lead_to_a_page_of_the_registry(self, any_app, kind):
        said = WORDINGS[kind]
        facts = {name: "/exports" if name == "page" else "ORG-000001" for name in re.findall(r"{(\w+)}", said.path)}
        path = said.path.format_map(facts).partition("?")[0]

        assert any_app.url_map.bind("localhost").match(path)

    def test_put_facts_into_translated_texts(self):
        facts = {"issuance": "ASMC-X", "last_day": "2026-07-01", "days": 7, "holder": "ORG-000001"}
        said = wording(Kind.EXPIRY_NEAR, facts, lambda text: text.replace("can be used until", "utilisable jusqu'au"))

        assert said.title == "Credits of ASMC-X utilisable jusqu'au 1 Jul 2026"
        assert said.path == "/holdings/ASMC-X?of=ORG-000001"

    def test_say_days_as_pages_do_and_leave_other_words_alone(self):
        facts = {"order": "ORDER-000001", "total": "EUR 1.00", "buyer": "2026-13-45", "page": "/orders"}
        for until, shown in (("2026-07-09", "9 Jul 2026."), ("2026-07-09 08:05 UTC", "9 Jul 2026, 08:05 UTC.")):
            happened = wording(Kind.ORDER_TO_PAY, facts | {"until": until}, str).happened
            assert happened == f"The credits of ORDER-000001 are reserved for 2026-13-45 until {shown}"

    def test_keep_a_title_on_one_line(self):
        facts = {"name": "Line\nbreak %s", "reason": "Why."}

        assert wording(Kind.ORGANISATION_REFUSED, facts, str).title == "Line break %s cannot take part"

    def test_name_every_mineral_and_act(self):
        assert set(MINERALS) == {mineral.name for mineral in ALL_MINERALS.values()}
        assert set(ACTS) == {kind.value for kind in DecisionKind}


def test_every_kind_of_event_is_one_that_is_written():
    from pathlib import Path

    rooms = Path(__file__).parents[2] / "credits"
    floors = ("registry", "participants", "payments")
    code = "".join(path.read_text() for room in floors for path in (rooms / room).rglob("*.py"))
    made = {"bulk.transfer", "organisation.approved", "organisation.refused", "organisation.suspended"}
    made |= {f"transfer.{state}" for state in ("accepted", "rejected", "withdrawn", "expired")}

    assert [kind for kind in {**TOLD, **TOLD_TOGETHER} if f'"{kind}"' not in code and kind not in made] == []

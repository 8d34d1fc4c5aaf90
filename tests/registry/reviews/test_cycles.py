from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.participants.models import RoleName
from credits.registry.reviews import verification
from credits.registry.reviews.assigned import AssignmentState
from credits.registry.reviews.assigning import standing
from credits.registry.reviews.cycles import TooManyCycles, row_with, rows_of
from tests.batch_stage import FINDING
from tests.factories import UserFactory

AMINA, BINTA = 1, 2


def alone(session):
    """Leave these rules alone to keep batches from being verified: others would refuse what is tried here as well."""
    on = " ON batch" if session.get_bind().dialect.name == "postgresql" else ""
    for other in ("batch_verified_after_answers", "batch_verified_after_assessment"):
        session.execute(text(f"DROP TRIGGER {other}{on}"))


class TestRowWith:
    @pytest.mark.parametrize(
        "verified, vintage, row",
        [
            ([], 2026, [2026]),
            ([(2024, AMINA), (2025, AMINA)], 2026, [2024, 2025, 2026]),
            ([(2023, AMINA), (2024, AMINA), (2025, AMINA), (2025, BINTA)], 2026, [2023, 2024, 2025, 2026]),
            ([(2023, AMINA), (2024, BINTA), (2025, AMINA)], 2026, [2025, 2026]),
            ([(2020, AMINA), (2023, AMINA)], 2026, [2020, 2023, 2026]),  # nobody has looked in between
            ([(2025, AMINA), (2027, AMINA), (2028, BINTA), (2029, AMINA)], 2026, [2025, 2026, 2027]),
            ([(2026, AMINA), (2026, AMINA)], 2026, [2026]),
        ],
    )
    def test_counts_vintages_that_nobody_else_parts(self, verified, vintage, row):
        assert row_with(verified, [AMINA], vintage) == row


@pytest.fixture
def in_turn(stage):
    """Verifies a batch of one vintage, on a day of the next year."""
    site = stage.site()
    stage.licence(site, date(2015, 1, 1), date(2035, 12, 31))
    policy = replace(stage.policy, months_to_issue=600)

    def verified(year, lead=None, at=None):
        stage.at, stage.policy = datetime(year + 1, 2, 1, tzinfo=UTC), policy
        finding = replace(
            FINDING,
            visited_from=date(year + 1, 1, 1),
            visited_to=date(year + 1, 1, 2),
            valid_from=date(year, 1, 1),
            valid_to=date(year, 12, 31),
        )
        days = {"produced_from": date(year, 4, 1), "produced_to": date(year, 5, 31)}
        before, stage.lead = stage.lead, lead or stage.lead
        try:
            return stage.verified(site, finding=finding, **days)
        finally:
            stage.lead = before

    return verified


class TestMustHaveTurn:
    def test_lets_a_lead_verify_three_vintages_in_a_row_and_no_fourth(self, stage, in_turn):
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD])
        for year in (2021, 2022, 2023):
            in_turn(year)
        with pytest.raises(TooManyCycles, match="3 vintages in a row"):
            in_turn(2024)

        row = rows_of(stage.session, stage.lead.organisation)[0]
        assert (row.lead, row.producer, row.vintages) == (stage.lead, stage.coop, [2021, 2022, 2023])
        assert colleague.active

    def test_begins_anew_after_another_lead(self, stage, in_turn):
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD])
        for year, lead in ((2021, None), (2022, None), (2023, None), (2024, colleague), (2025, None)):
            in_turn(year, lead)

    def test_leaves_a_verifier_without_a_lead_in_turn_out_of_the_lots(self, stage, in_turn):
        batch = [in_turn(year) for year in (2021, 2022, 2023)][-1]
        fourth = stage.submitted(batch.site, produced_from=date(2024, 1, 1), produced_to=date(2024, 1, 31))

        assert standing(stage.session, fourth).state is AssignmentState.NOBODY

    def test_takes_the_accounts_of_one_mailbox_for_one_lead(self, stage, in_turn):
        twin = UserFactory(
            organisation=stage.lead.organisation, may=[RoleName.LEAD], email=stage.lead.email.replace("@", "+2@")
        )
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD])
        for year, lead in ((2021, None), (2022, twin), (2023, None)):
            in_turn(year, lead)

        with pytest.raises(TooManyCycles, match="3 vintages in a row"):
            in_turn(2024, twin)
        assert {tuple(row.vintages) for row in rows_of(stage.session, stage.lead.organisation)} == {(2021, 2022, 2023)}
        assert colleague.active

    def test_is_kept_by_the_database_too(self, stage, in_turn):
        colleague = UserFactory(organisation=stage.lead.organisation, may=[RoleName.LEAD])
        batch = [in_turn(year) for year in (2021, 2022, 2023)][-1]
        stage.at = datetime(2025, 2, 1, tzinfo=UTC)
        fourth = stage.in_review(batch.site, produced_from=date(2024, 1, 1), produced_to=date(2024, 1, 31))
        stage.answered(fourth)
        alone(stage.session)
        verification.declare(stage.session, batch=fourth, by=colleague, at=stage.at)
        step = text("UPDATE batch SET state = 'verified', verified_by_id = :lead WHERE id = :id")

        with pytest.raises(IntegrityError, match="in a row"), stage.session.begin_nested():
            stage.session.execute(step, {"lead": stage.lead.id, "id": fourth.id})
        stage.session.execute(step, {"lead": colleague.id, "id": fourth.id})

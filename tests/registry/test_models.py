"""What the database refuses even to those who may write SQL by hand."""

import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.registry.production import Batch

FINAL = ("holding", "issuance_attributes", "transfer_range", "retirement", "retired_range", "remark", "certificate")
ATTACKS = [
    *(f"DELETE FROM {table}" for table in FINAL),
    "UPDATE holding SET organisation_id = NULL WHERE organisation_id IS NOT NULL",
    "UPDATE issuance_attributes SET vintage = vintage + 1",
    "UPDATE transfer_range SET last = last + 1",
    "UPDATE retirement SET beneficiary = 'Thief'",
    "UPDATE retired_range SET retirement_id = retirement_id",
    "UPDATE remark SET text = 'All is well.'",
    "UPDATE certificate SET facts = facts, number = 'ASMC-R-999999'",
]
REPLACING = [
    """REPLACE INTO certificate (retirement_id, number, facts, language, event_id, inclusion)
        SELECT retirement_id, number, facts, language, event_id, inclusion FROM certificate""",
    "REPLACE INTO holding (account_id, organisation_id, kind) SELECT account_id, 1, kind FROM holding",
    "INSERT OR REPLACE INTO retired_range SELECT issuance_id, first - 1, last, retirement_id FROM retired_range",
]


@pytest.fixture
def told(stage):
    """One of everything that is final."""
    made = stage.issued()
    stage.handed_over(made, 1_500)
    retired = stage.retired(made, 750)
    issuing.freeze(stage.session, retirement=retired, issuer=Issuer("ASM Credits", "https://registry.example"))
    stage.session.commit()
    return stage


class TestFinal:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_stays_as_it_was_written(self, told, attack):
        with pytest.raises(DBAPIError, match="final"):
            told.session.execute(text(attack))

    @pytest.mark.parametrize("attack", REPLACING)
    @pytest.mark.parametrize("bare", [False, True], ids=["our connection", "a bare connection"])
    def test_is_never_replaced(self, told, database, attack, bare):
        if not database.startswith("sqlite"):
            pytest.skip("PostgreSQL knows no REPLACE")
        connection = sqlite3.connect(database.removeprefix("sqlite:///"))
        connection.execute(f"PRAGMA recursive_triggers={'OFF' if bare else 'ON'}")
        with pytest.raises(sqlite3.DatabaseError, match=r"final|keeps no rules|retired once"):
            connection.execute(attack)
        connection.close()


# The serials 1 to 750 are retired, 751 to 1,500 with the buyer, 1,501 to 2,500 with the producer.
AGAIN = """INSERT INTO retirement (id, issuance_id, quantity, posting_id, holder_id, beneficiary, beneficiary_country,
    beneficiary_identifier, purpose, claim_from, claim_to, retired_by_id, retired_at)
    SELECT 99, issuance_id, {quantity}, posting_id, {holder}, 'Thief', beneficiary_country, beneficiary_identifier,
    purpose, claim_from, claim_to, retired_by_id, retired_at FROM retirement"""
RANGE = "INSERT INTO retired_range SELECT issuance_id, {first}, {last}, {retirement} FROM retirement WHERE id <> 99"
CERTIFICATE = """INSERT INTO certificate (retirement_id, number, facts, language, event_id, inclusion)
    SELECT 99, 'ASMC-R-000099', facts, language, event_id, inclusion FROM certificate"""


class TestRetired:
    @pytest.mark.parametrize(
        "first, last",
        [(1, 750), (3, 749), (750, 750), (750, 751), (751, 751), (751, 1500), (1501, 2500), (2500, 2501), (9000, 9001)],
    )
    def test_is_only_what_the_posting_retired_and_only_once(self, told, first, last):
        told.session.execute(text(AGAIN.format(quantity=748, holder="holder_id")))

        with pytest.raises(IntegrityError, match="retired once"):
            told.session.execute(text(RANGE.format(first=first, last=last, retirement=99)))

    def test_has_no_certificate_without_its_serials(self, told):
        told.session.execute(text(AGAIN.format(quantity=748, holder="holder_id")))

        with pytest.raises(IntegrityError, match="serials are all there"):
            told.session.execute(text(CERTIFICATE))


class TestOnTheirWay:
    @pytest.mark.parametrize("first, last", [(1, 1500), (1500, 1500), (1501, 1501), (2000, 2500)])
    def test_are_only_what_the_posting_froze(self, told, first, last):
        with pytest.raises(IntegrityError, match="frozen"):
            told.session.execute(text(f"INSERT INTO transfer_range SELECT id, {first}, {last} FROM transfer"))


class TestPeople:
    def test_never_move_to_another_organisation(self, told):
        with pytest.raises(IntegrityError, match="moves"):
            told.session.execute(
                text('UPDATE "user" SET organisation_id = :other WHERE id = :id'),
                {"other": told.coop.id, "id": told.lead.id},
            )

    @pytest.mark.parametrize(
        "bent",
        [
            {"issuer_organisation_id": "second"},
            {"verifier_organisation_id": "second"},
            {"producer_id": "second"},
            {"issuer_id": "second"},
            {"verifier_id": "second"},
            {"submitter_id": "second"},
            {"issuer_id": "second", "issuer_organisation_id": "second"},
            {"verifier_id": "second", "verifier_organisation_id": "second"},
        ],
    )
    def test_behind_an_issuance_are_who_they_are_said_to_be(self, stage, bent):
        """The attributes are taken back and written anew, otherwise as they were."""
        made = stage.issued()
        batch = stage.verified(stage.site(name="Another"))
        columns = dict(stage.session.execute(text("SELECT * FROM issuance_attributes")).mappings().one())
        posting = stage.session.execute(text("INSERT INTO issuance (first, quantity) VALUES (1, 5) RETURNING id"))
        columns |= {"id": posting.scalar_one(), "quantity": 5, "number": "ASMC-X", "site_id": batch.site_id}
        columns |= {"batch_id": batch.id, "posting_id": made.posting_id}
        people = {True: stage.second.organisation_id, False: stage.second.id}
        columns |= {name: people[name.startswith("producer") or "organisation" in name] for name in bent}
        names = ", ".join(columns)

        with pytest.raises(IntegrityError, match="each stand behind"):
            stage.session.execute(
                text(f"INSERT INTO issuance_attributes ({names}) VALUES (:{names.replace(', ', ', :')})"), columns
            )


GOING_BACK = [
    *(
        f"UPDATE batch SET state = '{state}'"
        for state in ("draft", "submitted", "in_review", "information_requested", "verified", "rejected", "withdrawn")
    ),
    *(
        f"UPDATE batch SET {column} = {column} + 1"
        for column in ("id", "gross_mg", "moisture_ppm", "grade_ppm", "contained_ng", "carried_ng", "miners")
    ),
    "UPDATE batch SET dry_mg = dry_mg - 1",
    "UPDATE batch SET produced_from = produced_to",
    "UPDATE batch SET sold_to = 'Thief'",
    "UPDATE batch SET verified_by_id = drafted_by_id, submitted_by_id = verified_by_id",
    "UPDATE batch SET independence = 'None.'",
    "UPDATE assurance SET valid_to = '2030-01-01'",
    "UPDATE assurance SET level = 'Higher'",
    "UPDATE evidence SET filename = 'other.pdf'",
    "UPDATE evidence SET sha256 = kind || substr(sha256, length(kind) + 1)",
    "UPDATE evidence SET counts = NOT counts",
    "DELETE FROM evidence",
    "UPDATE transfer SET sender_id = recipient_id, recipient_id = sender_id",
    "UPDATE transfer SET quantity = quantity + 1",
    "UPDATE transfer SET closed_at = proposed_at",
    *(
        f"DELETE FROM {table}"
        for table in ("batch", "site", "licence", "assurance", "transfer", "organisation", '"user"')
    ),
]


class TestKept:
    @pytest.mark.parametrize("attack", GOING_BACK)
    def test_does_not_go_back(self, told, attack):
        with pytest.raises(IntegrityError, match=r"registry:|ledger:"):
            told.session.execute(text(attack))

    def test_nor_does_an_offer_change_while_it_is_open(self, told):
        offer = told.offered(told.issued(told.site(name="Another")), 10)

        with pytest.raises(IntegrityError, match="as it was offered"):
            told.session.execute(text(f"UPDATE transfer SET quantity = 20 WHERE id = {offer.id}"))

    def test_a_batch_begins_as_a_draft(self, told):
        names = ", ".join(column.name for column in Batch.__table__.columns if column.name != "id")

        with pytest.raises(IntegrityError, match="begins as a draft"):
            told.session.execute(text(f"INSERT INTO batch ({names}) SELECT {names} FROM batch"))

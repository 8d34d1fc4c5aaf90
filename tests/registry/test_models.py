"""What the database refuses even to those who may write SQL by hand."""

import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from credits.certificates import issuing
from credits.certificates.issuing import Issuer

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
    "REPLACE INTO certificate (retirement_id, number, facts) SELECT retirement_id, number, facts FROM certificate",
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
        with pytest.raises(sqlite3.DatabaseError, match=r"final|keeps no rules"):
            connection.execute(attack)
        connection.close()

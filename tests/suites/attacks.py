"""Whoever owns the database edits it by hand, past every trigger: each edit is found.

    make attacks

Between them `flask ledger check`, `flask journal verify` and the checkpoint that is kept outside find all of it.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from credits.certificates import issuing
from credits.db import begin_writing
from credits.journal import auditing, keys, merkle
from credits.journal.log_models import LogLeaf
from credits.journal.models import Event
from tests import servers
from tests.stage import Stage
from tests.suites.scenes import ISSUER, published
from tests.suites.statements import Theatre, theatre_at
from tests.suites.steps import Step

THIEF = "(SELECT account_id FROM holding WHERE kind = 'available' AND organisation_id = {second})"
VICTIM = "(SELECT account_id FROM holding WHERE kind = 'available' AND organisation_id = {buyer})"
RETIRED = "(SELECT posting_id FROM retirement)"
LEDGER, JOURNAL = "ledger check", "journal verify"


def lived_in(s: Stage) -> None:
    """1–750 retired, 751–1,500 with the buyer, 1,501–1,600 with another one, the rest with the cooperative.

    All of it is published, under two checkpoints.
    """
    made = s.issued()
    s.handed_over(made, 1_500)
    retired = s.retired(made, 750)
    issuing.freeze(s.session, retirement=retired, issuer=ISSUER)
    s.handed_over(made, 100, to=s.second)
    s.held(made, 100)
    s.session.commit()
    published(s)
    begin_writing(s.session)
    s.site(name="Mutoshi")
    s.session.commit()
    published(s)


@dataclass(frozen=True)
class Attack:
    """Statements, with the ids of organisations in braces; or what else somebody does with a session. found_by: who
    must see it, at least."""

    found_by: set[str]
    statements: tuple[str, ...] = ()
    does: Callable[[Session], None] = field(default=lambda session: None)


def compute_all_hashes_anew(session: Session) -> None:
    """Change who did something in the event's bytes, and every hash that follows from them, but for the signature."""
    event = session.get_one(Event, 5)
    body = bytes(event.body).replace(event.actor.encode(), b"USR-000666")
    session.execute(text("UPDATE event SET body = :body, actor = 'USR-000666' WHERE id = 5"), {"body": body})
    leaf = merkle.leaf_hash(body)
    session.execute(text("UPDATE log_leaf SET hash = :leaf WHERE event_id = 5"), {"leaf": leaf})
    leaves = [bytes(row.hash) for row in session.query(LogLeaf).order_by(LogLeaf.position).populate_existing()]
    for (size,) in session.execute(text("SELECT size FROM log_checkpoint")).all():
        tree = auditing.GrowingTree()
        for each in leaves[:size]:
            list(tree.grow(each))
        session.execute(
            text("UPDATE log_checkpoint SET root = :root WHERE size = :size"), {"root": tree.root, "size": size}
        )


UNRETIRE = (
    f"UPDATE block SET account_id = {VICTIM} WHERE first = 1",
    f"DELETE FROM entry WHERE posting_id = {RETIRED}",
    "DELETE FROM certificate",
    "DELETE FROM retired_range",
)
FORGED = "INSERT INTO event (id, kind, subject, actor, at, body) SELECT 9001, kind, subject, actor, at, body FROM event"

ATTACKS: dict[str, Attack] = {
    "take serials": Attack({LEDGER}, (f"UPDATE block SET account_id = {THIEF} WHERE account_id = {VICTIM}",)),
    "take serials, and rewrite how they came there": Attack(
        {LEDGER},
        (
            f"UPDATE block SET account_id = {THIEF} WHERE account_id = {VICTIM}",
            f"UPDATE entry SET from_account_id = {THIEF} WHERE from_account_id = {VICTIM}",
            f"UPDATE entry SET to_account_id = {THIEF} WHERE to_account_id = {VICTIM}",
        ),
    ),
    "mint serials, and rewrite how many were issued": Attack(
        {LEDGER},
        (
            "UPDATE issuance SET quantity = 3500",
            "UPDATE issuance_attributes SET quantity = 3500",
            "UPDATE entry SET last = 3500 WHERE from_account_id IS NULL",
            "UPDATE block SET last = 3500, issued = 3500 WHERE last = 2500",
            "UPDATE block SET issued = 3500 WHERE issued = 2500",
        ),
    ),
    "bring retired serials back": Attack(
        {LEDGER},
        (*UNRETIRE, "DELETE FROM retirement", "DELETE FROM posting WHERE id NOT IN (SELECT posting_id FROM entry)"),
    ),
    "bring retired serials back, and forget the event": Attack(
        {JOURNAL},
        (
            *UNRETIRE,
            "DELETE FROM log_leaf WHERE event_id = (SELECT id FROM event WHERE kind = 'retirement.retired')",
            "DELETE FROM event WHERE kind = 'retirement.retired'",
            "DELETE FROM retirement",
            "DELETE FROM posting WHERE id NOT IN (SELECT posting_id FROM entry)",
        ),
    ),
    "retire in another name": Attack({LEDGER}, ("UPDATE retirement SET beneficiary = 'Somebody else'",)),
    "print another certificate": Attack({LEDGER}, ("{certificate}",)),
    "give a transfer another recipient": Attack(
        {LEDGER}, ("UPDATE transfer SET recipient_id = {second} WHERE recipient_id = {buyer}",)
    ),
    "exchange two accounts": Attack(
        {LEDGER},
        (
            "UPDATE holding SET organisation_id = -1 WHERE kind = 'available' AND organisation_id = {buyer}",
            "UPDATE holding SET organisation_id = {buyer} WHERE kind = 'available' AND organisation_id = {second}",
            "UPDATE holding SET organisation_id = {second} WHERE organisation_id = -1",
        ),
    ),
    "move serials under another event's words": Attack(
        {LEDGER},
        (
            FORGED + " WHERE kind = 'transfer.accepted' ORDER BY id LIMIT 1",
            "INSERT INTO posting (id, event_id, at) SELECT 9001, 9001, at FROM posting WHERE id = 1",
            (
                "INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)"
                f" SELECT 9001, issuance_id, first, last, account_id, {THIEF} FROM block WHERE first = 751"
            ),
            f"UPDATE block SET account_id = {THIEF} WHERE first = 751",
        ),
    ),
    "say that somebody else did it": Attack({JOURNAL}, ("UPDATE event SET actor = 'USR-000666' WHERE id = 5",)),
    "rewrite an event's bytes": Attack(
        {JOURNAL}, ("UPDATE event SET body = (SELECT body FROM event other WHERE other.id = 6) WHERE id = 5",)
    ),
    "rewrite an event, and every hash above it": Attack({JOURNAL}, does=compute_all_hashes_anew),
    "put the log back to an earlier day": Attack(
        {JOURNAL},
        (
            "DELETE FROM log_checkpoint WHERE size = (SELECT max(size) FROM log_checkpoint)",
            "DELETE FROM log_leaf WHERE position >= (SELECT max(size) FROM log_checkpoint)",
            "DELETE FROM event WHERE id NOT IN (SELECT event_id FROM log_leaf)",
            "DELETE FROM licence WHERE site_id = (SELECT max(id) FROM site)",
            "DELETE FROM site WHERE id = (SELECT max(id) FROM site)",
        ),
    ),
}
CERTIFICATE = {
    "sqlite": "UPDATE certificate SET facts = CAST(replace(CAST(facts AS TEXT), 'Nordlicht', 'Suedlicht') AS BLOB)",
    "postgresql": (
        "UPDATE certificate SET facts ="
        " convert_to(replace(convert_from(facts, 'UTF8'), 'Nordlicht', 'Suedlicht'), 'UTF8')"
    ),
}


def attack(theatre: Theatre, name: str) -> dict[str, list[str]]:
    """Commit one attack on what `lived_in` has made; who finds what."""
    theatre.place.put_back()
    made, dialect = ATTACKS[name], theatre.engine.dialect.name
    organisations = {who: theatre.organisations[who] for who in ("buyer", "second")}
    with theatre.engine.connect() as connection:
        raw = connection.connection.driver_connection
        if dialect == "sqlite":
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("PRAGMA ignore_check_constraints = ON")
            for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {trigger}")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in made.statements:
            connection.execute(text(statement.format(**organisations, certificate=CERTIFICATE[dialect])))
        with Session(bind=connection) as session:
            made.does(session)
            session.commit()
        connection.commit()
        connection.invalidate()  # nobody else gets a connection that keeps no rules
    try:
        return findings(theatre)
    finally:
        theatre.engine.dispose()


def findings(theatre: Theatre) -> dict[str, list[str]]:
    """What the two commands say is wrong."""
    folder = theatre.place.folder / "data"
    with Session(theatre.engine) as session:
        audit = auditing.audit(session, keys=keys.load(folder), data_dir=folder)
    return {name: found for name, found in ((LEDGER, theatre.promises()), (JOURNAL, audit.findings)) if found}


def set_up(theatre: Theatre, template: str) -> None:
    """The registry that is attacked, to be put back before each attack."""
    theatre.prepare(Step(lived_in, lambda s: None), template)
    with Session(theatre.engine) as session:
        people = {who: session.get_one(*theatre.people[who]) for who in ("buyer", "second")}
        theatre.organisations = {who: person.organisation_id for who, person in people.items()}
    theatre.engine.dispose()


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sound = True
    with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home:
        for name, beginning in (("SQLite", nullcontext()), ("PostgreSQL", servers.postgresql())):
            with beginning as server:
                template = server.fresh_database() if server else f"sqlite:///{home}/template.db"
                migrate(template)
                found = 0
                with theatre_at(Path(home) / f"attacked-{name}", server) as theatre:
                    set_up(theatre, template)
                    for what, made in ATTACKS.items():
                        said = attack(theatre, what)
                        found += made.found_by <= said.keys()
                        told = "; ".join(f"{who}: {sentences[0]}" for who, sentences in said.items())
                        print(f"  {what}: {told or 'NOT FOUND'}", flush=True)
                print(f"{name}: {len(ATTACKS)} edits, {found} found", flush=True)
                sound &= found == len(ATTACKS)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

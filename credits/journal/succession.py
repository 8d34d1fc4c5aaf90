"""The newest database is gone for good: saying so in public, and going on under another name.

Who has seen the older log must never be shown another history under its name. So the log that goes on has a name and
a key of its own, which no witness takes for the older one; its first new entry says what was lost.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.journal import checkpoints, events, keys, outside, sequencing
from credits.journal.heads import Head, head_of, open_checkpoint
from credits.journal.losses import KIND, SUBJECT, Loss, in_facts, loss_in, losses
from credits.journal.models import Event
from credits.journal.notes import BadNote, read


class NothingLost(Conflict):
    """The database has all that this checkpoint says was published."""

    code = "nothing_lost"


class NotTheLogs(Invalid):
    """This is no checkpoint that the log has signed."""

    code = "not_the_logs"


class OtherLoss(Conflict):
    """What was confirmed is not what would be given up now."""

    code = "other_loss"


@dataclass(frozen=True)
class Foreseen:
    """What would be given up. lost: the newest known head; checkpoint: its text; left: the database's newest."""

    lost: Head
    checkpoint: str
    left: Head

    @property
    def confirmation(self) -> str:
        """What the operator repeats: the lost head in short."""
        return f"{self.lost.size}-{self.lost.root.hex()[:16]}"


def foreseen(session: Session, *, data_dir: Path, given: str | None = None) -> Foreseen:
    """What accepting the loss would give up.

    given: the newest checkpoint that anybody else kept, where the one in `data_dir` was lost too or is damaged.
    Raises NothingLost, NotTheLogs.
    """
    checkpoint = given if given is not None else outside.kept(data_dir)
    if checkpoint is None:
        raise NothingLost(
            "No newer checkpoint is known here. Get one from a witness, and name its file with --checkpoint."
        )
    try:
        signers = keys.load(data_dir)
        head, note = open_checkpoint(checkpoint, signers.of_all_times if signers else [])
    except BadNote as fault:
        raise NotTheLogs(f"This is no checkpoint that the log has signed: {fault}") from None
    if outside.has(session, head) or any(each.lost == head for each in losses(session)):
        raise NothingLost(f"The database has all {head.size} entries of this checkpoint, or their loss was accepted.")
    # The log's own signatures alone: a witness's may be newer elsewhere, and any number of others may stand there.
    known = {(key.name, key.key_id) for key in note.signed_by}
    lines = "".join(each.line for each in note.signatures if (each.name, each.key_id) in known)
    newest = checkpoints.newest(session)
    left = head_of(read(newest.note).text) if newest else Head("", 0, b"")
    return Foreseen(head, f"{note.text}\n{lines}", left)


def accept(
    session: Session,
    *,
    data_dir: Path,
    confirmed: str,
    given: str | None,
    seed: bytes,
    reason: str,
    by: str,
    at: datetime,
) -> Loss:
    """Give up what was lost, and go on under a new name with a key made from `seed`. Permanent. Commits.

    confirmed: the confirmation of what was foreseen. reason, by: public, as text and as the person's number.
    Broken off at any place, it can be repeated. Raises NothingLost, NotTheLogs, OtherLoss.
    """
    outside.begin_all_the_same(session)
    kept = outside.kept(data_dir)
    given_up = foreseen(session, data_dir=data_dir, given=given)
    if confirmed != given_up.confirmation:
        raise OtherLoss(f"What would be given up now is {given_up.confirmation}, not {confirmed[:60]}.")
    # Before the event: without its keys nobody could go on, and until it is committed these keys sign nothing. Where
    # this was broken off here, the name is used up: whether anybody has seen it, nobody can know.
    successor = keys.succeed(data_dir, seed=seed, at=at)
    event_id = events.append(
        session,
        kind=KIND,
        subject=SUBJECT,
        actor=by,
        at=at,
        facts={
            "lost": in_facts(given_up.lost),
            "checkpoint": given_up.checkpoint,
            "left": in_facts(given_up.left),
            "goes_on_as": {"origin": successor.origin, "key": successor.keys[-1].public},
            "reason": reason,
        },
    )
    sequencing.place(session, sequencing.without_place(session).events)
    newest = checkpoints.publish(session, keys=successor, at=at)
    assert newest is not None  # the event itself is in it
    loss = loss_in(session.get_one(Event, event_id))
    note = newest.note
    session.commit()
    if not outside.swap(data_dir, expected=kept, new=note):
        outside.keep_newest(session, data_dir)
    return loss

"""Checkpoints: the head of the log, signed, kept, and carrying the cosignatures of witnesses."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.journal import merkle, storage
from credits.journal.heads import Head
from credits.journal.keys import LogKeys
from credits.journal.log_models import LogCheckpoint, LogCosignature
from credits.journal.losses import begins_above, must_go_on_as
from credits.journal.notes import WITNESS, BadNote, Signature, VerifyingKey, signature_of

LARGEST_ANSWER = 16_384  # bytes of a witness's answer that are looked at


class NoSigningKey(Conflict):
    """No key of the log signs at this time."""

    code = "no_signing_key"


class NotACosignature(Invalid):
    """What came is no cosignature of a witness that the registry knows, over a checkpoint that it has published."""

    code = "not_a_cosignature"


def newest(session: Session) -> LogCheckpoint | None:
    return session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).first()


def publish(session: Session, *, keys: LogKeys, at: datetime) -> LogCheckpoint | None:
    """Sign the log as it stands; the newest checkpoint, or None while the log is empty. Flushes.

    Where nothing was added, the newest one stays. The session must have begun to write.
    Raises NoSigningKey, AnotherLog.
    """
    storage.keep_others_out(session)
    must_go_on_as(session, keys)
    size, last = storage.size(session), newest(session)
    if size == 0 or (last is not None and last.size == size):
        return last
    signing = keys.signing(at)
    if not signing:
        raise NoSigningKey("No key of the log signs now. Make a new one: flask --app wsgi journal rotate-key.")
    head = Head(keys.origin, size, merkle.root(size, storage.tree(session, size)))
    made = LogCheckpoint(size=size, root=head.root, note=head.signed(signing), published_at=at)
    session.add(made)
    session.flush()
    return made


def told(session: Session, checkpoint: LogCheckpoint) -> str:
    """The checkpoint as it is served: signed by the log, with the newest cosignature of each witness."""
    rows = session.execute(
        select(LogCosignature.witness, LogCosignature.line)
        .where(LogCosignature.size == checkpoint.size)
        .order_by(LogCosignature.witness, LogCosignature.seen_at)
    )
    return checkpoint.note + "".join({row.witness: row.line for row in rows}.values())


def newest_witnessed(session: Session, *, above: int) -> LogCheckpoint | None:
    """The newest checkpoint of more than `above` events that a witness has cosigned, or else the newest of all.

    Not one of an older log, whose end was lost: its name stands for a history that nobody has any more.
    """
    above = max(above, begins_above(session))
    wanted = select(LogCheckpoint).where(LogCheckpoint.size > above).order_by(LogCheckpoint.size.desc()).limit(1)
    witnessed = wanted.where(LogCheckpoint.size.in_(select(LogCosignature.size)))
    return session.scalars(witnessed).first() or session.scalars(wanted).first()


def cosign(session: Session, *, answer: bytes, size: int, witnesses: Iterable[VerifyingKey], at: datetime) -> list[str]:
    """Take in what a witness sent about the checkpoint of `size`: the names of those who cosigned. Flushes.

    answer: signature lines. All of it must be sound or nothing is taken: raises NotACosignature. What was taken in
    before is not taken twice.
    """
    checkpoint = session.get(LogCheckpoint, size)
    if checkpoint is None:
        raise NotACosignature("The log has published no checkpoint of this size.")
    signatures = signatures_in(answer)
    known = {(key.name, key.key_id): key for key in witnesses if key.kind == WITNESS}
    text = checkpoint.note.rpartition("\n\n")[0] + "\n"
    for each in signatures:
        key = known.get((each.name, each.key_id))
        if key is None or not key.verifies(text, each.signature) or each.seen_at >= 2**63:
            raise NotACosignature("This is not the cosignature of a witness that the registry knows.")
        row = {"size": size, "witness": key.text, "seen_at": each.seen_at}
        if session.get(LogCosignature, row) is None:
            session.execute(insert(LogCosignature).values(**row, line=each.line, received_at=at))
    return [each.name for each in signatures]


def signatures_in(answer: bytes) -> list[Signature]:
    """The signature lines of a witness's answer. Raises NotACosignature."""
    try:
        text = answer[: LARGEST_ANSWER + 1].decode()
        if len(answer) > LARGEST_ANSWER or not text.endswith("\n"):
            raise BadNote("too long, or no whole line")
        return [signature_of(line) for line in text.removesuffix("\n").split("\n")]
    except (UnicodeDecodeError, BadNote):
        raise NotACosignature("A cosignature is one or more lines as of a signed note.") from None

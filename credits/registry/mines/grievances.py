"""Grievances: anybody may say what is wrong at a site, without an account or a name, and follow the answer by a code.

Who files is told the code once; the registry keeps its hash alone. The words are for the registry, and for a verifier
as long as it has a batch of the site in hand; contact details, if any are given, are for the registry alone. A producer
never sees either. The journal has salted hashes of both.
"""

import hashlib
import re
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Missing
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import WrongRole, is_auditor, is_issuer, is_verifier, must_issue
from credits.participants.wording import line, paragraphs
from credits.registry.assurance import findings
from credits.registry.assurance.assurance_models import Certainty, Severity, SiteFinding, Source
from credits.registry.assurance.findings import FindingFacts
from credits.registry.mines.grievance_models import Grievance, GrievanceMessage, GrievanceState
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Site
from credits.registry.queries import digits_of
from credits.registry.reviews.assigned import Assignment, AssignmentState

MOST_WORDS = 4_000  # characters
MOST_CONTACT = 200
MOST_MESSAGES = 200  # of one grievance: whoever has more to say files another one
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of codes: no letter that looks like another
CODE_LENGTH = 25
# Until the credits are issued a verifier can still ask and reject: so long it has to know what people say.
IN_HAND = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED, BatchState.VERIFIED)
ANONYMOUS = "anonymous"  # how the journal calls who files


class NoSuchGrievance(Missing):
    code = "no_such_grievance"


class Closed(Conflict):
    code = "grievance_closed"


class TooMuch(Conflict):
    code = "grievance_too_long"


def file(
    session: Session, *, site: Site, words: str, contact: str, key: str, policy: Policy, at: datetime
) -> Grievance:
    """Take a grievance about a site in, and open a finding that somebody has to look into.

    contact: how to reach who files, or empty. key: a random text of the form, from which `code_of` makes the code by
    which they follow it: sent twice, it counts once and has one code. Flushes. Raises UnsoundText.
    """
    asked = {"act": "grievance.file", "site": site.id, "words": words, "contact": contact}
    # The key itself would lead to the code: its hash alone is kept.
    if earlier := ledger.claim(session, caller=ANONYMOUS, key=sha256(f"key {key}"), request=asked):
        return session.get_one(Grievance, earlier["grievance"])
    words = paragraphs(words, "What happened", MOST_WORDS)
    reach = line(contact, "How to reach you", MOST_CONTACT) if contact.strip() else None
    made = Grievance(
        site=site, code_sha256=hash_of(code_of(key)), contact=reach, state=GrievanceState.OPEN, filed_at=at
    )
    made.messages.append(GrievanceMessage(text=words, written_at=at))
    session.add(made)
    session.flush()
    finding = findings.enter(
        session,
        site=site,
        facts=FindingFacts(
            # Nobody without a name puts a site on probation: who looks into it says more.
            severity=Severity.MINOR,
            text="Somebody has filed a grievance about this site. The verifier looks into it.",
            due_on=at.date() + timedelta(days=policy.days_to_look_into),
            source=Source.GRIEVANCE,
            reference=made.number,
            certainty=Certainty.SUSPECTED,
            plan="",
        ),
        policy=policy,
        by=None,
        at=at,
    )
    made.finding_id = finding.id
    session.flush()
    told(session, "grievance.filed", made, ANONYMOUS, at, {"words": words, "contact": reach or ""})
    ledger.settle(session, {"grievance": made.id})
    return made


def add(session: Session, *, grievance: Grievance, words: str, at: datetime) -> None:
    """Who filed it says more: it waits for an answer again. Flushes. Raises Closed, TooMuch, UnsoundText."""
    session.refresh(grievance, with_for_update=True)
    must_be_open(grievance)
    words = paragraphs(words, "What you want to add", MOST_WORDS)
    newest = grievance.messages[-1]
    if newest.author_id is None and newest.text == words:
        return  # sent twice
    if len(grievance.messages) >= MOST_MESSAGES:
        raise TooMuch("There are very many messages already. File another grievance if you have more to say.")
    grievance.messages.append(GrievanceMessage(text=words, written_at=at))
    grievance.state = GrievanceState.OPEN
    session.flush()
    told(session, "grievance.added_to", grievance, ANONYMOUS, at, {"words": words})


def answer(session: Session, *, grievance: Grievance, words: str, by: User, key: str, at: datetime) -> GrievanceMessage:
    """Answer who filed it, who reads it by their code. Flushes. Raises NotAllowed, Closed, UnsoundText."""
    must_handle(session, by, grievance)
    asked = {"act": "grievance.answer", "grievance": grievance.number, "words": words}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(GrievanceMessage, earlier["message"])
    session.refresh(grievance, with_for_update=True)
    must_be_open(grievance)
    words = paragraphs(words, "Answer", MOST_WORDS)
    made = GrievanceMessage(author=by, text=words, written_at=at)
    grievance.messages.append(made)
    grievance.state = GrievanceState.ANSWERED
    session.flush()
    told(session, "grievance.answered", grievance, by.number, at, {"words": words})
    ledger.settle(session, {"message": made.id})
    return made


def close(session: Session, *, grievance: Grievance, words: str, by: User, key: str, at: datetime) -> None:
    """Close it with a last word to who filed it, and its finding with it. The registry does; others may ask it to.

    Flushes. Raises NotAllowed, Closed, UnsoundText.
    """
    must_issue(by)
    asked = {"act": "grievance.close", "grievance": grievance.number, "words": words}
    if ledger.claim(session, caller=by.number, key=key, request=asked):
        return
    session.refresh(grievance, with_for_update=True)
    must_be_open(grievance)
    words = paragraphs(words, "Last word", MOST_WORDS)
    grievance.messages.append(GrievanceMessage(author=by, text=words, written_at=at))
    grievance.state, grievance.closed_by, grievance.closed_at = GrievanceState.CLOSED, by, at
    session.flush()
    if grievance.finding_id is not None:
        finding = session.get_one(SiteFinding, grievance.finding_id)
        if finding.closed_at is None:
            # The producer reads the reason of a finding, and never what was said to who filed it.
            reason = f"{grievance.number} was answered and closed by the registry."
            findings.end(session, finding, evidence=grievance.number, reason=reason, by=by, at=at)
    told(session, "grievance.closed", grievance, by.number, at, {"words": words})
    ledger.settle(session, {"grievance": grievance.id})


def coded(session: Session, code: str) -> Grievance:
    """The grievance that a code leads to, however it was typed. Raises NoSuchGrievance."""
    found = session.scalars(select(Grievance).where(Grievance.code_sha256 == hash_of(code))).one_or_none()
    if found is None:
        raise NoSuchGrievance("No grievance has this code. Look at each sign: there is no letter O, I, L or U in it.")
    return found


def hash_of(code: str) -> str:
    """The hash of a code as it is kept: spaces, dashes, capitals and look-alike letters aside."""
    signs = re.sub(r"[^0-9A-Z]", "", code.upper()[:200]).replace("O", "0").replace("I", "1").replace("L", "1")
    return sha256(signs)


def code_of(key: str) -> str:
    """The code that belongs to a form's random key, as people copy it: five groups of five signs, 125 bits."""
    drawn = int(sha256(f"code {key}"), 16)
    signs = "".join(ALPHABET[drawn >> 5 * place & 31] for place in range(CODE_LENGTH))
    return "-".join(signs[start : start + 5] for start in range(0, CODE_LENGTH, 5))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def grievances_of(by: User) -> Select[Grievance]:
    """The grievances that `by` handles: of sites of which their organisation has a batch in hand; all for the registry.

    Open ones first, the longest waiting of them before the others.
    """
    wanted = select(Grievance).order_by(Grievance.state != GrievanceState.OPEN, Grievance.id)
    if is_issuer(by) or is_auditor(by):
        return wanted
    if not is_verifier(by):
        raise WrongRole("Grievances are handled by verifiers and the registry.")
    reviewed = (
        select(Batch.site_id)
        .join(Assignment, Assignment.batch_id == Batch.id)
        .where(Assignment.organisation_id == by.organisation_id, Assignment.state == AssignmentState.TAKEN)
        .where(Batch.state.in_(IN_HAND))
    )
    return wanted.where(Grievance.site_id.in_(reviewed))


def grievance_numbered(session: Session, by: User, number: str) -> Grievance:
    """The grievance with this public number, if `by` handles it. Raises NoSuchGrievance."""
    wanted = grievances_of(by).where(Grievance.id == digits_of(number, "GRIEVANCE-"))
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NoSuchGrievance("There is no such grievance.")
    return found


def may_reach(by: User) -> bool:
    """Whether `by` may read how to reach who filed a grievance: the registry's people, who pass on what is needed."""
    return is_issuer(by) or is_auditor(by)


def counted(session: Session, site: Site) -> dict[str, int]:
    """How many grievances about a site are open (answered or not) and closed: all that the public sees of them."""
    rows = session.execute(
        select(Grievance.state, func.count()).where(Grievance.site_id == site.id).group_by(Grievance.state)
    )
    found: dict[GrievanceState, int] = {row[0]: row[1] for row in rows}
    closed = found.pop(GrievanceState.CLOSED, 0)
    return {"open": sum(found.values()), "closed": closed}


def must_handle(session: Session, by: User, grievance: Grievance) -> None:
    """Raise unless `by` may answer this grievance: auditors only read."""
    if not (is_issuer(by) or is_verifier(by)):
        raise WrongRole("Grievances are answered by verifiers and issuers of the registry.")
    grievance_numbered(session, by, grievance.number)


def must_be_open(grievance: Grievance) -> None:
    if grievance.state is GrievanceState.CLOSED:
        raise Closed("This grievance is closed. File another one if something is wrong still or again.")


def told(session: Session, kind: str, grievance: Grievance, actor: str, at: datetime, private: dict[str, str]) -> None:
    """Append an event. Nothing in its open part tells who has filed it, or what was said."""
    site = grievance.site
    facts = {"site": f"{site.country}-{site.code}"}
    events.append(session, kind=kind, subject=grievance.number, actor=actor, at=at, facts=facts, private=private)

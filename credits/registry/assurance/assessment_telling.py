"""What the journal is told of an assessment: answers and level openly, evidence and suspicions as hashes."""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.canonical import encode
from credits.participants.models import User
from credits.registry.assurance.assessed import answers_of, words_of
from credits.registry.assurance.assurance_models import Assessment, Certainty, SiteFinding
from credits.registry.assurance.finding_telling import tell_in_confidence
from credits.registry.assurance.standards import Answers, Module, Word
from credits.registry.mines.sites import number_of


def tell_saved(
    session: Session,
    assessment: Assessment,
    module: Module,
    changed: dict[str, object],
    opened: list[SiteFinding],
    by: User,
    at: datetime,
) -> None:
    """Say that one module was saved; its answers are withheld. Flushes.

    Which part was saved tells nobody outside before it is complete: with zero tolerance it would tell a suspicion.

    Where saving has opened one, the event goes with the finding, whose site is withheld, and not with the assessment,
    whose site is public.
    """
    private = {"module": str(module.number), "requirements": " ".join(sorted(changed))}
    private |= {"answers": encode(changed).decode()}
    suspicion = next((each for each in opened if each.certainty is Certainty.SUSPECTED), None)
    if suspicion is not None:
        private["assessment"] = assessment.number
        tell_in_confidence(session, "assessment.saved", suspicion, {}, private, by, at)
        return
    events.append(
        session,
        kind="assessment.saved",
        subject=assessment.number,
        actor=by.number,
        at=at,
        facts={},
        private=private,
    )


def tell_completed(session: Session, assessment: Assessment, by: User, at: datetime) -> None:
    """Say which level was reached and by which answers; the evidence behind them is withheld. Flushes."""
    answers, requirements = answers_of(assessment), assessment.edition.standard.requirements
    facts = {
        "site": number_of(assessment.site),
        "verifier": by.organisation.number,
        "standard": assessment.edition.code,
        "version": assessment.edition.version,
        "sha256": assessment.edition.sha256,
        "level_number": assessment.level_number,
        "level": assessment.level,
        "next_due": str(assessment.next_due),
        # A suspicion is not public, and a gap in the list would tell it: of zero tolerance only what was found is.
        "answers": {
            code: word.value
            for code, word in sorted(words_of(assessment).items())
            if word is Word.FOUND or requirements[code][0].answers is not Answers.ZERO_TOLERANCE
        },
    }
    evidence = {
        code: {
            "answer": row.answer.value if row.answer else "",
            "evidence": row.evidence,
            "paper": row.paper.sha256 if row.paper else "",
        }
        for code, row in sorted(answers.items())
    }
    events.append(
        session,
        kind="assessment.completed",
        subject=assessment.number,
        actor=by.number,
        at=at,
        facts=facts,
        private={"evidence": encode(evidence).decode()},
    )

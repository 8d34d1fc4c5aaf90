"""What a producer has changed about a batch since the verifier last asked: figures, papers and sales, old and new.

Read from the journal, which keeps every figure as it was.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.models import Event
from credits.registry.production import Batch

PAPERS = {"evidence.added": "added", "evidence.removed": "removed"}
SALES = {"sale.entered": "added", "sale.removed": "removed"}


@dataclass
class Changes:
    """Since a request. figures: by the name of the figure, before and after; papers, sales: what came and went."""

    since: datetime
    figures: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    papers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sales: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.figures or self.papers or self.sales)

    def amend(self, changed: dict[str, list[Any]]) -> None:
        """Put one more change on top: what was first stays the old value, and what came back is none."""
        for name, (before, after) in changed.items():
            first = self.figures.get(name, (before, after))[0]
            self.figures[name] = (first, after)
            if first == after:
                del self.figures[name]


def since_last_request(session: Session, batch: Batch) -> Changes | None:
    """The changes since the producer was last asked, in one round or more; None where nobody has asked."""
    told = events.story(session, batch.number)
    private = events.private_of(session, [event for event in told if event.kind in ("batch.amended", *SALES)])
    found: Changes | None = None
    answering = False
    for event in told:
        if event.kind == "batch.information_requested":
            if not answering:
                found, answering = Changes(event.at), True
        elif event.kind in ("batch.answered", "batch.question_settled"):
            answering = event.kind == "batch.question_settled" and not _facts(event)["back_in_review"]
        elif found is not None:
            _note(found, event, private)
    return found


def _note(found: Changes, event: Event, private: dict[int, dict[str, str]]) -> None:
    if event.kind == "batch.amended":
        found.amend(json.loads(private[event.id]["changed"]))
    elif event.kind in PAPERS:
        found.papers.append((PAPERS[event.kind], _facts(event)))
    elif event.kind in SALES:
        found.sales.append((SALES[event.kind], dict(private[event.id])))


def _facts(event: Event) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(event.body)["facts"]
    return facts

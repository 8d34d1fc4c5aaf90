"""The papers of a batch beside the checklist: which one and which page of it is on the screen."""

from dataclasses import dataclass
from itertools import islice

from flask import current_app, request

from credits.registry.papers.evidence_looking import CSV
from credits.registry.papers.evidence_tables import rows, table_text
from credits.registry.production import Batch, Evidence

ROWS_SHOWN, COLUMNS_SHOWN, LONGEST_CELL = 60, 8, 120


@dataclass(frozen=True)
class Viewer:
    """paper: None where there is none. number: which of the papers, from 1. cells: of a table, else None."""

    paper: Evidence | None
    number: int
    papers: int
    page: int
    pages: int
    cells: list[list[str]] | None
    previous: Evidence | None
    next: Evidence | None


def on_screen(batch: Batch) -> Viewer:
    """The paper that the address asks for, else the first."""
    papers = batch.evidence
    if not papers:
        return Viewer(None, 0, 0, 1, 1, None, None, None)
    asked = request.args.get("paper", 0, type=int)
    place = next((place for place, paper in enumerate(papers) if paper.id == asked), 0)
    paper = papers[place]
    pages = paper.pages or 1
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    return Viewer(
        paper=paper,
        number=place + 1,
        papers=len(papers),
        page=page,
        pages=pages,
        cells=cells_of(paper) if paper.media_type == CSV else None,
        previous=papers[place - 1] if place else None,
        next=papers[place + 1] if place + 1 < len(papers) else None,
    )


def cells_of(paper: Evidence) -> list[list[str]]:
    """The first rows of a table, cut where they are very wide; all as long as the first."""
    text = table_text(current_app.extensions["evidence_files"].read(paper.sha256)) or ""
    first = [[cell[:LONGEST_CELL] for cell in row[:COLUMNS_SHOWN]] for row in islice(rows(text), ROWS_SHOWN + 1) if row]
    wide = len(first[0]) if first else 0
    return [(row + [""] * wide)[:wide] for row in first]

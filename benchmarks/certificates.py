"""How fast certificates are issued: drawn, signed and stored, on one core, beside an empty page by the same library.

    python -m benchmarks.certificates [--json] [--count 200]

`ratio_to_empty` is what counts: how many times an empty page's time a thing takes, measured by turns in the same run,
so that a slow or busy machine slows both. `issued` goes the whole way of the worker's job, over a real database: read
the facts and the proof, draw, sign, keep the file on disk, note it, commit. The first ones warm up and do not count.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from weasyprint import HTML

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import migrate
from config import ROOT
from credits import document_jobs
from credits.certificates import issuing, pdf, press, signing
from credits.certificates.issuing import Issuer
from credits.certificates.pdf import slow_drawing
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.files import Files
from credits.participants.models import Language
from credits.registry import bulk, policy
from credits.registry.bulk_lines import RetirementLine
from tests import factories
from tests.documents import SEAL, published, workshop_in
from tests.factories import AT
from tests.stage import CLAIM, Stage

WARM_UP = 5
EMPTY = '<html lang="en"><head><title>Empty</title></head><body><p>Empty</p></body></html>'


@dataclass(frozen=True)
class Row:
    """What is told of one thing. per_second: on one core."""

    name: str
    count: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the processor, whoever else is at it
    ratio_to_empty: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--count", type=int, default=200, help="how many certificates (200)")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if sentence := slow_drawing():
        sys.stderr.write(f"{sentence}\n")
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder), given.count):
            print(json.dumps(asdict(row)) if given.json else in_columns(row), flush=True)


def rows(folder: Path, count: int) -> Iterator[Row]:
    """Everything by turns: an empty page, a certificate's parts, and one that is issued."""
    session = world(folder, count + WARM_UP)
    numbers = issuing.undrawn(session, count + WARM_UP)
    workshop = workshop_in(folder)
    parts = parts_of(session, numbers[0])
    waiting = iter(numbers)
    cases: Mapping[str, Callable[[], Any]] = {
        "empty_page": lambda: HTML(string=EMPTY).write_pdf(**pdf.VARIANT | {"output_intent": "srgb"}),
        **parts,
        "issued": lambda: document_jobs.draw_certificate(session, number=next(waiting), workshop=workshop, at=AT),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for turn in range(len(numbers)):
        for name, case in cases.items():
            start, worked = time.perf_counter(), time.process_time()
            case()
            took[name].append((time.perf_counter() - start, time.process_time() - worked))
        if turn == WARM_UP - 1:
            took = {name: [] for name in cases}
            gc.collect()
            gc.freeze()  # as the worker does
    empty = statistics.median(wall for wall, _ in took["empty_page"])
    for name, times in took.items():
        yield told(name, times, empty)


def parts_of(session: Session, number: str) -> dict[str, Callable[[], Any]]:
    """A certificate drawn alone, signed alone, and both with what is enclosed."""
    certificate = issuing.certificate_numbered(session, number)
    proof = press.proof_of(session, certificate)
    frozen, inclusion, facts = certificate.facts, certificate.inclusion, issuing.facts_in(certificate)
    session.rollback()
    drawn = pdf.draw(facts)
    return {
        "drawn": lambda: pdf.draw(facts),
        "signed": lambda: signing.signed(drawn, SEAL, reason="Certificate", at=AT),
        "drawn_and_signed": lambda: press.pressed(frozen, inclusion=inclusion, proof=proof, seal=SEAL, at=AT),
    }


def world(folder: Path, count: int) -> Session:
    """A registry in which `count` retirements of a statement are frozen and in the log."""
    url = f"sqlite:///{folder / 'credits.db'}"
    migrate(url, folder)
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    session = Session(engine)
    begin_writing(session)
    factories.write_to(session)
    stage = Stage(session, Files(folder / "evidence"), policy.read(ROOT / "policy.toml", "development"))
    made = stage.issued()
    stage.handed_over(made, count)
    lines = [RetirementLine(made.number, 1, CLAIM) for _ in range(count)]
    statement = bulk.retire(
        session,
        holder=stage.buyer.organisation,
        lines=lines,
        policy=stage.policy,
        by=stage.buyer,
        key=stage.key(),
        at=stage.at,
    )
    issuer = Issuer("Artisanal Mineral Credit Registry", "https://registry.example")
    issuing.freeze_all(session, statement=statement, issuer=issuer, language=Language.EN)
    published(session, folder)
    return session


def told(name: str, times: list[tuple[float, float]], empty: float) -> Row:
    ordered = sorted(wall for wall, _ in times)
    middle = statistics.median(ordered)
    return Row(
        name,
        len(ordered),
        round(len(ordered) / sum(ordered), 1),
        round(middle * 1000, 1),
        round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        round(statistics.median(cpu for _, cpu in times) * 1000, 1),
        round(middle / empty, 2),
    )


def in_columns(row: Row) -> str:
    return (
        f"{row.name:<18} {row.count:>6} {row.per_second:>8.1f}/s   p50 {row.p50_ms:>7.1f} ms   "
        f"p99 {row.p99_ms:>7.1f} ms   processor {row.cpu_ms:>6.1f} ms   {row.ratio_to_empty:>6.2f} × an empty page"
    )


if __name__ == "__main__":
    main()

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
from uuid import uuid4

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from weasyprint import HTML

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as a file

from benchmarks.books import migrate
from benchmarks.market import CLAIM, NOW, Market, opened
from config import ROOT
from credits import document_jobs, jobs
from credits.certificates import issuing, pdf, press, signing
from credits.certificates.issuing import Issuer
from credits.certificates.models import Certificate
from credits.certificates.pdf import slow_drawing
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.document_jobs import Workshop
from credits.files import Files
from credits.journal import keys
from credits.participants import tokens
from credits.participants.models import Language
from credits.registry import bulk, policy
from credits.registry.bulk_lines import RetirementLine
from credits.registry.models import Retirement

SEAL = signing.new_seal("Artisanal Mineral Credit Registry", "https://registry.example", b"s" * 32, NOW)
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
    session, numbers = world(folder, count + WARM_UP)
    workshop = Workshop(Files(folder / "certificates"), SEAL)
    parts = parts_of(session, numbers[0])
    waiting = iter(numbers)
    cases: Mapping[str, Callable[[], Any]] = {
        "empty_page": lambda: HTML(string=EMPTY).write_pdf(**pdf.VARIANT | {"output_intent": "srgb"}),
        **parts,
        "issued": lambda: document_jobs.draw_certificate(session, number=next(waiting), workshop=workshop, at=NOW),
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
        "signed": lambda: signing.signed(drawn, SEAL, reason="Certificate", at=NOW),
        "drawn_and_signed": lambda: press.pressed(frozen, inclusion=inclusion, proof=proof, seal=SEAL, at=NOW),
    }


def world(folder: Path, count: int) -> tuple[Session, list[str]]:
    """The demo world with a statement of `count` retirements, frozen and in the log; its certificates' numbers."""
    url = f"sqlite:///{folder / 'credits.db'}"
    migrate(url, folder)
    market = opened(url, folder / "market")
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    session = Session(engine)
    numbers = retired(session, market, count)
    data_dir = folder / "market" / "data"
    made = keys.load(data_dir)
    assert made is not None
    jobs.publish_log(session, keys=made, data_dir=data_dir, at=NOW)
    return session, numbers


def retired(session: Session, market: Market, count: int) -> list[str]:
    """Retire `count` base units, each in a line of a statement, as the door does; the numbers of the certificates."""
    begin_writing(session)
    holder = tokens.find(session, market.secrets[0])
    assert holder is not None
    statement = bulk.retire(
        session,
        holder=holder.user.organisation,
        lines=[RetirementLine(market.issuance, 1, CLAIM)] * count,
        policy=policy.read(ROOT / "policy.toml", "development"),
        by=holder.user,
        key=uuid4().hex,
        at=NOW,
    )
    issuer = Issuer("Artisanal Mineral Credit Registry", "https://registry.example")
    issuing.freeze_all(session, statement=statement, issuer=issuer, language=Language.EN)
    session.commit()
    theirs = select(Certificate.number).join(Certificate.retirement).where(Retirement.bulk_id == statement.id)
    return list(session.scalars(theirs.order_by(Certificate.retirement_id)))


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

"""Run the stand-in as a process: `python -m tests.stripe_standin --port 8001 --webhooks http://127.0.0.1:8000/…`.

Key and secret come from STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET: a command line is for everybody to read.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path

from tests.stripe_standin.deliveries import Deliveries
from tests.stripe_standin.provider import CLEARS_AFTER, Provider
from tests.stripe_standin.server import Standin, serve

POLL = 0.3  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description="A stand-in for Stripe, in which no money moves.")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1; any free port without it")
    parser.add_argument("--webhooks", default="", help="where events are posted to; nowhere without it")
    parser.add_argument("--clears-after", type=int, default=CLEARS_AFTER, help="seconds that a bank debit takes")
    parser.add_argument("--state", type=Path, help="a file to keep everything in between two runs")
    asked = parser.parse_args()
    # Another history has other ids, so that a registry never takes one thing for another.
    provider = Provider(time.time, clears_after=asked.clears_after, seed=secrets.token_hex(4))
    if asked.state is not None and asked.state.exists():
        load(provider, asked.state)
    deliveries = Deliveries(provider, secret=os.environ["STRIPE_WEBHOOK_SECRET"], url=asked.webhooks)

    def make(address: str) -> Standin:
        return Standin(provider, api_key=os.environ["STRIPE_API_KEY"], address=address, deliveries=deliveries)

    try:
        server = serve(make, asked.port)
    except OSError:
        server = serve(make, 0)  # somebody else listens there
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = ""
    try:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)  # who reads it may end us at once
        while True:
            with server.standin.lock:
                ready = deliveries.due() if asked.webhooks else []
                provider.catch_up()
                kept = keep(provider, asked.state, kept)
            deliveries.send_all(ready)
            time.sleep(POLL)
    finally:
        keep(provider, asked.state, kept)


def keep(provider: Provider, file: Path | None, kept: str) -> str:
    """Write everything down if it has changed since `kept`, and somebody wants it."""
    if file is None:
        return kept
    now = json.dumps({name: getattr(provider, name) for name in ("things", "clearing", "failing", "offset", "seed")})
    if now != kept:
        beside = file.with_suffix(".new")
        beside.touch(mode=0o600)
        beside.write_text(now)
        beside.replace(file)
    return now


def load(provider: Provider, file: Path) -> None:
    told = json.loads(file.read_text())
    provider.things, provider.offset, provider.seed = told["things"], told["offset"], told["seed"]
    sessions = provider.things["checkout.session"]
    provider.open = {name: session for name, session in sessions.items() if session["status"] == "open"}
    provider.failing = told.get("failing", {})
    provider.clearing = {name: (at, good) for name, (at, good) in told["clearing"].items()}


if __name__ == "__main__":
    sys.exit(main())

"""Serve the registry on this machine with its background worker beside it, until Ctrl-C: `make run`."""

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType
from typing import NoReturn
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from config import Settings, load
from credits import provider

FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
# A worker that was killed has left its locks behind, and would otherwise wait for itself.
WORKER = [sys.executable, "-m", "huey.bin.huey_consumer", "credits.worker.huey", "--flush-locks", "--quiet"]
STARTING = 180.0  # seconds until the first page must have come, on a slow and busy machine
STOPPING = 15.0  # seconds that a process may take to end what it is doing
POLL = 0.2


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, or SIGTERM."""


def main() -> int:
    settings = load(os.environ)
    check_port_is_free(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # holds keys and private evidence
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        print("Bringing the database up to date …", flush=True)
        finish("The database could not be brought up to date.", [*FLASK, "db", "upgrade"])
        if not settings.is_production and settings.stripe_api_key is None:
            processes["stand-in for payments"] = provider.begin(
                settings
            )  # before the demo world, which has paid orders
        sign_ins = "" if settings.is_production else demo_world(settings)
        processes["worker"] = subprocess.Popen(WORKER)
        processes["web server"] = subprocess.Popen(web_server(settings))
        wait_until_served(settings, processes)
        print(f"\n{sign_ins}\nThe registry is at {settings.public_url} — Ctrl-C stops it.\n", flush=True)
        return watch(processes)
    except Stopped:
        return 0
    finally:
        end(processes)


def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def check_port_is_free(settings: Settings) -> None:
    try:
        socket.create_server((settings.host, settings.port), family=family_of(settings.host)).close()
    except OSError as error:
        sys.exit(f"Port {settings.port} cannot be used ({error.strerror}). Choose another: make run PORT=8001")


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def finish(failed: str, command: list[str]) -> str:
    """Run `command` to its end and return what it printed; where it fails, show all it said and exit."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}{failed}")
    return done.stdout


def demo_world(settings: Settings) -> str:
    """Fill an empty database with the demo world. Returns its sign-ins as text, or nothing where it is not there."""
    print("Building the demo world, if the database is empty …", flush=True)
    out = settings.data_dir / "demo"
    return finish("The demo world could not be built.", [*FLASK, "demo", "--if-empty", "--out", str(out)])


def web_server(settings: Settings) -> list[str]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [sys.executable, "-m", "waitress", f"--listen={host}:{settings.port}", "--threads=8", "wsgi:app"]


def wait_until_served(settings: Settings, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Return once /health answers. Exits where a process ends or it takes too long."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    direct = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        try:
            direct.open(f"http://{host}:{settings.port}/health", timeout=5).close()
        except (URLError, OSError):
            exit_if_ended(processes)
            time.sleep(POLL)
        else:
            exit_if_ended(processes)
            return
    sys.exit(f"The registry did not answer within {STARTING:.0f} seconds.")


def watch(processes: dict[str, subprocess.Popen[bytes]]) -> NoReturn:
    """Wait until somebody stops us. One process without the other is no registry: exits where one ends."""
    while True:
        exit_if_ended(processes)
        time.sleep(POLL)


def exit_if_ended(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            sys.exit(f"The {name} has ended by itself (exit status {process.returncode}), so all stops.")


def end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop what still runs: each finishes what it is doing, or is killed after STOPPING seconds."""
    # A second Ctrl-C must not leave one of them behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for name, process in processes.items():
        if process.poll() is None:
            # The worker ends its job on SIGINT and breaks it off on SIGTERM. Ctrl-C has reached both already, and
            # the web server complains about a second one.
            process.send_signal(signal.SIGINT if name == "worker" else signal.SIGTERM)
    for process in processes.values():
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())

"""What the tests start or find on the machine: a PostgreSQL of their own, a Chromium, free ports."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

ROLE = "registry"
# Nothing here outlives the tests, so nothing has to reach the disk.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
STARTING = 30.0  # seconds
MEMORY = Path("/dev/shm")  # a file system in memory: copying a database there takes 25 ms, not 500
ROOMY = 2 * 1024**3  # bytes: some containers have 64 MB there


class PostgreSQL:
    """One running server. `url` is its maintenance database, for nobody's tables."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = self.url_of("postgres")
        self._numbers = count(1)

    def url_of(self, database: str) -> str:
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"

    def fresh_database(self, template: str | None = None) -> str:
        """Create a database and return its URL.

        template: URL of a database of this server to copy, which nobody may be connected to meanwhile.
        """
        name = f"fresh_{next(self._numbers)}"
        source = template.rpartition("/")[2] if template else "template0"
        # Copied file by file: through the log, as it is done otherwise, takes twice as long.
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._execute(command.format(sql.Identifier(name), sql.Identifier(source)))
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Drop a database of `fresh_database`, with whoever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(url.rpartition("/")[2])))

    def _execute(self, command: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(command)


@contextmanager
def postgresql(settings: dict[str, str] | None = None) -> Iterator[PostgreSQL]:
    """Run a PostgreSQL in a directory of its own, as somebody who is not root, and stop it in the end.

    settings: server settings instead of the careless ones of the tests; its data is then kept on disk.
    """
    tools = postgresql_tools()
    home = Path(tempfile.mkdtemp(prefix="registry-pg-", dir=in_memory() if settings is None else None))
    try:
        user = unprivileged_user()
        if user:
            shutil.chown(home, user)
        data = home / "data"
        options = [f"--pgdata={data}", f"--username={ROLE}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        create = as_user(user, tools / "initdb", *options, "--no-sync", "--no-instructions")
        subprocess.run(create, check=True, capture_output=True, text=True, cwd=home)
        with _serving(tools, user, home, CARELESS if settings is None else settings) as port:
            yield PostgreSQL(port)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _serving(tools: Path, user: str | None, home: Path, settings: dict[str, str]) -> Iterator[int]:
    port = free_port()
    options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(home)}
    options |= {"max_connections": "100", "timezone": "UTC"} | settings
    command = as_user(user, tools / "postgres", "-D", str(home / "data"))
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    log = home / "log"
    with log.open("wb") as written:
        server = subprocess.Popen(command, cwd=home, stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        wait_for_postgresql(port, server, log)
        yield port
    finally:
        server.send_signal(signal.SIGINT)  # disconnect everybody, then stop
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for_postgresql(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers. Raises RuntimeError with its log if it stops or takes too long."""
    deadline = time.monotonic() + STARTING
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://{ROLE}@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def in_memory() -> Path | None:
    """Where to keep what only the tests need; None leaves it to the usual place."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY else None


def postgresql_tools() -> Path:
    """The directory with `initdb` and `postgres`, of the newest version there is. Raises RuntimeError."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda tool: float(tool.parts[-3]))
    if versions:
        return versions[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise RuntimeError("There is no PostgreSQL server on this machine. `make test` installs it.")


def unprivileged_user() -> str | None:
    """Whom to run PostgreSQL as, which refuses to be root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def as_user(user: str | None, *command: str | Path) -> list[str]:
    """`command` run as `user`, and ended by the kernel when the tests are killed before they can."""
    change = [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"] if user else []
    return ["setpriv", "--pdeathsig=INT", *change, "--", *map(str, command)]


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def chromium() -> Path | None:
    """The Chromium of this system, or else the one that Playwright has fetched; None without one."""
    root = Path(__file__).resolve().parent.parent
    found = subprocess.run([root / "setup" / "browser.sh", "--find"], capture_output=True, text=True, check=False)
    if found.returncode == 0:
        return Path(found.stdout.strip())
    from playwright.sync_api import sync_playwright  # starting its driver is slow and seldom needed

    with sync_playwright() as playwright:
        fetched = Path(playwright.chromium.executable_path)
    return fetched if fetched.exists() else None

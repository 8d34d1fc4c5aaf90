"""A PostgreSQL that is killed without warning and started again, on the disk and with every care switched on."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from tests import servers

STARTING = 30.0  # seconds
SEGMENTS = 8  # of its log that it keeps at most, but for what is needed


class Mortal:
    """One server in a directory of its own, which outlives it."""

    def __init__(self, home: Path, *, segment_megabytes: int = 16) -> None:
        self.home = home
        self.revived = 0
        self.segment = segment_megabytes
        self.port = servers.free_port()
        self.user = servers.unprivileged_user()
        self.tools = servers.postgresql_tools()
        if self.user:
            shutil.chown(home, self.user)
        options = [f"--pgdata={home / 'data'}", f"--username={servers.ROLE}", "--auth=trust", "--encoding=UTF8"]
        create = servers.as_user(self.user, self.tools / "initdb", *options, "--locale=C.UTF-8", "--no-instructions")
        create.append(f"--wal-segsize={segment_megabytes}")
        subprocess.run(create, check=True, capture_output=True, cwd=home)

    def start(self) -> None:
        """Start it, which repairs what a kill has left, and wait until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self.home)}
        settings |= {"max_connections": "100", "timezone": "UTC", "fsync": "on", "synchronous_commit": "on"}
        settings |= {"max_wal_size": f"{SEGMENTS * self.segment}MB", "min_wal_size": f"{2 * self.segment}MB"}
        command = servers.as_user(self.user, self.tools / "postgres", "-D", self.home / "data")
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.home / "log"
        with log.open("ab") as written:
            self.process = subprocess.Popen(
                command, cwd=self.home, stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        servers.wait_for_postgresql(self.port, self.process, log)

    def use_up(self) -> None:
        """Write into its log until that has no room put by; on a full disk it stops over this."""
        with suppress(psycopg.Error), psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            for _ in range(SEGMENTS + 1):
                connection.execute("SELECT pg_logical_emit_message(false, 'ballast', repeat('-', 1000))")
                connection.execute("SELECT pg_switch_wal()")

    def revive(self) -> None:
        """Start it again where it has stopped itself, and wait until it answers."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.revived += 1
                self.start()
                return
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("PostgreSQL neither answers nor stops.")

    def kill(self) -> None:
        """SIGKILL for the server and every process of it, as when the machine stops."""
        if self.process.poll() is not None:
            return
        server = self.process.pid
        self.process.send_signal(signal.SIGSTOP)  # so that it starts nobody new meanwhile
        children = [int(child) for child in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        for process in [*children, server]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + STARTING
        while any(is_running(child) for child in children) and time.monotonic() < deadline:
            time.sleep(0.01)

    def fresh_database(self, name: str) -> str:
        """Create an empty database of this name; its URL."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url_of(name)

    def url_of(self, database: str) -> str:
        return f"postgresql://{servers.ROLE}@127.0.0.1:{self.port}/{database}"


def is_running(process: int) -> bool:
    """Whether a process lives: one that is dead and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def mortal() -> Iterator[Mortal]:
    """A running server; stopped and forgotten in the end."""
    home = Path(tempfile.mkdtemp(prefix="registry-mortal-"))
    server = Mortal(home)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(home, ignore_errors=True)

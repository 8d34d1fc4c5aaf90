"""A line to PostgreSQL that fails: a TCP proxy that cuts, delays, sends half a message, loses replies and brings
requests late."""

import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

CHUNK = 65_536  # bytes
LONGEST_DELAY = 0.2  # seconds
PATIENCE = 10  # seconds for the reply that is to be lost
BETWEEN = (1, 80)  # messages from one fault of a line to its next


class Fault(StrEnum):
    CUT = "cut"
    HALF = "half a message, then cut"
    DELAY = "delayed"
    LOST_REPLY = "reply to a commit lost"
    LATE_COMMIT = "commit arrived after the cut"


AT_COMMIT = (Fault.LOST_REPLY, Fault.LATE_COMMIT)


class Proxy:
    """Listens on `port` of this machine and passes everything on to the server, but for its faults."""

    def __init__(self, server: int, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.faults: Counter[Fault] = Counter()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        self.open = True
        self.lines: list[threading.Thread] = []

    def run(self) -> None:
        while self.open:
            with suppress(TimeoutError, OSError):
                self.listening.settimeout(0.2)
                client, _ = self.listening.accept()
                line = threading.Thread(target=self.serve, args=(client,), daemon=True)
                line.start()
                self.lines.append(line)

    def serve(self, client: socket.socket) -> None:
        """One line, until it is cut by either side or by a fault."""
        client.settimeout(None)
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.server)) as server:
            fault, left = self.plan()
            while self.open:
                for source in select.select([client, server], [], [], 0.2)[0]:
                    chunk = source.recv(CHUNK)
                    if not chunk:
                        return
                    target = server if source is client else client
                    left -= 1
                    due = left <= 0 and (fault not in AT_COMMIT or (source is client and b"COMMIT" in chunk))
                    if not due:
                        target.sendall(chunk)
                    elif not self.commit(fault, chunk, client, target):
                        return
                    else:
                        fault, left = self.plan()

    def plan(self) -> tuple[Fault, int]:
        """Which fault the line has next, and after how many messages at the soonest."""
        return self.chance.choice(list(Fault)), self.chance.randint(*BETWEEN)

    def commit(self, fault: Fault, chunk: bytes, client: socket.socket, target: socket.socket) -> bool:
        """Commit the fault with this message; whether the line goes on."""
        self.faults[fault] += 1
        if fault is Fault.DELAY:
            time.sleep(self.chance.uniform(0, LONGEST_DELAY))
            target.sendall(chunk)
            return True
        if fault is Fault.HALF:
            target.sendall(chunk[: self.chance.randrange(len(chunk))])
        elif fault is Fault.LOST_REPLY:
            target.sendall(chunk)
            target.settimeout(PATIENCE)
            target.recv(CHUNK)
        elif fault is Fault.LATE_COMMIT:
            client.shutdown(socket.SHUT_RDWR)
            time.sleep(self.chance.uniform(0, LONGEST_DELAY))
            target.sendall(chunk)
            target.settimeout(PATIENCE)
            target.recv(CHUNK)  # not before the server has taken it up
        return False

    def end(self) -> None:
        self.open = False
        self.listening.close()
        for line in self.lines:
            line.join(PATIENCE)


@contextmanager
def faulty(server: int, seed: int = 1) -> Iterator[Proxy]:
    """A running proxy before the server on that port."""
    proxy = Proxy(server, seed)
    accepting = threading.Thread(target=proxy.run, daemon=True)
    accepting.start()
    try:
        yield proxy
    finally:
        proxy.end()
        accepting.join(PATIENCE)

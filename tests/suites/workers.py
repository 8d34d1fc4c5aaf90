"""Workers that can be killed at any moment, and are born again knowing what they would have to learn first."""

import multiprocessing
import os
import pickle
import select
import signal
import socket
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tests.suites import trial
from tests.suites.trial import Act, Answer, World

LONGEST_LIFE = 0.06  # seconds that a worker may have after it was asked: a request takes about half of it
PATIENCE = 120  # seconds for an answer, or to start
UNKNOWN = Answer("unknown")
DEAD, ANOTHER = "dead", "another"
LONGEST_MESSAGE = 65_536  # bytes

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.suites.statements"])


class Line:
    """One end of a line to another process. A message is read whole or not at all, whoever dies while reading it."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def say(self, message: object) -> None:
        self.end.send(pickle.dumps(message))

    def waits(self, seconds: float) -> bool:
        """Whether a message, or the end of the line, is there within so many seconds."""
        return bool(select.select([self.end], [], [], seconds)[0])

    def hear(self) -> Any:
        """The next message. Raises EOFError where nobody is at the other end any more."""
        message = self.end.recv(LONGEST_MESSAGE)
        if not message:
            raise EOFError
        return pickle.loads(message)


def bear(world: World, line: Line) -> None:
    """Have one worker after the other. What one of them would have to learn first, it is born with."""
    engine = trial.engine_of(world.url)
    trial.rehearse(engine, world)
    while True:
        child = os.fork()
        if child == 0:
            work(engine, world, line)
        line.say(child)
        os.waitpid(child, 0)
        line.say(DEAD)
        while line.hear() != ANOTHER:
            pass  # what nobody was there any more to hear


def work(engine: Engine, world: World, line: Line) -> None:
    """A worker's life: do what comes down the line and say how it ended."""
    while True:
        act = line.hear()
        try:
            line.say(trial.ask(engine, world, act))
        except DBAPIError:
            line.say(UNKNOWN)  # the connection broke: it may have happened, or not


class Worker:
    """A process that works and is born again, seen from whoever asks it."""

    def __init__(self, world: World) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line = Line(ours)
        self.mother = processes.Process(target=bear, args=(world, Line(theirs)), daemon=True)
        self.mother.start()
        theirs.close()
        self.process: int = self.hear()
        self.alive = True

    def ask(self, act: Act, *, life: float | None = None) -> Answer:
        """What it said; unknown where it died on the way. life: share of a request's usual time until it is killed."""
        if not self.alive:
            self.line.say(ANOTHER)
            self.process, self.alive = self.hear(), True
        self.line.say(act)
        if life is not None and not self.line.waits(life * LONGEST_LIFE):
            os.kill(self.process, signal.SIGKILL)
            self.alive = False
        answer = self.hear()
        if answer == DEAD:
            self.alive = False
            return UNKNOWN
        if not self.alive:
            self.hear()  # that it died, right after it had answered
        assert isinstance(answer, Answer)
        return answer

    def hear(self) -> Any:
        if not self.line.waits(PATIENCE):
            raise RuntimeError("A worker neither answers nor dies.")
        return self.line.hear()

    def end(self) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)
        self.mother.kill()
        self.mother.join()
        self.line.end.close()

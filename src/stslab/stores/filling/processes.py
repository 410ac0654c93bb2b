"""Several processes of this machine that encode texts for a store."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from typing import Any

from ...models.encoding import Embeddings
from ..store import StoreError
from .encoding_work import Work, encode_for

ATTEMPTS = 3  # times that a chunk is encoded when the process that does it is lost


class _Process:
    """A process that encodes, with a pipe of its own.

    It has one chunk at a time, so that it reads whenever this process writes; otherwise both could
    wait for each other.
    """

    def __init__(self, work: Work, lifeline: Connection) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = context.Pipe()
        self.process = context.Process(target=_encode_chunks, args=(work, child_pipe, lifeline))
        with _interrupts_kept_here():
            self.process.start()
        # That process then has the only other end, so that a read here ends when it is lost.
        child_pipe.close()
        self.chunk: int | None = None  # the number of the one that it encodes

    def stop(self) -> None:
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class Processes:
    """Encodes in several processes; a chunk that one did not finish is encoded by another.

    This is not `concurrent.futures`, whose results share one pipe: a process that is killed while
    it writes blocks that pipe for ever, and the pool's thread raises InvalidStateError for a future
    that was cancelled while the pool broke. Here is no thread, and each process has its own pipe.
    """

    def __init__(self, work: Work, processes: int) -> None:
        self.work, self.window = work, 2 * processes
        self._numbers = count()
        self._texts: dict[int, list[str]] = {}  # of chunks that are not finished
        self._waiting: deque[int] = deque()  # chunks that no process has yet
        self._lost: Counter[int] = Counter()  # how often the process that had it was lost
        self._results: dict[int, Embeddings | Exception] = {}
        # Nothing is ever written to this pipe: the processes end when this process closes its end,
        # which the system does if it is killed.
        pipe = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._lifeline, self._lifeline_end = pipe
        self._processes: list[_Process] = []
        try:
            for _ in range(processes):
                self._processes.append(_Process(work, self._lifeline))
        except BaseException:
            self.close()
            raise

    def submit(self, texts: list[str]) -> int:
        number = next(self._numbers)
        self._texts[number] = texts
        self._waiting.append(number)
        self._hand_out()
        return number

    def result(self, task: int) -> Embeddings:
        while task not in self._results:
            self._hand_out()
            busy = {
                process.pipe: process for process in self._processes if process.chunk is not None
            }
            for pipe in wait_for_any(list(busy)):
                self._receive(busy[pipe])  # type: ignore[index]
        result = self._results.pop(task)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        self._lifeline_end.close()
        for process in self._processes:
            process.stop()
        self._lifeline.close()

    def _hand_out(self) -> None:
        for process in self._processes:
            if process.chunk is None and self._waiting:
                process.chunk = self._waiting.popleft()
                with suppress(OSError):  # it is lost; `_receive` reads that from the same pipe
                    process.pipe.send(self._texts[process.chunk])

    def _receive(self, process: _Process) -> None:
        chunk, process.chunk = process.chunk, None
        assert chunk is not None
        try:
            self._results[chunk] = process.pipe.recv()
            del self._texts[chunk]
        except (EOFError, OSError):
            process.stop()
            self._processes[self._processes.index(process)] = _Process(self.work, self._lifeline)
            self._lost[chunk] += 1
            if self._lost[chunk] < ATTEMPTS:
                self._waiting.appendleft(chunk)
            else:
                self._results[chunk] = StoreError(
                    f"a process that encodes was lost {ATTEMPTS} times, perhaps because memory is "
                    f"short. What was added before is kept; go on with fewer processes."
                )


def _encode_chunks(work: Work, pipe: Connection, lifeline: Connection) -> None:
    """Encode one chunk after another, in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    with suppress(EOFError, OSError):  # the process that sends texts has ended
        while True:
            texts = pipe.recv()
            try:
                result: Any = encode_for(work, texts)
            except Exception as error:
                result = error
            pipe.send(result)


def _end_with(lifeline: Connection) -> None:
    """End this process when the other end of a pipe is closed."""
    lifeline.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _interrupts_kept_here() -> Iterator[None]:
    """Start processes that ignore Ctrl-C: this process receives it and ends them."""
    if sys.platform == "win32":
        yield
        return
    old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)

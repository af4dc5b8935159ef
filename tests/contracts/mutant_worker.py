"""Runs contract tests many times over in one process, for tests/contracts/mutant_bench.py.

    python -m tests.contracts.mutant_worker FD

pytest starts once and collects once.  Then each line that comes in on the socket FD names the tests
to run, in their order, and how many seconds they may take.  A fork of this process runs all, or
up to the first that fails, and the answer is a line again:

    in    {"tests": [node id, ...], "all": false, "seconds": 600.0}
    out   {"failed": {node id: what it said}, "seconds": {node id: seconds}}

A run that does not end in time, or dies, has failed at "too long" or "the run died".

At the start a line with all node ids goes out.  What has been imported and collected is shared by
all runs; contracts are read anew in each, and each has nodes of its own.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from proofs.abi import load_artifact

OPTIONS: Final = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly")

_END_SECONDS: Final = 30.0
_WHY: Final = 300  # characters


class Worker:
    """A pytest plugin that runs tests as it is told instead of as they were collected."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        with self._channel.makefile("rw", encoding="utf-8") as lines:
            _tell(lines, list(items))
            for line in lines:
                asked = json.loads(line)
                chosen = [items[name] for name in asked["tests"]]
                _tell(lines, run_in_fork(session, chosen, asked["all"], asked["seconds"]))
        return True


class Watcher:
    """A pytest plugin that notes failures, and how long each test took."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        spent = self.seconds.get(report.nodeid, 0.0)
        self.seconds[report.nodeid] = round(spent + report.duration, 3)
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = crash.message if crash else str(report.longrepr)
            self.failed.setdefault(report.nodeid, why[-_WHY:])


def run_in_fork(
    session: pytest.Session, items: Sequence[pytest.Item], every: bool, seconds: float
) -> dict[str, Any]:
    """What becomes of these tests, run in their order by a child of this process."""
    ours, childs = os.pipe()
    load_artifact.cache_clear()
    child = os.fork()
    if child == 0:
        _be_the_child(session, items, every, childs)
    os.close(childs)
    with open(ours, encoding="utf-8") as pipe:
        ready, _, _ = select.select([pipe], [], [], seconds)
        if not ready:
            os.kill(child, signal.SIGINT)  # so that it ends its nodes
            ready, _, _ = select.select([pipe], [], [], _END_SECONDS)
        told = pipe.readline() if ready else ""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for process in _left_behind(child):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if not told:
        return {"failed": {"the run died" if ready else "too long": ""}, "seconds": {}}
    found: dict[str, Any] = json.loads(told)
    return found


def _be_the_child(
    session: pytest.Session, items: Sequence[pytest.Item], every: bool, pipe: int
) -> None:
    """Run the tests, tell of them, and end the process."""
    os.setsid()  # what is left behind is known by its session
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have turned off
    watcher = Watcher()
    session.config.pluginmanager.register(watcher)
    try:
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if watcher.failed and not every:
                break
    except BaseException as error:  # whatever it is, the process ends here
        watcher.failed["too long"] = repr(error)[-_WHY:]
    with contextlib.suppress(BaseException):
        session._setupstate.teardown_exact(None)
    with open(pipe, "w", encoding="utf-8") as answer:
        _tell(answer, {"failed": watcher.failed, "seconds": watcher.seconds})
    os._exit(0)


def _left_behind(session_id: int) -> Iterator[int]:
    """The processes of a session, on Linux."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            if int(fields[3]) == session_id:
                yield int(folder.name)


def _tell(lines: Any, value: Any) -> None:
    lines.write(json.dumps(value) + "\n")
    lines.flush()


def main() -> int:
    channel = socket.socket(fileno=int(sys.argv[1]))
    start = time.monotonic()
    status = pytest.main([*OPTIONS, *sys.argv[2:]], plugins=[Worker(channel)])
    print(f"ended after {time.monotonic() - start:.0f} s", file=sys.stderr)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

"""The limit of open files is raised as far as it may be, and never lowered."""

import subprocess
import sys

import pytest

LOOK = """
import resource
from server.open_files import make_room
fit = make_room({sockets})
print(fit, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "sockets", "found"),
    [
        (512, 4096, 2000, (2000, 2256, 4096)),
        (512, 1024, 2000, (768, 1024, 1024)),
        (4096, 4096, 100, (100, 4096, 4096)),
        (200, 200, 100, (0, 200, 200)),
    ],
)
def test_the_limit(soft: int, hard: int, sockets: int, found: tuple[int, int, int]) -> None:
    limit = f"ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" -c '{LOOK}'"
    done = subprocess.run(
        ["bash", "-c", limit.format(sockets=sockets), sys.executable],
        capture_output=True,
        text=True,
        check=True,
    )
    assert tuple(map(int, done.stdout.split())) == found

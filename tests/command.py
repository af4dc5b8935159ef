"""The command as a user runs it: a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str | Path, **environment: str) -> Ran:
    """Run the command and wait for its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHECKPROOF_")}
    done = subprocess.run(
        [sys.executable, "-m", "server", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**clean, "NO_COLOR": "1", **environment},
    )
    return Ran(done.returncode, done.stdout, done.stderr)

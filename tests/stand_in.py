"""House nets of a test's own, in this process and in those that it starts.

    with shipped_nets(tmp_path, pawn, renamed(random_net(2), "queen")):
        ...

makes exactly these the nets that are shipped, and `sys.executable` a program that runs `-m MODULE`
where they are.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.net import NetSpec, house_net

_PYTHON = """#!{python}
import os, runpy, sys
from pathlib import Path
from types import SimpleNamespace

if sys.argv[1] != "-m":
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
sys.path[0] = {root!r}
import engine.net

engine.net.resources = SimpleNamespace(files=lambda _: Path({shipped!r}))
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def renamed(net: NetSpec, name: str) -> NetSpec:
    return replace(net, name=name)


@contextmanager
def shipped_nets(folder: Path, *nets: NetSpec) -> Iterator[None]:
    """The files are put into `folder`."""
    shipped, python = folder / "shipped", folder / "python"
    (shipped / "nets").mkdir(parents=True)
    for net in nets:
        (shipped / "nets" / f"{net.name}.json").write_bytes(net.to_bytes())
    root = Path(__file__).parents[1]
    python.write_text(_PYTHON.format(python=sys.executable, root=str(root), shipped=str(shipped)))
    python.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.net.resources", SimpleNamespace(files=lambda _: shipped))
        patch.setattr(sys, "executable", str(python))
        house_net.cache_clear()
        try:
            yield
        finally:
            house_net.cache_clear()

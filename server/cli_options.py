"""Options that several commands take, and how all of them talk to people."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

Data = Annotated[
    Path, typer.Option("--data", envvar="CHECKPROOF_DATA", help="The folder of keys and chain.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Bot = Annotated[str, typer.Option(help="A house net.")]
Rpc = Annotated[
    str | None, typer.Option(envvar="CHECKPROOF_RPC", help="A chain's RPC address.", metavar="URL")
]
ArenaAt = Annotated[
    str | None, typer.Option("--arena", help="The Arena's address there.", metavar="ADDRESS")
]
Url = Annotated[
    str | None,
    typer.Option(envvar="CHECKPROOF_URL", help="A server, if not the usual.", metavar="URL"),
]
DATA: Final = Path("data")


def say(line: str) -> None:
    """A line about the work, for the person who waits; data goes to stdout."""
    print(line, file=sys.stderr, flush=True)

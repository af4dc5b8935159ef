"""`checkproof uci` and `checkproof bench elo`: a bot among other chess programs."""

# ruff: noqa: PLC0415  ezkl's modules take seconds to import, and house nets need none of them

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import InvalidNet
from engine.ladder import Options, Say, measure
from engine.ladder_players import HouseNet, NetFile, rungs
from engine.net import NetSpec, house_nets
from engine.player import Mover
from engine.uci import UciEngine
from proofs.ezkl_bots import SHIPPED, listed_bots, name_of_file
from proofs.lifeline import die_with
from server.cli_out import print_json

if TYPE_CHECKING:
    from server.onnx_player import OnnxBot

ONNX: Final = ".onnx"
NET: Final = ".json"


def run_uci(bot: str, *, data: Path, say: Say) -> None:
    """Talk UCI on stdin and stdout until `quit`.  Raises InvalidNet, ProofError, OSError."""
    check_bot(bot, data)
    with ExitStack() as stack:

        def load() -> Mover:
            found = entrant_of(bot, data=data, say=say)
            if isinstance(found, HouseNet | NetFile):
                return found.mover()
            return stack.enter_context(found.mover())

        name = name_of_file(Path(bot)) if bot.endswith((ONNX, NET)) else bot
        for answer in UciEngine(name, load).talk(sys.stdin):
            print(answer, flush=True)


def run_elo(bot: str, *, options: Options, stockfish: str | None, data: Path, say: Say) -> None:
    """Measure a bot and print what came out.  Raises EngineError, ProofError, OSError."""
    check_bot(bot, data)
    opponents = rungs(stockfish)
    for name, why in opponents.left_out:
        say(f"without {name}: {why}")
    print_json(
        measure(
            entrant_of(bot, data=data, say=say),
            opponents,
            options=options,
            file=data / "ladder" / "games.jsonl",
            begin_worker=die_with,
            say=say,
        )
    )


def run_nets(bots: list[str], *, proofs: int, options: Options, data: Path, say: Say) -> None:
    """Print a row of figures for each net.  Raises EngineError, ProofError, OSError."""
    from proofs.bench_nets import bench_nets

    rows = bench_nets(
        bots,
        rungs(),
        proofs=proofs,
        options=options,
        data=data,
        begin_worker=die_with,
        say=say,
    )
    print_json({"nets": rows})


def check_bot(bot: str, data: Path) -> None:
    """Raises InvalidNet for a bot that there is not, OSError for a file that cannot be read."""
    if bot.endswith(NET):
        NetSpec.load(bot)
    elif bot.endswith(ONNX):
        os.close(os.open(bot, os.O_RDONLY))
    elif bot not in (*house_nets(), *SHIPPED, *(listed.name for listed in listed_bots(data))):
        raise InvalidNet(f"there is no bot called {bot!r}, and it is no {ONNX} or {NET} file")


def entrant_of(bot: str, *, data: Path, say: Say) -> "HouseNet | NetFile | OnnxBot":
    """A bot by its name or file; an ONNX net is imported if it was not yet (a minute)."""
    if bot in house_nets():
        return HouseNet(bot)
    if bot.endswith(NET):
        return NetFile(bot)
    from server.onnx_player import bot_of_file, bot_of_name

    if bot.endswith(ONNX):
        return bot_of_file(Path(bot), data=data, say=say)
    return bot_of_name(bot, data=data, say=say)

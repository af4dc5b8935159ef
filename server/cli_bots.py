"""`checkproof bots add` and `bots remove`: which ONNX nets play in an arena.

A net is checked, imported, tried and then listed in DATA/ezkl/bots.json, at which a server looks
every few seconds.  Whatever goes wrong before that, the list stays as it was.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.errors import ChainDown
from proofs.ezkl_bots import add_bot, check_name, name_of_file, remove_bot, store_of
from proofs.ezkl_build import Manifest
from proofs.ezkl_chain import check_ezkl_bot, ensure_ezkl_bot
from proofs.ezkl_dryrun import described, try_out
from proofs.ezkl_prover import import_net
from proofs.node import running_node
from proofs.sender import LOCAL_KEY
from server.cli_out import print_json
from server.config import Config, held
from server.errors import KeyMissing
from server.house import metadata

DEVELOPMENT: Final = (
    "DEV SETUP: whoever made this setup could forge (bring one of a ceremony by `setup srs`)"
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """How much of a dry run there is: moves proven on a throw-away chain, games on each rung."""

    moves: int = 2
    games: int = 10


def run_add(
    net: Path,
    *,
    name: str | None,
    data: Path,
    rpc: str | None,
    trial: Trial | None,
    as_json: bool,
    say: Say,
) -> None:
    """Make a bot of an ONNX file.  Raises ProofError, KeyMissing, OSError."""
    called = name_of_file(net) if name is None else name
    check_name(data, called)
    if rpc is not None:
        _key_for(rpc)
    folder = import_net(net, store_of(data), progress=say)
    manifest = Manifest.read(folder)
    report = described(manifest)
    if trial is not None:
        say("trying it on a throw-away chain")
        report = try_out(folder, moves=trial.moves, games=trial.games, progress=say)
    version = asyncio.run(_register(called, folder, data, rpc, say))
    add_bot(data, called, folder)
    if manifest.development:
        say(DEVELOPMENT)
    if as_json:
        print_json({"name": called, "folder": str(folder), "version": version, **report})
    else:
        _print(called, folder, version, report)
    if held(data):
        say("the server that runs on this folder offers it in some seconds")


def run_remove(name: str, *, data: Path, as_json: bool, say: Say) -> None:
    """Take a bot from the list.  Raises NoSuchBot, BotListDamaged."""
    bot = remove_bot(data, name)
    say(f"its files stay in {bot.folder}, because games may still need them")
    if held(data):
        say("the server that runs on this folder offers it no more in some seconds")
    if as_json:
        print_json({"name": bot.name, "folder": str(bot.folder)})
    else:
        print(f"removed {bot.name}")


def _key_for(rpc: str | None) -> str:
    """The key that pays: the operator's own, or the local chain's.  Raises KeyMissing."""
    if rpc is None:
        return LOCAL_KEY
    key = Config.of().key
    if key is None:
        raise KeyMissing(rpc)
    return key.get_secret_value()


async def _register(name: str, folder: Path, data: Path, rpc: str | None, say: Say) -> str | None:
    """The version's id if the arena's chain can be had now; else `serve` registers it."""
    known, url = read_deployment(data), rpc or running_node(data / "chain")
    if known is None or url is None:
        say("no arena runs here: the bot is registered when one is served")
        return None
    try:
        chain = await Chain.connect(url, _key_for(rpc), known)
    except ChainDown:
        if rpc is not None:
            raise
        say("no arena runs here: the bot is registered when one is served")
        return None
    try:
        say(f"registering {name}")
        bot = await ensure_ezkl_bot(chain, folder, metadata(name))
        await check_ezkl_bot(chain, folder, bot)
    finally:
        await chain.close()
    return "0x" + bot.id.hex()


def _print(name: str, folder: Path, version: str | None, report: dict[str, Any]) -> None:
    rows = {
        "name": name,
        "folder": str(folder),
        "version": version or "registered when the arena is served next",
        "net": report["net"],
        "circuit": report["circuit"],
        "verifying key": report["key"],
        "setup": report["ceremony"] or "development",
        "rows": f"{report['rows']:,} of 2^{report['logrows']}",
    }
    if "gas" in report:
        rows["a proof"] = (
            f"{report['prove_s']} s, {report['cpu_s']} s of CPU, {report['rss_mb']} MB"
        )
        rows["gas of a move"] = f"{report['gas']['median']:,}"
    for rung in ("random", "greedy"):
        if f"against_{rung}" in report:
            score = report[f"against_{rung}"]
            rows[f"against {rung}"] = f"{score['points']} of {score['games']} points"
    width = max(map(len, rows))
    for title, text in rows.items():
        print(f"{title:<{width}}  {text}")

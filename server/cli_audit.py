"""`checkproof audit` and `checkproof bots list`: from the chain to a table.

web3 is imported only where there is a chain to ask.
"""

# ruff: noqa: PLC0415

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from proofs.audit import audit
from proofs.audit_bots import CircuitOf, circuits_of_nets
from proofs.audit_ezkl import onnx_bots, verifiers_of
from proofs.audit_judges import Groth16Judge
from proofs.audit_report import Finding, Report, Row, SideReport
from proofs.errors import WrongChain
from proofs.ezkl_verifier import VerifierCode
from proofs.game_file import GameRecord, collect_with_state, dump, find_game, load
from proofs.records import BotVersion, OnChainGame
from server.cli_out import console, print_json, printable, table

if TYPE_CHECKING:
    from server.cli_source import Where

Say = Callable[[str], None]
_COLOURS = {"verified": "bold green", "failed": "bold red", "incomplete": "bold yellow"}
_SIGNS = {"ok": "✓", "failed": "✗", "unchecked": "?"}


@dataclass(frozen=True)
class _Found:
    """A game's logs and, from a chain, what the contract stores and what is unknown about it."""

    record: GameRecord
    state: OnChainGame | None = None
    undecided: tuple[Finding, ...] = ()
    codes: Mapping[str, VerifierCode] = field(default_factory=dict)


def run_audit(
    game: str | None,
    *,
    file: Path | None,
    save: Path | None,
    nets: list[Path],
    setups: Sequence[Path] = (),
    server: str | None = None,
    where: "Where",
    as_json: bool,
    say: Say,
) -> int:
    """Audit one game, print what came out and return the exit code.

    Raises ProofError and EngineError where no audit can be made.
    """
    circuit_of = circuits_of_nets([net for net in nets if net.suffix != ".onnx"])
    if file is None:
        assert game is not None
        found, expected = asyncio.run(_from_chain(game, where, say)), None
    else:
        found, expected = _Found(load(file)), _expected(game)
    if save is not None:
        save.write_text(dump(found.record), encoding="utf-8")
        say(f"saved {len(found.record.events)} logs to {save}")
    say("compiling the circuit and checking every move")
    onnx = onnx_bots(
        where[0], nets=nets, setups=setups, server=server, codes=found.codes, say=say
    )
    report = audit(
        found.record,
        circuit_of=_told(circuit_of, say),
        expected_game=_full(expected, found.record.game),
        state=found.state,
        undecided=found.undecided,
        judges=(Groth16Judge(), onnx),
        custom=onnx,
    )
    if as_json:
        print_json({**report.as_json(), "source": "chain" if file is None else "file"})
    else:
        _print_report(report, from_file=file is not None)
    return report.exit_code


def run_bots(where: "Where", *, as_json: bool, say: Say) -> None:
    """Print every registered bot version.  Raises ProofError."""
    from server.cli_source import open_chain

    async def read() -> list[BotVersion]:
        async with open_chain(where, say) as chain:
            return await chain.bots()

    versions = asyncio.run(read())
    if as_json:
        print_json([_bot_json(version) for version in versions])
        return
    columns = ("version", "metadata", "net", "circuit", "key", "setup")
    rows = [
        (
            f"0x{bot.id.hex()}",
            bot.metadata,
            bot.net_hash.hex()[:12],
            bot.circuit_hash.hex()[:12],
            bot.key_hash.hex()[:12],
            _setup(bot),
        )
        for bot in versions
    ]
    console().print(table(columns, rows))


async def _from_chain(game: str, where: "Where", say: Say) -> _Found:
    from proofs.deploy import verify_contracts
    from server.cli_source import open_chain

    async with open_chain(where, say) as chain:
        say(f"reading the logs from chain {chain.chain_id}, arena {chain.addresses.arena}")
        record, state = await collect_with_state(chain, await find_game(chain, game))
        undecided: tuple[Finding, ...] = ()
        try:
            await verify_contracts(chain)
        except WrongChain as error:
            undecided = (Finding(None, "contract", str(error)),)
        return _Found(record, state, undecided, await verifiers_of(chain, record))


def _told(circuit_of: CircuitOf, say: Say) -> CircuitOf:
    def tell(net_hash: bytes) -> str | None:
        found = circuit_of(net_hash)
        if found is None:
            say(f"the net {net_hash.hex()} is not at hand; name its file by --net")
        return found

    return tell


def _expected(game: str | None) -> str | None:
    return None if game is None else "0x" + game.lower().removeprefix("0x")


def _full(asked: str | None, game: str) -> str | None:
    """The game's own id, where what was asked for are its first digits."""
    return game if asked is not None and len(asked) > 5 and game.startswith(asked) else asked


def _print_report(report: Report, *, from_file: bool) -> None:
    out = console()
    out.print(Text(f"game   {report.game}"))
    out.print(Text(f"arena  {report.arena} on chain {report.chain_id}"))
    out.print(Text(f"white  {_side(report.white)}"))
    out.print(Text(f"black  {_side(report.black)}"))
    out.print(table(("ply", "side", "move", "by", "checks", "gas", "tx"), map(_row, report.rows)))
    if from_file:
        out.print(Text("read from a file: blocks, transactions, times and gas are what it says"))
    for setup in sorted({s.setup for s in (report.white, report.black) if s.setup}):
        out.print(Text(setup, style="bold yellow"))
    for finding in report.failures:
        out.print(Text(printable(f"FAILED     {finding}"), style="red"))
    for finding in report.undecided:
        out.print(Text(printable(f"undecided  {finding}"), style="yellow"))
    proofs = sum(row.checks.get("proof") == "ok" for row in report.rows)
    counts = f"{len(report.rows)} moves, {proofs} proofs hold"
    verdict = Text(report.verdict.upper(), style=_COLOURS[report.verdict])
    out.print(verdict, Text(f"{report.result} ({report.status}); {counts}"))


def _row(row: Row) -> tuple[str | Text, ...]:
    groups = {mark: [c for c, m in row.checks.items() if m == mark] for mark in _SIGNS}
    checks = Text()
    for mark, style in (("failed", "bold red"), ("unchecked", "yellow"), ("ok", "green")):
        if groups[mark]:
            checks.append(f"{_SIGNS[mark]} {' '.join(groups[mark])}  ", style=style)
    gas = "" if row.gas is None else f"{row.gas:,}"
    return (str(row.ply), row.side, row.san or f"#{row.index}", row.by, checks, gas, row.tx[:10])


def _side(side: SideReport) -> str:
    if side.kind == "bot":
        circuit = f", circuit {side.circuit}" if side.circuit else ""
        recomputed = f", {side.recomputed}" if side.recomputed else ""
        return printable(f"bot {side.id} {side.metadata}{circuit}{recomputed}")
    return f"{side.kind} {side.id}"


def _setup(bot: BotVersion) -> str:
    return "custom, unverified" if bot.custom else "development"


def _bot_json(bot: BotVersion) -> dict[str, Any]:
    return {
        "version": "0x" + bot.id.hex(),
        "metadata": bot.metadata,
        "netHash": "0x" + bot.net_hash.hex(),
        "circuitHash": "0x" + bot.circuit_hash.hex(),
        "keyHash": "0x" + bot.key_hash.hex(),
        "statement": "0x" + bot.statement.hex(),
        "verifier": bot.verifier,
        "owner": bot.owner,
        "custom": bot.custom,
        "setup": _setup(bot),
    }

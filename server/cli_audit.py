"""`checkproof audit` and `checkproof bots list`: from the chain to what is printed.

web3 is imported only where there is a chain to ask.
"""

# ruff: noqa: PLC0415

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from proofs.audit import audit
from proofs.audit_bots import CircuitOf, circuits_of_nets
from proofs.audit_bundle import Audit, Disagreement, games_of, records_of
from proofs.audit_codes import (
    unpack_nets,
    unpack_setups,
    verifier_codes,
    with_net_files,
    with_setup_files,
)
from proofs.audit_ezkl import OnnxBots, files_of, onnx_bots
from proofs.audit_judges import Judge, usual_judges
from proofs.audit_report import Report
from proofs.bundle import Bundle, read_bundle, write_bundle
from proofs.errors import AuditError, NoSuchGame, NotABundle, shown_url
from proofs.ezkl_bots import SHIPPED, store_of
from proofs.ezkl_folder import shipped_net
from proofs.game_file import GameRecord, dump, find_game, load
from proofs.records import BotVersion
from server.audit_output import Form, Output
from server.cli_out import console, print_json, table

if TYPE_CHECKING:
    from server.cli_source import Where

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What to audit, from where, and what to write.

    `game` is an id or its first digits; else `blocks` tells in which blocks games were opened, both
    ends included, None being the last.  Without either it is all of a file or bundle.
    """

    game: str | None
    blocks: tuple[int, int | None] | None
    file: Path | None
    from_bundle: Path | None
    where: "Where"
    further: tuple[str, ...] = ()
    """RPC addresses of nodes to compare with."""
    save: Path | None = None
    bundle: Path | None = None
    html: Path | None = None
    form: Form = "table"
    nets: tuple[Path, ...] = ()
    setups: tuple[Path, ...] = ()
    server: str | None = None
    one_verifier: bool = False


@dataclass(frozen=True)
class _Found:
    """A bundle, the games of it that were asked for, and what further nodes say otherwise."""

    bundle: Bundle
    games: list[str]
    nodes: Mapping[str, Sequence[Disagreement]] = field(default_factory=dict)


def run_audit(asked: Asked, *, say: Say) -> int:
    """Audit what is asked for, write what came out and return the exit code.

    Raises ProofError and EngineError where no audit can be made, OSError.
    """
    with _reports(asked, say) as (reports, about):
        many = asked.game is None and asked.file is None
        output = Output(asked.form, many=many, about=about, html=asked.html)
        for count, report in enumerate(reports, 1):
            output.take(report)
            if many:
                say(f"{count}: {report.game[:10]} {report.verdict}")
        code = output.close()
    if asked.html is not None:
        say(f"wrote {asked.html}")
    return code


@contextmanager
def _reports(asked: Asked, say: Say) -> Iterator[tuple[Iterator[Report], dict[str, Any]]]:
    if asked.file is not None:
        record = load(asked.file)
        yield iter([_of_file(asked, record, say)]), _about(asked, "file", _judges(asked, None))
        return
    found = _read(asked, say) if asked.from_bundle is not None else asyncio.run(_gather(asked, say))
    if asked.save is not None:
        _save(found, asked.save, say)
    if asked.bundle is not None:
        files = (*asked.nets, *files_of(store_of(asked.where[0]))[0], *map(shipped_net, SHIPPED))
        found = _Found(with_net_files(found.bundle, files), found.games, found.nodes)
    with TemporaryDirectory(prefix="checkproof-nets-") as folder:
        nets = (*asked.nets, *unpack_nets(found.bundle, Path(folder)))
        setups = (*asked.setups, *unpack_setups(found.bundle, Path(folder)))
        onnx_judge = _onnx(asked, nets, setups, found.bundle, say)
        judges = _judges(asked, onnx_judge)
        say("compiling the circuit and checking every move")
        run = Audit(
            found.bundle,
            circuit_of=_told(nets, say),
            judges=judges,
            custom=onnx_judge,
            disagreements=found.nodes,
        )
        source = "chain" if asked.from_bundle is None else "bundle"
        head = found.bundle.blocks.get(found.bundle.head)
        about = _about(asked, source, judges) | {
            "head": None
            if head is None
            else {"number": head.number, "hash": "0x" + head.hash.hex()},
            "nodes": [shown_url(url) for url in asked.further],
        }
        yield run.reports(found.games), about
        if asked.bundle is not None:
            _write(found, onnx_judge, asked.bundle, say)


def _write(found: _Found, onnx: OnnxBots, path: Path, say: Say) -> None:
    """Write the bundle, with what it took to make its ONNX bots anew.  Raises OSError."""
    nets, setups = onnx.files()
    bundle = with_setup_files(with_net_files(found.bundle, nets), setups)
    size = write_bundle(bundle, path)
    say(f"wrote {path}: {len(found.games)} games, {size} bytes")


def _of_file(asked: Asked, record: GameRecord, say: Say) -> Report:
    say("compiling the circuit and checking every move")
    onnx = _onnx(asked, asked.nets, asked.setups, None, say)
    expected = None if asked.game is None else "0x" + asked.game.lower().removeprefix("0x")
    if expected is not None and len(expected) > 5 and record.game.startswith(expected):
        expected = record.game  # its first digits
    return audit(
        record,
        circuit_of=_told(asked.nets, say),
        expected_game=expected,
        judges=_judges(asked, onnx),
        custom=onnx,
    )


def _judges(asked: Asked, onnx: OnnxBots | None) -> tuple[Judge, ...]:
    groth16 = usual_judges()[:1] if asked.one_verifier else usual_judges()
    return (*groth16, onnx) if onnx is not None else groth16


def _onnx(
    asked: Asked,
    nets: Sequence[Path],
    setups: Sequence[Path],
    bundle: Bundle | None,
    say: Say,
) -> OnnxBots:
    codes = {} if bundle is None else verifier_codes(bundle)
    return onnx_bots(
        asked.where[0],
        nets=nets,
        setups=setups,
        server=asked.server,
        codes=codes,
        say=say,
    )


def _about(asked: Asked, source: str, judges: Sequence[Judge]) -> dict[str, Any]:
    verifiers = [{"check": j.check, "program": j.program, "missing": j.missing} for j in judges]
    return {"source": source, "verifiers": verifiers, "oneVerifier": asked.one_verifier}


def _save(found: _Found, path: Path, say: Say) -> None:
    """Write the logs of the only game.  Raises AuditError where there are several."""
    if len(found.games) != 1:
        raise AuditError(f"--save writes one game, not {len(found.games)}; see --bundle")
    record = records_of(found.bundle).get(found.games[0])
    if record is None:
        raise NoSuchGame(found.games[0])
    path.write_text(dump(record), encoding="utf-8")
    say(f"saved {len(record.events)} logs to {path}")


def _told(nets: Sequence[Path], say: Say) -> CircuitOf:
    circuit_of = circuits_of_nets([net for net in nets if net.suffix != ".onnx"])

    def tell(net_hash: bytes) -> str | None:
        found = circuit_of(net_hash)
        if found is None:
            say(f"the net {net_hash.hex()} is not at hand; name its file by --net")
        return found

    return tell


# ---- where the bundle comes from ----


def _read(asked: Asked, say: Say) -> _Found:
    assert asked.from_bundle is not None
    bundle = read_bundle(asked.from_bundle)
    games = games_of(bundle)
    if not games:
        raise NotABundle(f"{asked.from_bundle} holds no game")
    arena = asked.where[2]
    if arena is not None and arena.lower() != bundle.arena:
        raise AuditError(f"the bundle is of the arena {bundle.arena}, not of {arena}")
    if asked.game is not None:
        wanted = "0x" + asked.game.lower().removeprefix("0x")
        games = [game for game in games if game.startswith(wanted)]
        if len(games) != 1:
            raise NoSuchGame(asked.game)
    say(f"read {len(games)} games of chain {bundle.chain_id} up to block {bundle.head}")
    return _Found(bundle, games, asyncio.run(_compared(asked.further, bundle, say)))


async def _gather(asked: Asked, say: Say) -> _Found:
    from proofs.gather import gather, opened_between
    from server.cli_source import open_chain

    async with open_chain(asked.where, say) as chain:
        say(f"reading the logs from chain {chain.chain_id}, arena {chain.addresses.arena}")
        if asked.game is not None:
            games = [await find_game(chain, asked.game)]
        else:
            assert asked.blocks is not None
            games = await opened_between(chain, *asked.blocks)
        bundle = await gather(chain, games)
    nodes = await _compared(asked.further, bundle, say)
    return _Found(bundle, ["0x" + game.hex() for game in games], nodes)


async def _compared(urls: Sequence[str], bundle: Bundle, say: Say) -> dict[str, list[Disagreement]]:
    """What further nodes say otherwise.  Raises ChainDown."""
    found: dict[str, list[Disagreement]] = {}
    for url in urls:
        say(f"comparing with the node at {shown_url(url)}")
        found[f"node {shown_url(url)}"] = await _asked_node(url, bundle)
    return found


async def _asked_node(url: str, bundle: Bundle) -> list[Disagreement]:
    from proofs.chain import Chain
    from proofs.gather import disagreements
    from proofs.records import Addresses

    chain: Chain = await Chain.connect(url)
    try:
        where = Addresses(chain.chain_id, bundle.arena, bundle.registry)
        return await disagreements(chain.at(where), bundle)
    finally:
        await chain.close()


# ---- bots list ----


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

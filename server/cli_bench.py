"""`checkproof bench`: what things cost, by commands that print one JSON object."""

# ruff: noqa: PLC0415  what a command needs is imported when it runs

from pathlib import Path
from typing import Annotated

import typer

from server.cli_options import DATA, AsJson, Bot, Data, say

app = typer.Typer(help="Measure; one JSON object on stdout.", no_args_is_help=True)


@app.command("prove")
def prove_bench(
    bot: Bot = "pawn",
    n: Annotated[int, typer.Option("-n", help="How many proofs.", min=1)] = 5,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Prove positions of games, one after another; an ezkl bot's are submitted, too."""
    from engine.net import house_nets
    from proofs import bench
    from server.cli_out import print_json

    if bot in house_nets() or bot.endswith(".json"):
        print_json(bench.bench_prove(bot, n, data_dir=data, progress=say))
        return
    from proofs.bench_ezkl import bench_prove_ezkl

    print_json(bench_prove_ezkl(bot, n, data=data, tell=say))


@app.command("peers")
def peers_bench(
    n: Annotated[int, typer.Option("-n", help="How many moves.", min=1)] = 3,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Prove the same moves of the same net by our circuit and by ezkl."""
    from proofs.bench_peers import bench_peers
    from server.cli_out import print_json

    print_json(bench_peers(n, data=data, tell=say))


@app.command("gas")
def gas_bench(bot: Bot = "pawn", data: Data = DATA, _json: AsJson = True) -> None:
    """Play whole games on a fresh local chain, one of them really proven: what each call costs."""
    from proofs import bench_gas
    from server.cli_out import print_json

    print_json(bench_gas.bench_gas(bot, data_dir=data, progress=say))


@app.command("audit")
def audit_bench(
    bot: Bot = "pawn",
    n: Annotated[int, typer.Option("-n", help="How many of the bot's moves.", min=1)] = 20,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Audit a really proven game: moves a second, and each verifier's time for a proof."""
    from proofs.bench_audit import bench_audit
    from server.cli_out import print_json

    print_json(bench_audit(bot, n, data=data, say=say))


@app.command("elo")
def elo_bench(
    *,
    bot: Annotated[
        str, typer.Option(help="A house net, an ONNX bot, or a file.", metavar="NAME|FILE")
    ] = "pawn",
    games: Annotated[int, typer.Option(help="In each pairing; an even number.", min=2)] = 200,
    workers: Annotated[
        int | None, typer.Option(help="Processes that play; else one a core.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Which openings.")] = 1,
    stockfish: Annotated[
        str | None, typer.Option(help="Stockfish's path, if it is not found.", metavar="FILE")
    ] = None,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Measure a bot's strength on a ladder of opponents.  A run that was stopped goes on."""
    from engine.ladder import Options
    from server.bench.figures import cores
    from server.cli_uci import run_elo

    if games % 2:
        raise typer.BadParameter(f"{games} games are no whole number of pairs")
    options = Options(pairs=games // 2, seed=seed, workers=workers or cores())
    run_elo(bot, options=options, stockfish=stockfish, data=data, say=say)


@app.command("nets")
def nets_bench(
    *,
    nets: Annotated[list[str], typer.Argument(help="House nets or net files.")],
    proofs: Annotated[int, typer.Option(help="Proofs of each; 0 makes no key.", min=0)] = 0,
    games: Annotated[int, typer.Option(help="In each pairing; an even number.", min=2)] = 40,
    workers: Annotated[
        int | None, typer.Option(help="Processes that play; else one a core.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Which openings.")] = 1,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Measure nets side by side: constraints, CPU seconds of a proof, strength."""
    from engine.ladder import Options
    from server.bench.figures import cores
    from server.cli_uci import run_nets

    if games % 2:
        raise typer.BadParameter(f"{games} games are no whole number of pairs")
    options = Options(pairs=games // 2, seed=seed, workers=workers or cores())
    run_nets(nets, proofs=proofs, options=options, data=data, say=say)


@app.command("perft")
def perft_bench(
    *,
    file: Annotated[
        Path | None, typer.Option(help="Lines of `FEN ;D1 n ;D2 n ...`; else the project's own.")
    ] = None,
    max_nodes: Annotated[int, typer.Option(help="Leave larger counts out.", min=1)] = 1_000_000,
    _json: AsJson = True,
) -> None:
    """Count lines of legal moves by the contract's rules.  Exit code 3: a count differs."""
    from proofs.bench_perft import bench_perft
    from server.cli_out import print_json

    report = bench_perft(file, max_nodes=max_nodes, progress=say)
    print_json(report)
    raise typer.Exit(3 if report["mismatches"] else 0)


@app.command("rules")
def rules_bench(
    *,
    positions: Annotated[int, typer.Option(help="Compared at so many.", min=1)] = 20_000,
    seed: Annotated[int, typer.Option(help="Which positions.")] = 1,
    _json: AsJson = True,
) -> None:
    """Compare the contract's rules with python-chess, bit for bit.  Exit code 3: they differ."""
    from proofs.bench_rules import bench_rules
    from server.cli_out import print_json

    report = bench_rules(positions, seed=seed, progress=say)
    print_json(report)
    raise typer.Exit(3 if report["mismatches"] else 0)


@app.command("latency")
def latency_bench(
    *,
    bot: Bot = "pawn",
    moves: Annotated[int, typer.Option(help="How many of the bot's moves.", min=1)] = 30,
    workers: Annotated[int, typer.Option(help="Processes that prove.", min=1)] = 1,
    seed: Annotated[int, typer.Option(help="Which random moves are played.")] = 1,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Play over a websocket against a server of its own: seconds until shown, until verified."""
    from server.bench.latency import bench_latency
    from server.cli_out import print_json

    keys = data / "keys"
    print_json(bench_latency(bot, moves, keys=keys, workers=workers, seed=seed, say=say))


@app.command("faults")
def faults_bench(
    *,
    moves: Annotated[int, typer.Option(help="Plies to be played.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Which faults come when.")] = 1,
    games: Annotated[int, typer.Option(help="Played at once.", min=1)] = 3,
    workers: Annotated[int, typer.Option(help="Processes that prove.", min=1)] = 2,
    every: Annotated[int, typer.Option(help="About so many plies between faults.", min=1)] = 5,
    kind: Annotated[list[str] | None, typer.Option(help="Only faults of this kind.")] = None,
    bot: Bot = "pawn",
    keep: Annotated[
        Path | None, typer.Option(help="Leave logs, store and chain in this new folder.")
    ] = None,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Play while processes die, the chain forgets and sockets drop.  Exit code 3: harm was done."""
    from server.bench.faults import Plan, bench_faults
    from server.bench.script import KINDS
    from server.cli_out import print_json

    kinds = tuple(dict.fromkeys(kind or KINDS))
    if unknown := [name for name in kinds if name not in KINDS]:
        raise typer.BadParameter(f"no fault is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    plan = Plan(
        moves,
        seed,
        data / "keys",
        games=games,
        workers=workers,
        every=every,
        kinds=kinds,
        bot=bot,
    )
    outcome = bench_faults(plan, say=say, folder=keep)
    print_json(outcome.as_json(plan))
    raise typer.Exit(0 if outcome.is_good(plan) else 3)


@app.command("load")
def load_bench(
    *,
    bot: Bot = "pawn",
    games: Annotated[int, typer.Option(help="Games at once, one player each.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="For how long is measured.", min=5)] = 120,
    workers: Annotated[
        int | None, typer.Option(help="Processes that prove; else one a core.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Which random moves are played.")] = 1,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Play many games at once against a server of its own: proofs a minute, stalls, memory."""
    from server.bench.figures import cores
    from server.bench.load import bench_load
    from server.cli_out import print_json

    print_json(
        bench_load(
            bot,
            games,
            seconds=seconds,
            keys=data / "keys",
            workers=workers or cores(),
            seed=seed,
            say=say,
        )
    )


@app.command("fanout")
def fanout_bench(
    *,
    bot: Bot = "pawn",
    sockets: Annotated[int, typer.Option(help="Spectators of one game.", min=1)] = 1000,
    moves: Annotated[int, typer.Option(help="The player's, in each of two runs.", min=1)] = 20,
    stalled: Annotated[int, typer.Option(help="Sockets that never read.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Which random moves are played.")] = 1,
    data: Data = DATA,
    _json: AsJson = True,
) -> None:
    """Play before many spectators: how soon they see a move, what a frame costs the server."""
    from server.bench.fanout import bench_fanout
    from server.cli_out import print_json

    keys = data / "keys"
    print_json(
        bench_fanout(bot, sockets, moves=moves, stalled=stalled, keys=keys, seed=seed, say=say)
    )

"""Records what a chain answers about two short games, for the page's own verification.

    python -m tests.web.make_recording

The first game is the player's with White against `pawn`, with real proofs; the second against
a bot that brought a verifier of its own.  `plies` are the bot's moves, with what the Python side
makes of them: the public inputs, and the call that asks a verifier.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from engine.game import Game
from engine.net import house_net
from proofs.abi import load_artifact
from proofs.chain import Chain
from proofs.deploy import ensure_bot
from proofs.prove import Prover
from proofs.records import LogEvent, opening_of
from proofs.statement import Statement, dice, game_seed, next_history
from tests.proofs.chain_scene import PLAYER, SECRET, Scene, opening, scene
from tests.proofs.keys_fixture import dev_store
from tests.proofs.real_game import RealGame

FILE: Final = Path(__file__).parents[1] / "golden" / "check.json"
HOUSE: Final = ("e4", "Nf3")
CUSTOM: Final = "f3 e5 g4 Qh4#"


async def record(folder: Path) -> dict[str, Any]:
    """The recording, made anew on a chain of its own in `folder`."""
    async with scene(folder) as ground:
        chain = ground.chain
        house, custom = await _house(ground), await ground.open()
        await custom.play(CUSTOM)
        games = {
            "house": await _game(chain, house.id),
            "custom": await _game(chain, custom.id),
        }
        domain = {"chainId": chain.chain_id, "arena": chain.addresses.arena}
        return {"domain": domain, "games": games, **await _contracts(chain)}


async def _house(ground: Scene) -> RealGame:
    _, key = dev_store()
    chain, prover = ground.chain, Prover(house_net("pawn"), key)
    bot = await ensure_bot(chain, prover.circuit.net, key, '{"name": "pawn"}')
    message = opening(bot.id)
    await chain.open_game(message, message.sign(chain.domain, PLAYER), SECRET)
    game = RealGame(chain, prover, message)
    for san in HOUSE:
        await game.player(san)
        await game.pawn()
    return game


async def _game(chain: Chain, game: bytes) -> dict[str, Any]:
    logs = await chain.logs(game)
    question = {
        "address": chain.addresses.arena,
        "topics": [None, "0x" + game.hex()],
        "fromBlock": "0x0",
        "toBlock": "latest",
    }
    return {
        "game": "0x" + game.hex(),
        "openTx": logs[0].tx,
        "openBlock": hex(logs[0].block),
        "logs": [_short(raw) for raw in await chain.rpc.ask("eth_getLogs", question)],
        "plies": _plies(logs),
    }


def _short(raw: dict[str, Any]) -> dict[str, Any]:
    kept = ("address", "topics", "data", "blockNumber", "logIndex", "transactionHash")
    return {name: raw[name] for name in kept}


def _plies(logs: list[LogEvent]) -> list[dict[str, Any]]:
    """What each bot move's proof is about."""
    start = opening_of(logs[0])
    seed, history, game = game_seed(start.secret, start.open.seed), start.game, Game()
    verifier = load_artifact("IMoveVerifier")
    plies = []
    for log in logs[1:]:
        if log.name == "BotMoved":
            index, payee = log.args["index"], int(log.args["payee"], 16)
            roll = dice(seed, game.ply, history)
            said = Statement.of(game.position, game.mask, index, payee=payee, dice=roll)
            proof = bytes.fromhex(log.args["proof"][2:])
            plies.append(
                {
                    "ply": game.ply,
                    "limbs": [hex(limb) for limb in said.limbs],
                    "call": "0x" + verifier.call("verifyMove", _struct(said), proof).hex(),
                }
            )
        if log.name in ("BotMoved", "PlayerMoved"):
            game.play(log.args["index"])
            history = next_history(history, log.args["index"])
    return plies


def _struct(said: Statement) -> tuple[Any, ...]:
    masks = [said.mask >> 256 * k & (1 << 256) - 1 for k in range(8)]
    return (said.board, said.context, f"0x{said.payee:040x}", said.dice, said.index, masks)


async def _contracts(chain: Chain) -> dict[str, Any]:
    """Calls by receiver and data, and the code at each address."""
    arena, registry = chain.addresses.arena, chain.addresses.registry
    calls, codes = {}, {}

    async def ask(to: str, data: bytes) -> str:
        call = {"to": to, "data": "0x" + data.hex()}
        calls[f"{to} {call['data']}"] = answer = await chain.rpc.ask("eth_call", call, "latest")
        return str(answer)

    await ask(arena, load_artifact("Arena").call("registry"))
    for bot in await chain.bots():
        await ask(registry, load_artifact("BotRegistry").call("bot", bot.id))
        codes[bot.verifier] = await chain.rpc.ask("eth_getCode", bot.verifier, "latest")
        if not bot.custom:
            stored = await ask(bot.verifier, load_artifact("Groth16MoveVerifier").call("keyStore"))
            store = "0x" + stored[26:]
            codes[store] = await chain.rpc.ask("eth_getCode", store, "latest")
    return {"calls": calls, "codes": codes}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = asyncio.run(record(Path(folder)))
    FILE.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()

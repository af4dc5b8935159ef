"""A stranger proves a house bot's move for a fee, by the commands that a person would type."""

import asyncio
from pathlib import Path

from engine.net import house_net
from proofs.deploy import ensure_bot
from proofs.sender import LOCAL_KEY
from server.house import metadata
from tests.command import Ran, run
from tests.proofs.chain_scene import opening, scene
from tests.proofs.keys_fixture import dev_store

STRANGER = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
STRANGERS_ADDRESS = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"


async def test_strangerProves_isPaid_andTheGameAudits(tmp_path: Path) -> None:
    store, record = dev_store("pawn")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys").symlink_to(store.root)
    async with scene(tmp_path) as ground:
        chain = ground.chain
        pawn = await ensure_bot(chain, house_net("pawn"), record, metadata("pawn"))
        live = await ground.open(opening(pawn.id))
        await live.player("e4")
        game = "0x" + live.id.hex()
        where = ("--rpc", ground.node.url, "--arena", chain.addresses.arena)

        async def command(*words: str | Path, key: str = LOCAL_KEY) -> Ran:
            ran = await asyncio.to_thread(
                run, *words, *where, "--data", tmp_path / "data", CHECKPROOF_KEY=key
            )
            assert ran.code == 0, ran.err
            return ran

        purse = ("--purse", (await command("purse", "deploy")).out.strip())
        caps = ("--per-player", "1gwei", "--per-day", "0.001eth")
        await command("purse", "terms", "pawn", "--fee", "500", *caps, *purse)
        funded = await command("purse", "fund", "pawn", "2gwei", *purse, key=STRANGER)
        assert funded.out.startswith(f"bot 0x{pawn.id.hex()}: landed in 0x")

        proving = ("prove", "--game", game, *purse, "--least-fee", "500")
        proven = await command(*proving, key=STRANGER)
        assert proven.out == "1 move proven and verified\n"
        assert "500 wei earned" in proven.err
        told = (await command("purse", "show", "--payee", STRANGERS_ADDRESS, *purse, "--json")).json
        assert told["owed"] == {STRANGERS_ADDRESS: "500"}
        (bot,) = told["bots"]
        assert (bot["name"], bot["balance"], bot["paidToday"]) == ("pawn", "1999999500", "500")

        before = await chain.balance(STRANGERS_ADDRESS)
        claimed = await command("purse", "claim", *purse, "--payee", STRANGERS_ADDRESS)
        assert claimed.out.startswith("500 wei sent in 0x")
        assert await chain.balance(STRANGERS_ADDRESS) == before + 500
        audited = await command("audit", game, "--one-verifier", "--json")
        assert audited.json["exitCode"] == 0

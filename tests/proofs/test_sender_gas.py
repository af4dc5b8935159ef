"""How a transaction's gas limit is found: estimated once a function, then only tried."""

from pathlib import Path
from typing import Any

import pytest

from proofs.chain import Chain
from proofs.errors import ChainRejected
from tests.proofs.chain_scene import scene


def listen(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that the chain asks its node from now on."""
    asked: list[str] = []
    ask = chain.rpc.ask

    async def listening(method: str, *params: Any) -> Any:
        asked.append(method)
        return await ask(method, *params)

    monkeypatch.setattr(chain.rpc, "ask", listening)
    return asked


async def test_send_estimatesAFunctionOnce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(tmp_path) as setting:
        game = await setting.open()
        asked = listen(setting.chain, monkeypatch)
        await game.play("e4 e5 Nf3 Nc6 Bc4 Nf6")
        assert asked.count("eth_estimateGas") == 2  # the player's function and the bot's
        asked.clear()
        await game.play("O-O")
        assert asked.count("eth_estimateGas") == 0


async def test_send_estimatesAgainWhatNeedsMore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as setting:
        game = await setting.open()
        await game.play("e4 e5")
        sender = setting.chain._key
        sender._limits = dict.fromkeys(sender._limits, 30_000)
        asked = listen(setting.chain, monkeypatch)
        await game.play("Nf3")
        assert asked.count("eth_estimateGas") == 1
        assert min(sender._limits.values()) == 30_000  # the bot's is not known better yet
        assert max(sender._limits.values()) > 30_000


async def test_send_failsWithTheReasonThoughALimitIsKnown(tmp_path: Path) -> None:
    async with scene(tmp_path) as setting:
        game = await setting.open()
        await game.play("e4 e5 Nf3")
        before = await setting.chain.block_number()
        with pytest.raises(ChainRejected, match="StalePly"):
            await setting.chain.move(game.id, 0, 1, game.signed(1))
        assert await setting.chain.block_number() == before  # nothing was paid for it

"""`purse`: what a person reads, and the line that says why not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import chess
import pytest
import typer

from proofs.records import BotVersion
from proofs.sender import LOCAL_KEY
from server.errors import NoSuchVersion
from server.house import metadata
from server.money import account, shown, wei
from server.purses import version_of
from tests.command import Ran, run
from tests.proofs.chain_scene import scene

OTHER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"


@dataclass(frozen=True)
class Ground:
    where: tuple[str, ...]
    bot: str
    purse: tuple[str, str]

    async def run(self, *words: str, key: str | None = LOCAL_KEY) -> Ran:
        own = {} if key is None else {"CHECKPROOF_KEY": key}
        return await asyncio.to_thread(run, "purse", *words, *self.where, *self.purse, **own)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with scene(tmp_path) as made:
        # a node of this machine, and a folder that knows its contracts: no key need be named
        where = ("--data", str(tmp_path))
        ran = await asyncio.to_thread(run, "purse", "deploy", *where)
        assert ran.code == 0, ran.err
        yield Ground(where, "0x" + made.yes.hex(), ("--purse", ran.out.strip()))


async def test_purse_isRunWithoutAKeyOnALocalChain(ground: Ground) -> None:
    caps = ("--per-player", "0.02eth", "--per-day", "1eth")
    for words in (
        ("terms", ground.bot, "--fee", "20000gwei", *caps),
        ("fund", ground.bot, "3eth"),
        ("withdraw", ground.bot, "1eth", "--to", "0x" + "ab" * 20),
    ):
        ran = await ground.run(*words, key=None)
        assert ran.code == 0, ran.err
        assert ran.out.startswith(f"bot {ground.bot}: landed in 0x")
    ran = await ground.run("show", "--payee", "0x" + "CD" * 20, key=None)
    assert ran.code == 0, ran.err
    for part in (ground.bot[:10], "20000 gwei", "0.02 ETH", "1 ETH", "2 ETH", "0 wei"):
        assert part in ran.out
    assert f"0 wei owed to 0x{'cd' * 20}" in ran.out


async def test_purse_saysInALineWhyNot(ground: Ground) -> None:
    caps = ("--fee", "1", "--per-player", "1", "--per-day", "1")
    empty = await ground.run("show")
    assert (empty.code, empty.err) == (0, "no bot pays here, and none has money here\n")
    for words, key, why in (
        (("terms", ground.bot, *caps), OTHER_KEY, "NotTheOwner"),
        (("withdraw", ground.bot, "1", "--to", "0x" + "00" * 20), LOCAL_KEY, "PurseTooSmall"),
        (("fund", "0x00000000", "1"), LOCAL_KEY, "no bot on this chain is called"),
        (("claim",), OTHER_KEY, "NothingOwed"),
    ):
        ran = await ground.run(*words, key=key)
        assert ran.code == 1
        assert why in ran.err
        assert ran.err.count("\n") == 1


async def test_purse_atAnotherAddress_isRefused(ground: Ground) -> None:
    elsewhere = replace(ground, purse=("--purse", "0x" + "12" * 20))
    ran = await elsewhere.run("fund", ground.bot, "1")
    assert (ran.code, "there is no purse of this version" in ran.err) == (1, True)


@pytest.mark.parametrize("words", [("--purse", "0x" + "12" * 20), ("--least-fee", "1")])
def test_prove_failsIfNothingCouldBeEarned(words: tuple[str, str]) -> None:
    ran = run("prove", chess.STARTING_FEN, *words)
    assert ran.code == 2
    assert "needs" in ran.err


def test_terms_failIfTheyAreTooLarge() -> None:
    huge = f"{1 << 80}"
    caps = ("--fee", huge, "--per-player", "1", "--per-day", "1")
    ran = run("purse", "terms", "pawn", *caps, "--purse", "0x" + "12" * 20)
    assert ran.code == 2
    assert "more than" in ran.err


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1000", 1_000),
        ("7 wei", 7),
        ("1.5gwei", 1_500_000_000),
        ("0.01ETH", 10**16),
        ("2.50 gwei", 2_500_000_000),
        ("123456789012.123456789123456789eth", 123456789012_123456789123456789),
    ],
)
def test_wei_readsASumExactly(text: str, amount: int) -> None:
    assert wei(text) == amount
    assert wei(shown(amount)) == amount


@pytest.mark.parametrize("text", ["", "1.5", "-1", "0x10", "1e9", "0.1wei", "1 btc", "٣", "1."])
def test_wei_failsIfItIsNoSum(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no sum"):
        wei(text)


def test_shown_isShort() -> None:
    assert [shown(n) for n in (0, 999_999, 10**6, 10**15, 3 * 10**18)] == [
        *("0 wei", "999999 wei", "0.001 gwei", "0.001 ETH", "3 ETH")
    ]


def test_account_failsIfItIsNoAddress() -> None:
    assert account("0x" + "AB" * 20) == "0x" + "ab" * 20
    with pytest.raises(typer.BadParameter, match="is no address"):
        account("0x12")


def version(id_: bytes, name: str) -> BotVersion:
    return BotVersion(*(id_, "0x", b"", b"", b"", b"", "0x", True, metadata(name), b"", 0))


def test_version_isMeantByNameOrId() -> None:
    bots = [version(b"\xab" * 32, "pawn"), version(b"\xcd" * 32, "rook")]
    assert version_of(bots, "rook") is bots[1]
    assert version_of(bots, "0xabab") is bots[0]
    twice = [*bots, version(b"\xab\xcd" * 16, "pawn")]
    for asked, count in (("pawn", 2), ("0xabab", 1), ("0xab", 0), ("queen", 0)):
        if count == 1:
            assert version_of(twice, asked) is bots[0]
            continue
        with pytest.raises(NoSuchVersion) as refused:
            version_of(twice, asked)
        assert len(refused.value.found) == count

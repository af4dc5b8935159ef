"""Proving for a fee: the chain and the purse are real, the bot's verifier says yes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proofs.abi import load_artifact
from proofs.chain import Chain
from proofs.errors import ChainRejected, NotWorthProving, WrongChain
from proofs.open_prover import Fees, prove_game
from proofs.purse import Account, Purse, Terms
from proofs.records import Addresses
from tests.proofs.chain_scene import Live, Scene, scene
from tests.proofs.test_open_prover import First

TERMS = Terms(fee=500, per_player=1_000, per_day=10_000)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


@pytest.fixture
async def purse(ground: Scene) -> Purse:
    """With money and terms for the yes bot."""
    made = await Purse.deploy(ground.chain)
    await made.deposit(ground.yes, 1_200)
    await made.set_terms(ground.yes, TERMS)
    return made


async def prove(chain: Chain, live: Live, fees: Fees) -> tuple[int, list[str]]:
    said: list[str] = []
    brought = await prove_game(
        chain, live.id, lambda _bot: First(), watch=False, tell=said.append, fees=fees
    )
    return brought, said


async def test_prover_earnsTheFee(ground: Scene, purse: Purse) -> None:
    live = await ground.open()
    await live.player("e4")
    brought, said = await prove(ground.chain, live, Fees(purse, 500))
    assert brought == 1
    assert said[-1].endswith(", 500 wei earned")
    assert (await ground.chain.game(live.id)).ply == 2
    assert await purse.owed(ground.chain.address) == 500
    assert await purse.account(ground.yes) == Account(TERMS, 700, 500)


async def test_prover_goesOnForNothing(ground: Scene, purse: Purse) -> None:
    await purse.withdraw(ground.yes, 1_200, ground.chain.address)
    live = await ground.open()
    await live.player("e4")
    brought, said = await prove(ground.chain, live, Fees(purse))
    assert (brought, said[-1].endswith(", 0 wei earned")) == (1, True)


async def test_prover_stopsBeforeItProvesForLess(ground: Scene, purse: Purse) -> None:
    live = await ground.open()
    await live.player("e4")
    with pytest.raises(NotWorthProving, match="ply 1 would earn 500 wei now, less than 501"):
        await prove(ground.chain, live, Fees(purse, 501))
    assert (await ground.chain.game(live.id)).ply == 1


async def test_prover_isNotCheatedByALowerFee(ground: Scene, purse: Purse) -> None:
    """The owner lowers it while the proof is made."""
    live = await ground.open()
    await live.player("e4")

    class Late(Purse):
        async def fee_now(self, bot: bytes, side: bytes) -> int:
            before = await super().fee_now(bot, side)
            await self.set_terms(bot, Terms(1, 1_000, 10_000))
            return before

    with pytest.raises(ChainRejected, match="FeeTooLow"):
        await prove(ground.chain, live, Fees(Late(ground.chain, purse.address), 500))


async def test_prover_seesThatSomebodyElseWasFaster(ground: Scene, purse: Purse) -> None:
    live = await ground.open()
    await live.player("e4")

    class Late(Purse):
        async def fee_now(self, bot: bytes, side: bytes) -> int:
            await live.bot("e5")
            return await super().fee_now(bot, side)

    brought, said = await prove(ground.chain, live, Fees(Late(ground.chain, purse.address)))
    assert (brought, said[-1]) == (0, "ply 1: somebody else was faster")


async def test_claim_sendsWhatIsOwed(ground: Scene, purse: Purse) -> None:
    live, payee = await ground.open(), "0x" + "ab" * 20
    await live.player("e4")
    index = live.index("e5")
    _, fee = await purse.submit(live.id, 1, index, int(payee, 16), b"any")
    await purse.claim(payee)
    assert fee == await ground.chain.balance(payee) == 500
    with pytest.raises(ChainRejected, match="NothingOwed"):
        await purse.claim(payee)


async def test_equalDeposits_areTwo(ground: Scene, purse: Purse) -> None:
    for _ in range(2):
        await purse.deposit(ground.yes, 7)
    assert (await purse.account(ground.yes)).balance == 1_214


async def test_at_takesOurCodeForThisArenaOnly(ground: Scene, purse: Purse) -> None:
    chain = ground.chain
    found = await Purse.at(chain, purse.address.upper().replace("0X", "0x"))
    assert found.address == purse.address
    for other in (chain.addresses.arena, "0x" + "12" * 20):
        with pytest.raises(WrongChain, match="there is no purse"):
            await Purse.at(chain, other)
    second = await chain.deploy(load_artifact("Arena"), chain.addresses.registry)
    assert second.contract is not None
    elsewhere = chain.at(Addresses(chain.chain_id, second.contract, chain.addresses.registry))
    with pytest.raises(WrongChain, match="there is no purse"):
        await Purse.at(elsewhere, purse.address)

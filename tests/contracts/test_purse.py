"""Fees for proven moves: who gets them, what limits them, and that no money is made or lost."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

import pytest

from proofs.signing import player_side
from tests.contracts.ground import Contract, Receipt, Reverted
from tests.contracts.scene import PAYEE, Live, Scene, address

FEE: Final = 1_000
PLENTY: Final = 10**9
DAY: Final = 86_400
OWNER, GIVER, STRANGER = 0, 1, 2
"""Accounts of the node; the first registered the bots."""


@dataclass(frozen=True)
class Purse:
    contract: Contract
    scene: Scene

    def deposit(self, amount: int, *, bot: bytes | None = None) -> Receipt:
        return self.contract.send("deposit", bot or self.scene.yes, sender=GIVER, value=amount)

    def terms(
        self,
        fee: int = FEE,
        *,
        per_player: int = PLENTY,
        per_day: int = PLENTY,
        bot: bytes | None = None,
        sender: int = OWNER,
    ) -> Receipt:
        terms = (fee, per_player, per_day)
        return self.contract.send("setTerms", bot or self.scene.yes, terms, sender=sender)

    def submit(
        self,
        live: Live,
        san: str,
        *,
        payee: int = PAYEE,
        proof: bytes = b"any",
        least: int = 0,
        sender: int = STRANGER,
    ) -> Receipt:
        """Bring a bot's move through the purse, and follow it."""
        index = live.index(san)
        receipt = self.contract.send(
            "submit", live.id, live.ply, index, address(payee), proof, least, sender=sender
        )
        live.follow(index)
        return receipt

    def owed(self, payee: int = PAYEE) -> int:
        found: int = self.contract.call("owed", address(payee))
        return found

    def of(self, bot: bytes | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.contract.call("purse", bot or self.scene.yes)
        return found

    @property
    def balance(self) -> int:
        found: int = self.of()["balance"]
        return found

    @property
    def held(self) -> int:
        """What the contract really has."""
        return wealth(self.scene, self.contract.address)


def wealth(scene: Scene, account: str) -> int:
    return int(scene.node.ask("eth_getBalance", account, "latest"), 16)


@pytest.fixture
def purse(scene: Scene) -> Purse:
    return Purse(Contract.deploy(scene.node, "ProofPurse", scene.arena.address), scene)


@pytest.fixture
def full(purse: Purse) -> Purse:
    """With money and terms for the yes bot."""
    purse.deposit(100 * FEE)
    purse.terms()
    return purse


@pytest.fixture
def live(scene: Scene) -> Live:
    """A game in which the yes bot owes its first move."""
    game = scene.open()
    game.play("e4")
    return game


def receiver(purse: Purse, *, takes: bool, target: str = address(0), data: bytes = b"") -> Contract:
    made = Contract.deploy(purse.scene.node, "FickleReceiver")
    made.send("set", takes, target, data)
    return made


# ---- what a move earns ----


def test_submit_playsTheMoveAndCreditsThePayee(full: Purse, live: Live) -> None:
    receipt = full.submit(live, "e5")
    assert receipt.names == ["BotMoved", "MovePaid"]
    paid = receipt.event("MovePaid")
    assert (paid["payee"], paid["ply"], paid["fee"]) == (address(PAYEE), 1, FEE)
    assert (paid["bot"], paid["game"]) == ("0x" + full.scene.yes.hex(), "0x" + live.id.hex())
    assert receipt.event("BotMoved")["payee"] == address(PAYEE)
    assert live.state["ply"] == 2
    assert (full.owed(), full.balance) == (FEE, 99 * FEE)
    assert full.of()["paidToday"] == FEE


def test_submit_paysForARealProofAndItsPayeeOnly(purse: Purse, scene: Scene) -> None:
    """The house bot's verifier binds the payee: a thief with the proof has to name him."""
    purse.deposit(10 * FEE, bot=scene.house)
    purse.terms(bot=scene.house)
    live = scene.open(black=scene.house)
    live.play("e4")
    proof = live.proof(live.index("e5"))
    with pytest.raises(Reverted, match="ProofRejected"):
        purse.submit(live, "e5", payee=PAYEE ^ 1, proof=proof)
    assert purse.owed(PAYEE ^ 1) == 0
    purse.submit(live, "e5", proof=proof)
    assert purse.owed() == FEE


def test_submit_paysTheBotThatMovesWhicheverItsColour(full: Purse, scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side(), nonce=2)
    full.submit(live, "d4")
    assert full.contract.call("paidAgainst", scene.yes, scene.player_side()) == FEE
    assert full.owed() == FEE


def test_submit_failsAndPaysNothingIfTheArenaRefuses(full: Purse, live: Live) -> None:
    with pytest.raises(Reverted, match="StalePly"):
        full.contract.send("submit", live.id, 3, 0, address(PAYEE), b"", 0)
    with pytest.raises(Reverted, match="IllegalMove"):
        full.contract.send("submit", live.id, 1, 0, address(PAYEE), b"", 0)
    with pytest.raises(Reverted, match="GameUnknown"):
        full.contract.send("submit", bytes(32), 1, 0, address(PAYEE), b"", 0)
    assert (full.owed(), full.balance) == (0, 100 * FEE)


def test_submit_paysAMoveOnce(full: Purse, live: Live) -> None:
    index = live.index("e5")
    full.submit(live, "e5")
    with pytest.raises(Reverted, match="StalePly"):
        full.contract.send("submit", live.id, 1, index, address(PAYEE), b"any", 0)
    with pytest.raises(Reverted, match="NotBotsTurn"):
        full.contract.send("submit", live.id, 2, index, address(PAYEE), b"any", 0)
    assert full.owed() == FEE


def test_submit_goesOnIfThePurseIsEmpty(purse: Purse, live: Live) -> None:
    purse.terms()
    purse.deposit(FEE - 1)
    assert purse.submit(live, "e5").names == ["BotMoved"]
    assert (purse.owed(), purse.balance) == (0, FEE - 1)


def test_submit_paysAllThatIsThere(purse: Purse, live: Live) -> None:
    purse.terms()
    purse.deposit(FEE)
    purse.submit(live, "e5")
    assert (purse.owed(), purse.balance) == (FEE, 0)


def test_submit_goesOnWithoutTerms(purse: Purse, live: Live) -> None:
    purse.deposit(FEE)
    purse.submit(live, "e5")
    assert (purse.owed(), purse.balance) == (0, FEE)


def test_submit_paysNobodyIfNobodyIsNamed(full: Purse, live: Live) -> None:
    full.submit(live, "e5", payee=0)
    assert (full.owed(0), full.balance) == (0, 100 * FEE)


def test_submit_failsIfTheFeeWasLoweredMeanwhile(full: Purse, live: Live) -> None:
    full.terms(FEE - 1)
    with pytest.raises(Reverted, match="FeeTooLow") as refused:
        full.submit(live, "e5", least=FEE)
    assert refused.value.values == {"fee": FEE - 1, "least": FEE}
    assert live.state["ply"] == 1
    full.submit(live, "e5", least=FEE - 1)
    assert full.owed() == FEE - 1


def test_submit_answersWithWhatIsEarned(full: Purse, live: Live) -> None:
    move = (live.id, 1, live.index("e5"), address(PAYEE), b"any", 0)
    assert full.contract.call("submit", *move) == FEE
    full.terms(0)
    assert full.contract.call("submit", *move) == 0


def test_aMoveBroughtToTheArenaEarnsNothing(full: Purse, live: Live) -> None:
    live.play("e5")
    assert (full.owed(), full.balance) == (0, 100 * FEE)


def test_submit_costsLittleMoreThanTheArena(full: Purse, live: Live) -> None:
    index = live.index("e5")
    snapshot = full.scene.node.snapshot()
    direct = live.send_bot_move(index, b"any").gas
    full.scene.node.revert(snapshot)
    assert full.submit(live, "e5").gas - direct < 120_000
    live.play("Nf3")
    again = full.submit(live, "Nc6")
    live.play("Ng1")
    assert again.gas - direct < 60_000


# ---- caps ----


def test_caps_holdForOnePlayer(full: Purse, live: Live, scene: Scene) -> None:
    """Also over several games, and a colour more."""
    full.terms(per_player=2 * FEE)
    other = scene.open(white=scene.yes, black=scene.player_side(), nonce=2)
    full.submit(live, "e5")
    full.submit(other, "d4")
    live.play("Nf3")
    assert full.contract.call("feeNow", scene.yes, scene.player_side()) == 0
    full.submit(live, "Nc6")
    assert full.owed() == 2 * FEE
    stranger = player_side(address(0x77))
    assert full.contract.call("feeNow", scene.yes, stranger) == FEE


def test_caps_holdForADayHoweverManyPlayers(full: Purse, scene: Scene) -> None:
    full.terms(per_day=2 * FEE)
    for n in range(3):
        fresh = player_side(address(0x1000 + n))
        full.submit(scene.open(white=scene.yes, black=fresh, nonce=10 + n), "e4")
    assert full.owed() == 2 * FEE
    assert full.of()["paidToday"] == 2 * FEE


def test_caps_areWholeAgainTheNextDay(full: Purse, live: Live) -> None:
    node = full.scene.node
    full.terms(per_player=FEE, per_day=FEE)
    midnight = (node.now // DAY + 1) * DAY
    node.next_block_at(midnight - 2)
    full.submit(live, "e5")
    node.next_block_at(midnight - 1)
    live.play("Nf3")
    node.next_block_at(midnight)
    full.submit(live, "Nc6")
    assert full.owed() == 2 * FEE
    assert full.of()["paidToday"] == FEE


def test_caps_holdFromMorningToEvening(full: Purse, live: Live) -> None:
    node = full.scene.node
    full.terms(per_day=FEE)
    morning = (node.now // DAY + 1) * DAY
    node.next_block_at(morning)
    full.submit(live, "e5")
    live.play("Nf3")
    node.next_block_at(morning + DAY - 1)
    full.submit(live, "Nc6")
    assert full.owed() == FEE


def test_caps_areNotPassedByAFeeInBetween(full: Purse, live: Live) -> None:
    full.terms(per_day=FEE + 1)
    full.submit(live, "e5")
    live.play("Nf3")
    full.submit(live, "Nc6")
    full.terms(1, per_day=FEE + 1)
    live.play("Ng1")
    full.submit(live, "Nb8")
    assert full.owed() == FEE + 1


def test_caps_holdBetweenBots(full: Purse, scene: Scene) -> None:
    """A bot that plays itself pays itself no more than any other player."""
    full.terms(per_player=FEE)
    live = scene.open(white=scene.yes, black=scene.yes)
    for san in ("e4", "e5", "Nf3"):
        full.submit(live, san)
    assert full.owed() == FEE
    other = scene.open(white=scene.yes, black=scene.house, nonce=3)
    full.submit(other, "e4")
    assert full.owed() == 2 * FEE


# ---- money in and out ----


def test_deposit_failsForABotThatIsNotThere(purse: Purse) -> None:
    with pytest.raises(Reverted, match="UnknownBot"):
        purse.deposit(1, bot=b"\x01" * 32)
    assert purse.held == 0


def test_deposit_isOfOneBotOnly(purse: Purse) -> None:
    given = purse.deposit(7).event("Deposited")
    assert given["amount"] == 7
    assert given["from"] == purse.scene.node.accounts[GIVER].lower()
    assert (purse.balance, purse.of(purse.scene.house)["balance"]) == (7, 0)


def test_purse_takesNoMoneyWithoutABot(purse: Purse) -> None:
    sent = {"from": purse.scene.node.accounts[0], "to": purse.contract.address, "value": "0x1"}
    hash_ = purse.scene.node.ask("eth_sendTransaction", {**sent, "gas": "0x186a0"})
    assert purse.scene.node.mined(hash_)["status"] == "0x0"


def test_owner_aloneSetsTermsAndWithdraws(full: Purse) -> None:
    said = full.terms().event("TermsSet")
    assert (said["fee"], said["perPlayer"], said["perDay"]) == (FEE, PLENTY, PLENTY)
    with pytest.raises(Reverted, match="NotTheOwner"):
        full.terms(5, sender=STRANGER)
    with pytest.raises(Reverted, match="NotTheOwner"):
        full.contract.send("withdraw", full.scene.yes, 1, address(PAYEE), sender=GIVER)
    with pytest.raises(Reverted, match="UnknownBot"):
        full.terms(bot=b"\x01" * 32)
    assert full.of()["terms"] == {"fee": FEE, "perPlayer": PLENTY, "perDay": PLENTY}


def test_withdraw_leavesWhatIsOwed(full: Purse, live: Live) -> None:
    full.submit(live, "e5")
    with pytest.raises(Reverted, match="PurseTooSmall"):
        full.contract.send("withdraw", full.scene.yes, 100 * FEE, address(1 << 100))
    taken = full.contract.send("withdraw", full.scene.yes, 99 * FEE, address(1 << 100))
    assert taken.event("Withdrawn") == {
        "bot": "0x" + full.scene.yes.hex(),
        "to": address(1 << 100),
        "amount": 99 * FEE,
    }
    assert wealth(full.scene, address(1 << 100)) == 99 * FEE
    assert (full.balance, full.owed(), full.held) == (0, FEE, FEE)
    full.contract.send("claim", address(PAYEE), sender=STRANGER)
    assert wealth(full.scene, address(PAYEE)) == FEE
    assert full.held == 0


def test_withdraw_failsIfTheReceiverRefuses(full: Purse) -> None:
    hard = receiver(full, takes=False)
    with pytest.raises(Reverted, match="PaymentRefused"):
        full.contract.send("withdraw", full.scene.yes, 1, hard.address)
    assert full.balance == full.held == 100 * FEE


def test_claim_failsIfNothingIsOwed(full: Purse) -> None:
    with pytest.raises(Reverted, match="NothingOwed"):
        full.contract.send("claim", address(PAYEE))


def test_payeeThatRefusesMoney_stopsNoGameAndKeepsItsClaim(full: Purse, live: Live) -> None:
    hard = receiver(full, takes=False)
    full.submit(live, "e5", payee=int(hard.address, 16))
    assert live.state["ply"] == 2
    with pytest.raises(Reverted, match="PaymentRefused"):
        full.contract.send("claim", hard.address)
    assert full.owed(int(hard.address, 16)) == FEE
    hard.send("set", True, address(0), b"")
    assert full.contract.send("claim", hard.address).event("Claimed")["amount"] == FEE
    assert wealth(full.scene, hard.address) == FEE


def test_payeeThatCallsBack_getsNothingTwice(full: Purse, live: Live) -> None:
    full.submit(live, "e5", payee=PAYEE ^ 1)  # somebody else's money lies there too
    live.play("Nf3")
    thief = Contract.deploy(full.scene.node, "FickleReceiver")
    again = full.contract.artifact.call("claim", thief.address)
    thief.send("set", True, full.contract.address, again)
    full.submit(live, "Nc6", payee=int(thief.address, 16))
    full.contract.send("claim", thief.address)
    assert not thief.call("succeeded")
    assert wealth(full.scene, thief.address) == FEE
    assert full.held == full.balance + full.owed(PAYEE ^ 1)


def test_ownerThatCallsBackWhileItWithdraws_getsNothingTwice(full: Purse, scene: Scene) -> None:
    """The owner's contract withdraws a bot of its own, and again while it is paid."""
    greedy = Contract.deploy(scene.node, "FickleReceiver")
    bot = owned_by(greedy, scene)
    full.deposit(5 * FEE, bot=bot)
    full.deposit(5 * FEE)
    call = full.contract.artifact.call("withdraw", bot, 5 * FEE, greedy.address)
    greedy.send("set", True, full.contract.address, call)
    before = full.held
    greedy.send("poke")
    assert not greedy.call("succeeded")
    assert (full.of(bot)["balance"], full.held) == (0, before - 5 * FEE)


def owned_by(owner: Contract, scene: Scene) -> bytes:
    """A bot that a contract registered."""
    yes = scene.registry.call("bot", scene.yes)
    words = (b"\x01" * 32, b"\x02" * 32, bytes(32))
    statement = bytes.fromhex(yes["statement"][2:])
    call = scene.registry.artifact.call(
        "registerCustom", *words, statement, yes["verifier"], "its own"
    )
    owner.send("set", True, scene.registry.address, call)
    return bytes.fromhex(owner.send("poke").event("BotRegistered")["id"][2:])


class Books:
    """Steps of anybody in any order, and what they must leave behind."""

    payees: Final = (PAYEE, PAYEE ^ 1, PAYEE ^ 2)
    out: Final = address(1 << 101)
    shuffle: Final = ("Nf3", "Nf6", "Ng1", "Ng8")

    def __init__(self, purse: Purse, seed: int) -> None:
        self.purse, self.scene = purse, purse.scene
        self.chance = Random(seed)
        self.given = self.earned = 0
        self.games = 0
        self.live = self.open()

    def open(self) -> Live:
        self.games += 1
        yes = self.scene.yes
        return self.scene.open(white=yes, black=yes, nonce=1000 + self.games)

    def step(self) -> None:
        bot = self.chance.choice((self.scene.yes, self.scene.yes, self.scene.house))
        steps = (self.deposit, self.set_terms, self.withdraw, self.claim, self.move, self.move)
        self.chance.choice(steps)(bot)

    def deposit(self, bot: bytes) -> None:
        amount = self.chance.randrange(4 * FEE)
        self.purse.deposit(amount, bot=bot)
        self.given += amount

    def set_terms(self, bot: bytes) -> None:
        cap = self.chance.randrange(30 * FEE)
        self.purse.terms(self.chance.randrange(2 * FEE), per_player=cap, bot=bot)

    def withdraw(self, bot: bytes) -> None:
        amount, has = self.chance.randrange(3 * FEE), self.purse.of(bot)["balance"]
        wanted = ("withdraw", bot, amount, self.out)
        if amount > has:
            with pytest.raises(Reverted, match="PurseTooSmall"):
                self.purse.contract.send(*wanted)
        else:
            self.purse.contract.send(*wanted)

    def claim(self, _bot: bytes) -> None:
        payee = self.chance.choice(self.payees)
        if self.purse.owed(payee):
            self.purse.contract.send("claim", address(payee))

    def move(self, _bot: bytes) -> None:
        if self.live.ply >= 12:
            self.live = self.open()
        payee, san = self.chance.choice(self.payees), self.shuffle[self.live.ply % 4]
        yes = self.scene.yes
        quoted, before = self.purse.contract.call("feeNow", yes, yes), self.purse.owed(payee)
        self.purse.submit(self.live, san, payee=payee, least=quoted)
        assert self.purse.owed(payee) == before + quoted
        self.earned += quoted

    def check(self) -> None:
        kept = sum(self.purse.of(bot)["balance"] for bot in (self.scene.yes, self.scene.house))
        owed = sum(map(self.purse.owed, self.payees))
        sent = sum(wealth(self.scene, address(payee)) for payee in self.payees)
        assert self.purse.held == kept + owed
        assert owed + sent == self.earned
        assert self.given == kept + self.earned + wealth(self.scene, self.out)


@pytest.mark.parametrize("seed", range(3))
def test_money_isConserved(purse: Purse, seed: int) -> None:
    books = Books(purse, seed)
    for _ in range(60):
        books.step()
        books.check()
    assert books.earned > 0


def test_constructor_failsIfThereIsNoArena(scene: Scene) -> None:
    with pytest.raises(Reverted):
        Contract.deploy(scene.node, "ProofPurse", address(1))


def test_constructor_takesTheArenasRegistry(purse: Purse, scene: Scene) -> None:
    assert purse.contract.call("registry") == scene.registry.address
    assert purse.contract.call("arena") == scene.arena.address

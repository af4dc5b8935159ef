"""A game as the session plays it: pipelining, every refusal, and what the chain changes."""

from collections.abc import Callable

import chess
import pytest

from engine.game import Game, Outcome, Reason, Result
from engine.policy_map import move_index
from proofs.signing import Draw, Move, Resign
from proofs.statement import Statement, dice, game_seed
from server import messages as m
from server.effects import (
    BotMove,
    ClaimDraw,
    ClaimTimeout,
    Ended,
    OpenGame,
    PlayerMove,
    ResignGame,
    Submit,
    WakeAt,
)
from server.errors import CommandRefused, IllegalTransition
from server.going import BOTS_AHEAD
from server.session import PLAYER_AHEAD, Session
from server.setback import FIRST_PAUSE, LONGEST_PAUSE
from server.settling import REFUSALS
from tests.server.fakes import (
    BOT,
    CUSTOM_BOT,
    DOMAIN,
    GRACE,
    OTHER_BOT,
    PAYEE,
    Player,
    first_legal,
    scripted,
)
from tests.server.play import SECRET, Table


def indices(*ucis: str) -> list[int]:
    """Policy indices of a line of moves."""
    board, found = chess.Board(), []
    for uci in ucis:
        move = board.parse_uci(uci)
        found.append(move_index(board, move))
        board.push(move)
    return found


FOOLS_MATE = indices("f2f3", "e7e5", "g2g4", "d8h4")
SHUFFLE = indices("g1f3", "g8f6", "f3g1", "f6g8") * 4
E4, E5, NF3 = indices("e2e4", "e7e5", "g1f3")


def as_white(table: Table, moves: list[int]) -> None:
    """Play the white moves of a line whose black moves the bot has as its script."""
    for index in moves[::2]:
        table.move(index)
        table.settle()


def refused(act: Callable[[], object], code: str) -> str:
    with pytest.raises(CommandRefused) as caught:
        act()
    assert caught.value.code == code
    return caught.value.message


# --- a game ------------------------------------------------------------------------------------


def test_a_game_opens_and_waits_for_white() -> None:
    table = Table()
    assert table.to_send == Submit(OpenGame())
    assert table.session.snapshot().status == "opening"
    table.land()
    assert table.session.snapshot().status == "playing"
    assert table.told() == ["submitted -1", "verified -1"]
    assert table.to_send is None
    assert not table.to_prove


def test_a_move_and_its_answer_go_through_all_stages() -> None:
    table = Table()
    table.land()
    table.effects.clear()
    table.move(E4)
    table.settle()
    assert table.told() == [
        "move 0", "move 1", "queued 1", "submitted 0",
        "verified 0", "proving 1", "proved 1", "submitted 1", "verified 1",
    ]  # fmt: skip
    record = table.session.snapshot().moves[1]
    assert (record.by, record.color, record.stage) == ("bot", "black", "verified")
    assert list(record.at) == ["proposed", "queued", "proving", "proved", "submitted", "verified"]
    assert (record.prove_seconds, record.cpu_seconds) == (2, 1)
    assert record.payee == f"0x{PAYEE:040x}"
    assert record.gas
    assert record.tx
    assert record.block


def test_the_statement_is_that_of_the_position() -> None:
    table = Table()
    table.move(E4)
    (wish,) = table.to_prove
    board = chess.Board()
    board.push_uci("e2e4")
    game, line = table.session.line.game, table.session.line
    game.board.pop()
    history = line.plies[0].history
    rolled = dice(game_seed(SECRET, table.terms.open.seed), 1, history)
    expected = Statement.of(
        game.position, game.mask, wish.statement.index, payee=PAYEE, dice=rolled
    )
    assert wish.statement == expected
    assert wish.version == BOT


def test_a_whole_game_to_mate() -> None:
    table = Table(choose=scripted(*FOOLS_MATE[1::2]))
    table.settle()
    as_white(table, FOOLS_MATE)
    assert table.told()[-2:] == ["verified 3", "end 0-1 checkmate"]
    assert table.session.ended == Ended(Outcome(Result.BLACK_WINS, Reason.CHECKMATE), "0x01")
    snapshot = table.session.snapshot()
    assert snapshot.status == "ended"
    assert snapshot.result == m.Result(result="0-1", reason="checkmate")
    assert [move.san for move in snapshot.moves] == ["f3", "e5", "g4", "Qh4#"]
    refused(lambda: table.move(E4), "game_over")


def test_a_mate_is_not_final_before_the_chain_says_so() -> None:
    table = Table(choose=scripted(*FOOLS_MATE[1::2]))
    for index in FOOLS_MATE[::2]:
        table.move(index)
    assert table.session.outcome.reason is Reason.CHECKMATE
    assert table.session.status == "opening"
    assert table.session.snapshot().result is None
    refused(lambda: table.move(E4), "game_over")
    refused(table.resign, "game_over")
    table.settle()
    assert table.session.ended is not None


def test_the_player_may_have_black() -> None:
    table = Table(white=BOT, black=Player().side)
    (wish,) = table.to_prove  # the bot thinks while the opening is on its way
    assert wish.ply == 0
    table.move(E5)
    table.settle()
    assert table.stages() == ["verified", "verified", "verified"]
    assert [p.by for p in table.session.line.plies] == ["bot", "player", "bot"]


def test_bots_meet_each_other_a_few_plies_ahead() -> None:
    table = Table(white=BOT, black=OTHER_BOT)
    assert [w.ply for w in table.to_prove] == list(range(BOTS_AHEAD))
    table.land()
    for ply in range(10):
        assert table.session.line.next == ply + BOTS_AHEAD
        table.prove(ply)
        table.land()
    refused(lambda: table.move(E4), "not_player")
    refused(table.resign, "not_player")


def test_a_game_of_two_bots_ends_by_itself() -> None:
    table = Table(white=BOT, black=OTHER_BOT, choose=first_legal)
    table.settle()
    assert table.session.is_over
    assert table.session.ended == table.chain.held[table.session.id].ended
    assert set(table.stages()) == {"verified"}


def test_a_bot_that_is_not_played_here_is_waited_for() -> None:
    table = Table(black=CUSTOM_BOT)
    table.land()
    table.move(E4)
    table.land()
    assert table.stages() == ["verified"]
    assert not table.to_prove
    refused(lambda: table.move(E5), "wrong_turn")


# --- pipelining --------------------------------------------------------------------------------


def test_an_answer_to_a_proposed_move_is_taken_at_once_and_sent_in_order() -> None:
    table = Table()
    table.move(E4)
    table.move(NF3)
    assert table.stages() == ["proposed", "queued", "proposed", "queued"]
    table.prove(3)  # proofs may come in any order
    assert table.to_send == Submit(OpenGame())
    table.land()
    assert isinstance(table.to_send.intent, PlayerMove)
    table.land()
    assert table.to_send is None  # ply 1 has no proof yet
    assert table.stages() == ["verified", "queued", "proposed", "proved"]
    table.prove(1)
    table.settle()
    sent = [e.intent for e in table.of(Submit)]
    assert [intent.ply for intent in sent] == [-1, 0, 1, 2, 3]
    assert [move.index for move in table.chain.held[table.session.id].moves] == [
        ply.index for ply in table.session.line.plies
    ]


def test_a_transaction_waits_for_the_answer_to_the_one_before() -> None:
    table = Table()
    table.move(E4)
    table.prove(1)
    assert len(table.of(Submit)) == 1
    table.land()
    assert [e.intent.ply for e in table.of(Submit)] == [-1, 0]  # type: ignore[union-attr]
    table.land()
    assert isinstance(table.of(Submit)[-1].intent, BotMove)


def test_a_player_cannot_run_ahead_for_ever() -> None:
    table = Table()
    for _ in range(PLAYER_AHEAD // 2):
        table.move(_lowest(table))
    message = refused(lambda: table.move(_lowest(table)), "rate_limited")
    assert str(PLAYER_AHEAD) in message
    table.land()
    table.land()
    table.move(_lowest(table))


def _lowest(table: Table) -> int:
    mask = table.session.line.game.mask
    return (mask & -mask).bit_length() - 1


# --- refusals change nothing -------------------------------------------------------------------


@pytest.fixture
def table() -> Table:
    """Two plies played, the opening landed, nothing else."""
    table = Table()
    table.land()
    table.move(E4)
    table.effects.clear()
    return table


def state(table: Table) -> object:
    return (table.session.snapshot(), list(table.effects), table.session._under_way)


def test_a_stale_ply(table: Table) -> None:
    before = state(table)
    for ply in (0, 1, 3):
        refused(lambda ply=ply: table.move(NF3, ply=ply), "stale_ply")  # type: ignore[misc]
    assert state(table) == before


def test_an_illegal_move(table: Table) -> None:
    before = state(table)
    for index in (E4, 1858, 65535):
        refused(lambda index=index: table.move(index), "illegal_move")  # type: ignore[misc]
    assert state(table) == before


def test_the_bots_turn() -> None:
    table = Table(black=CUSTOM_BOT)
    table.move(E4)
    before = state(table)
    refused(lambda: table.move(E5), "wrong_turn")
    refused(table.claim_draw, "wrong_turn")
    assert state(table) == before


def test_signatures_that_bind_something_else(table: Table) -> None:
    session, line, key = table.session, table.session.line, table.player.key
    before = state(table)

    def play(signature: bytes) -> object:
        return session.play(2, NF3, signature, 0)

    good = Move(session.id, 2, line.history, NF3)
    other_game = Move(bytes(32), 2, line.history, NF3)
    other_ply = Move(session.id, 4, line.history, NF3)
    other_index = Move(session.id, 2, line.history, NF3 + 1)
    for message in (other_game, other_ply, other_index):
        refused(lambda message=message: play(message.sign(DOMAIN, key)), "bad_signature")  # type: ignore[misc]
    stranger = good.sign(DOMAIN, Player("stranger").key)
    refused(lambda: play(stranger), "bad_signature")
    for domain in (DOMAIN.__class__(1, DOMAIN.arena), DOMAIN.__class__(31337, "0x" + "01" * 20)):
        refused(lambda domain=domain: play(good.sign(domain, key)), "bad_signature")  # type: ignore[misc]
    refused(lambda: play(bytes(65)), "bad_signature")
    refused(lambda: play(_high_s(good.sign(DOMAIN, key))), "bad_signature")
    assert state(table) == before
    play(good.sign(DOMAIN, key))


def _high_s(signature: bytes) -> bytes:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def test_a_signature_over_an_earlier_history_is_stale(table: Table) -> None:
    session = table.session
    before = state(table)
    old = Move(session.id, 2, session.line.plies[0].history, NF3).sign(DOMAIN, table.player.key)
    refused(lambda: session.play(2, NF3, old, 0), "stale_history")
    assert state(table) == before


def test_a_resignation_by_a_stranger(table: Table) -> None:
    before = state(table)
    refused(lambda: table.resign(Player("stranger")), "bad_signature")
    refused(lambda: table.session.resign(bytes(65), 0), "bad_signature")
    assert state(table) == before


def test_a_draw_that_is_not_there(table: Table) -> None:
    before = state(table)
    refused(table.claim_draw, "illegal_move")
    assert state(table) == before


def test_a_timeout_before_its_time(table: Table) -> None:
    before = state(table)
    refused(lambda: table.session.claim_timeout(table.now + 200), "bad_clock")
    assert state(table) == before


# --- endings -----------------------------------------------------------------------------------


def test_a_resignation_goes_first_and_drops_what_was_proposed(table: Table) -> None:
    table.move(NF3)
    table.resign()
    refused(lambda: table.move(E4), "game_over")
    refused(table.resign, "game_over")
    table.land()  # ply 0, which was under way
    assert isinstance(table.to_send.intent, ResignGame)  # type: ignore[union-attr]
    table.land()
    assert table.told()[-3:] == ["correction 1 ended", "full", "end 0-1 resignation"]
    assert table.stages() == ["verified"]
    assert not table.to_prove
    assert table.to_send is None


def test_a_draw_by_repetition_is_claimed_when_all_has_landed() -> None:
    table = Table(choose=scripted(*SHUFFLE[1::2]))
    table.land()
    for index in SHUFFLE[:8:2]:
        table.move(index)
    table.claim_draw()
    refused(lambda: table.move(E4), "game_over")
    table.settle()
    assert table.told()[-2:] == ["verified 7", "end 1/2-1/2 threefold claim"]
    assert isinstance(table.of(Submit)[-1].intent, ClaimDraw)


def test_five_times_the_same_is_a_draw_by_itself() -> None:
    table = Table(choose=scripted(*SHUFFLE[1::2]))
    table.settle()
    as_white(table, SHUFFLE)
    assert table.told()[-1] == "end 1/2-1/2 fivefold repetition"


def test_a_stale_draw_claim_is_told_from_a_bad_one() -> None:
    table = Table(choose=scripted(*SHUFFLE[1::2]))
    for index in SHUFFLE[:8:2]:
        table.move(index)
    session = table.session
    old = Draw(session.id, 8, session.line.plies[5].history).sign(DOMAIN, table.player.key)
    refused(lambda: session.claim_draw(8, old, 0), "stale_history")
    refused(lambda: session.claim_draw(8, bytes(65), 0), "bad_signature")


def test_a_timeout_takes_a_claim_a_grace_and_another_claim() -> None:
    table = Table(base=60)
    table.land()
    table.now += 61
    table.do(table.session.claim_timeout(table.now))
    assert isinstance(table.to_send.intent, ClaimTimeout)  # type: ignore[union-attr]
    table.land()
    wake = table.now + GRACE + 1
    assert table.told()[-1] == f"wake {wake:g}"
    assert table.do(table.session.woke(wake - 2)) == []
    table.now = wake
    table.do(table.session.woke(wake))
    table.land()
    assert table.told()[-1] == "end 0-1 timeout"


def test_a_move_within_the_grace_counts() -> None:
    table = Table(base=60)
    table.land()
    table.now += 61
    table.do(table.session.claim_timeout(table.now))
    table.do(table.session.claim_timeout(table.now))  # twice is once
    table.land()
    table.now += 5
    table.move(E4)
    table.land()
    assert table.stage(0) == "verified"
    assert table.do(table.session.woke(table.now + 100)) == []
    assert not table.session.is_over


def test_the_clocks_are_the_contracts() -> None:
    table = Table()
    table.land()
    table.now += 7
    table.move(E4)
    table.land()
    clocks = table.session.snapshot().clocks
    assert (clocks.white, clocks.black, clocks.running, clocks.at) == (293, 300, "black", 1007)
    assert not table.session.is_flagged(1307)
    assert table.session.is_flagged(1308)


# --- the chain says no -------------------------------------------------------------------------


def test_an_opening_that_is_refused_ends_the_game() -> None:
    table = Table()
    table.move(E4)
    table.refuse("the contract refused: UnknownBot(id=1)")
    assert table.told()[-3:] == ["rejected -1", "correction 0 refused", "full"]
    assert table.session.is_over
    assert table.session.snapshot().open_stage.stage == "rejected"
    assert not table.to_prove
    refused(lambda: table.move(E4), "game_over")


def test_a_refused_player_move_takes_everything_after_it_back(table: Table) -> None:
    table.move(NF3)
    line = table.session.line
    stale = Move(table.session.id, 2, line.plies[1].history, NF3).sign(DOMAIN, table.player.key)
    table.effects.clear()
    table.refuse("the contract refused: BadSignature()")
    assert table.told() == ["rejected 0", "correction 0 refused", "full"]
    assert line.next == 0
    assert table.to_send is None
    assert not table.to_prove
    # the player makes another move; an answer to the dropped line is known for what it is
    table.move(indices("d2d4")[0])
    refused(lambda: table.session.play(2, NF3, stale, 0), "stale_history")
    table.settle()
    assert table.stages() == ["verified", "verified"]


def test_a_refused_bot_move_is_proven_again_a_few_times_only(table: Table) -> None:
    table.land()
    for attempt in range(1, REFUSALS + 1):
        table.prove(1)
        table.refuse("the contract refused: ProofRejected()")
        assert table.session.line.next == (2 if attempt < REFUSALS else 1)
    assert "ProofRejected" in (table.session.holds_up or "")
    assert table.to_send is None
    assert not table.to_prove
    assert table.session.status == "playing"
    table.now += FIRST_PAUSE  # and then once more
    table.do(table.session.woke(table.now))
    assert table.session.holds_up is None
    table.settle()
    assert table.stages() == ["verified", "verified"]


def test_a_move_that_landed_although_its_answer_was_lost(table: Table) -> None:
    intent = table.to_send
    assert intent is not None
    table.chain.land(table.terms, intent.intent)
    table.effects.clear()
    table.land()  # StalePly: the same transaction is in a block
    assert table.told() == ["verified 0"]
    assert table.session.line.next == 2
    table.settle()
    assert table.stages() == ["verified", "verified"]


def test_another_move_by_the_player_landed_from_elsewhere(table: Table) -> None:
    session = table.session
    d4 = indices("d2d4")[0]
    signature = table.player.move(session.id, 0, session.id, d4)
    table.chain.land(table.terms, PlayerMove(0, d4, signature))
    table.land()
    assert table.told()[-4:] == ["correction 0 other_move", "full", "move 1", "queued 1"]
    assert session.line.plies[0].index == d4
    table.settle()
    assert table.stages() == ["verified", "verified"]


def test_a_proof_brought_by_somebody_else_spares_ours(table: Table) -> None:
    table.land()
    (wish,) = table.to_prove
    table.chain.land(table.terms, BotMove(1, wish.statement.index, 5, b"proof by another"))
    table.do(table.session.reconcile(table.truth(), table.now))
    assert table.stages() == ["verified", "verified"]
    assert table.session.snapshot().moves[1].payee == f"0x{5:040x}"
    assert not table.to_prove
    assert table.session.proved(wish.job, b"proof", wall=1, cpu=1, now=0) == []


def test_a_game_that_ended_elsewhere(table: Table) -> None:
    signature = Resign(table.session.id).sign(DOMAIN, table.player.key)
    table.chain.land(table.terms, ResignGame(signature))
    table.land()
    assert table.told()[-2:] == ["full", "end 0-1 resignation"]


def test_what_the_chain_lost_is_sent_again(table: Table) -> None:
    table.settle()
    table.move(NF3)
    game = table.chain.held[table.session.id]
    del game.moves[1:]
    game.game.board.pop()
    assert table.stages() == ["verified", "verified", "submitted", "queued"]
    table.land()  # StalePly: the chain is one ply behind
    assert table.stages() == ["verified", "submitted", "proposed", "queued"]
    assert "correction 1 reorg" in table.told()
    table.settle()
    assert table.stages() == ["verified"] * 4
    assert len(game.moves) == 4


def test_a_resignation_refused_by_a_chain_that_lost_the_game_is_not_forgotten(
    table: Table,
) -> None:
    table.settle()
    table.resign()
    table.chain.held.clear()
    table.land()  # GameUnknown
    assert table.told()[-3:] == ["correction 0 reorg", "full", "submitted -1"]
    table.settle()
    assert table.told()[-1] == "end 0-1 resignation"


def test_a_draw_claim_refused_by_a_chain_that_lost_moves_is_not_forgotten() -> None:
    table = Table(choose=scripted(*SHUFFLE[1::2]))
    table.settle()
    as_white(table, SHUFFLE[:8])
    table.claim_draw()
    game = table.chain.held[table.session.id]
    del game.moves[6:]
    game.game = Game()
    for move in game.moves:
        game.game.play(move.index)
    table.land()  # StalePly
    assert "correction 6 reorg" in table.told()
    table.settle()
    assert table.told()[-1] == "end 1/2-1/2 threefold claim"


def test_a_resignation_that_is_refused_for_itself_is_told(table: Table) -> None:
    table.settle()
    table.resign()
    table.refuse("the contract refused: GraceOver()")
    assert table.told()[-2:] == ["correction 2 refused", "full"]
    assert table.to_send is None


def test_even_the_opening_is_sent_again(table: Table) -> None:
    table.chain.held.clear()
    table.land()
    assert table.session.snapshot().status == "opening"
    table.settle()
    assert table.session.snapshot().status == "playing"
    assert table.stages() == ["verified", "verified"]


def test_a_chain_that_does_not_answer_is_told_of(table: Table) -> None:
    submit = table.to_send
    assert submit is not None
    table.effects.clear()
    table.do(table.session.sent(submit.intent, "0xabc", 5))
    table.do(table.session.waiting(submit.intent, "no answer", 6))
    data = [e.d for e in table.events() if isinstance(e, m.ChainEvent)]
    assert [(d.stage, d.tx, d.reason) for d in data] == [
        ("submitted", "0xabc", None),
        ("submitted", "0xabc", "no answer"),
    ]
    assert table.session.snapshot().moves[0].reason == "no answer"
    table.land()
    assert table.session.snapshot().moves[0].reason is None


def test_an_answer_to_what_was_not_sent_is_a_mistake(table: Table) -> None:
    before = state(table)
    with pytest.raises(IllegalTransition):
        table.session.was_refused(OpenGame(), "no", table.truth(), 0)
    assert table.session.sent(OpenGame(), "0x", 0) == []
    assert state(table) == before


# --- the prover --------------------------------------------------------------------------------


def test_a_prover_that_died_puts_the_move_back_into_the_queue(table: Table) -> None:
    (wish,) = table.to_prove
    session = table.session
    assert table.told(session.queued(wish.job, 3, None, 5)) == ["queued 1"]
    assert session.queued(wish.job, 3, None, 5) == []
    assert table.told(session.proving(wish.job, 6)) == ["proving 1"]
    assert session.proving(wish.job, 6) == []
    assert table.told(session.queued(wish.job, None, None, 7)) == ["queued 1"]
    assert session.snapshot().moves[1].at["queued"] == 7
    table.settle()
    assert table.stages() == ["verified", "verified"]


def test_the_wait_for_a_proof_is_told_until_there_is_one(table: Table) -> None:
    (wish,) = table.to_prove
    session = table.session

    def shown() -> tuple[int | None, float | None]:
        record = session.snapshot().moves[1]
        return record.queue_position, record.wait_seconds

    session.queued(wish.job, 3, None, 5)
    assert table.told(session.queued(wish.job, 3, 9.0, 5)) == ["queued 1"]  # an estimate at last
    assert shown() == (3, 9.0)
    assert session.queued(wish.job, 3, 8.0, 6) == []  # it only ran down
    assert table.told(session.queued(wish.job, 2, 6.0, 8)) == ["queued 1"]
    assert shown() == (2, 6.0)
    session.proving(wish.job, 9, 2.5)
    assert shown() == (None, 2.5)
    session.proved(wish.job, b"proof", wall=1, cpu=1, now=0)
    assert shown() == (None, None)


def test_a_move_that_cannot_be_proven_now_waits_for_another_try(table: Table) -> None:
    """It is the bot's move all the same, and the answer to it stands."""
    table.move(NF3)
    pause = FIRST_PAUSE
    for _ in range(3):
        wish = next(wish for wish in table.to_prove if wish.ply == 1)
        table.do(table.session.proving(wish.job, table.now))
        table.effects.clear()
        table.do(table.session.unprovable(wish.job, "the prover died", table.now))
        assert table.told() == ["queued 1", f"wake {table.now + pause:g}"]
        assert table.session.holds_up == "the bot's move is tried again soon: the prover died"
        assert table.session.line.next == 4
        assert wish.job not in [w.job for w in table.to_prove]
        table.now += pause
        assert table.do(table.session.woke(table.now - 1)) == []
        table.do(table.session.woke(table.now))
        assert table.session.holds_up is None
        assert table.to_prove[-1].statement == wish.statement
        pause *= 2
    table.settle()
    assert table.stages() == ["verified"] * 4


def test_pauses_between_tries_grow_to_a_limit_and_begin_anew(table: Table) -> None:
    pauses = []
    for _ in range(7):
        (wish,) = table.to_prove
        table.effects.clear()
        table.do(table.session.unprovable(wish.job, "no", table.now))
        (wake,) = table.of(WakeAt)
        pauses.append(wake.at - table.now)
        table.now = wake.at
        table.do(table.session.woke(table.now))
    assert pauses == [30, 60, 120, 240, 480, LONGEST_PAUSE, LONGEST_PAUSE]
    table.settle()
    table.move(NF3)
    (wish,) = table.to_prove
    assert table.session.unprovable(wish.job, "no", 0)[-1] == WakeAt(30)


def test_a_move_that_is_not_the_nets_is_taken_back(table: Table) -> None:
    table.move(NF3)
    wish = table.to_prove[0]
    table.effects.clear()
    table.do(table.session.unprovable(wish.job, "not the net's", 5, is_wrong=True))
    assert table.told() == ["rejected 1", "correction 1 unprovable", "full", "wake 35"]
    assert table.session.line.next == 1
    assert not table.to_prove


def test_words_about_a_dropped_proof_are_ignored(table: Table) -> None:
    (wish,) = table.to_prove
    table.refuse()
    before = state(table)
    session = table.session
    assert session.queued(wish.job, 1, None, 0) == []
    assert session.proving(wish.job, 0) == []
    assert session.proved(wish.job, b"proof", wall=1, cpu=1, now=0) == []
    assert session.unprovable(wish.job, "no", 0) == []
    assert state(table) == before


# --- rebuilding --------------------------------------------------------------------------------


def test_a_session_is_rebuilt_from_the_chain_and_goes_on(table: Table) -> None:
    table.settle()
    table.move(NF3)
    table.land()  # the chain holds three plies; the bot owes the fourth
    rebuilt = Session(table.terms, payee=PAYEE, now=table.now)
    table.session, table.effects = rebuilt, []
    table.do(rebuilt.reconcile(table.truth(), table.now))
    assert table.stages() == ["verified"] * 3 + ["queued"]
    assert table.told()[1:4] == ["move 0", "move 1", "move 2"]
    table.settle()
    assert table.stages() == ["verified"] * 4
    assert (
        rebuilt.snapshot().history == "0x" + table.chain.history(table.chain.held[rebuilt.id]).hex()
    )


def test_a_finished_game_is_rebuilt_as_finished() -> None:
    table = Table(choose=scripted(*FOOLS_MATE[1::2]))
    table.settle()
    as_white(table, FOOLS_MATE)
    rebuilt = Session(table.terms, payee=PAYEE, now=0)
    rebuilt.reconcile(table.truth(), 0)
    assert rebuilt.snapshot().result == m.Result(result="0-1", reason="checkmate")
    assert rebuilt.is_over

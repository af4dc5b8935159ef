"""How games end: mates and draws by themselves, claims, resignations, and nothing afterwards."""

from typing import Final

import chess
import pytest

from engine.game import Reason, Result
from proofs.statement import next_history
from tests.contracts.ground import Contract, Receipt, Reverted
from tests.contracts.scene import PAYEE, STRANGER, Live, Scene, address

KNIGHTS_OUT_AND_BACK: Final = "Nf3 Nf6 Ng1 Ng8"
SCHOLARS_MATE: Final = "e4 e5 Qh5 Nc6 Bc4 Nf6 Qxf7#"
FOOLS_MATE: Final = "f3 e5 g4 Qh4#"
# Sam Loyd's stalemate in ten moves
STALEMATE: Final = "e3 a5 Qh5 Ra6 Qxa5 h5 h4 Rah6 Qxc7 f6 Qxd7+ Kf7 Qxb7 Qd3 Qxb8 Qh7 Qxc8 Kg6 Qe6"


@pytest.fixture
def live(scene: Scene) -> Live:
    return scene.open()


def assert_ended(live: Live, receipt: Receipt, result: Result, reason: Reason) -> None:
    event = receipt.event("GameEnded")
    assert (event["result"], event["reason"]) == (result, reason)
    assert receipt.names[-1] == "GameEnded"
    assert live.outcome == (result, reason)
    nothing_more_happens(live)


def nothing_more_happens(live: Live) -> None:
    before = live.state
    ply = before["ply"]
    attempts = [
        lambda: live.scene.arena.send("move", live.id, ply, 0, live.sign(0, ply=ply)),
        lambda: live.scene.arena.send("submitBotMove", live.id, ply, 0, address(PAYEE), b""),
        lambda: live.resign(live.sign_resign()),
        lambda: live.abort(live.sign_abort()),
        lambda: live.claim_draw(live.sign_draw(ply=ply), ply=ply),
        live.claim_timeout,
    ]
    for attempt in attempts:
        with pytest.raises(Reverted, match="GameOver"):
            attempt()
    assert live.state == before


# ---- by themselves ----


def test_move_mates(live: Live) -> None:
    assert_ended(live, live.play_all(SCHOLARS_MATE), Result.WHITE_WINS, Reason.CHECKMATE)


def test_submitBotMove_mates(live: Live) -> None:
    assert_ended(live, live.play_all(FOOLS_MATE), Result.BLACK_WINS, Reason.CHECKMATE)


def test_move_matesAsBlack(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side())
    assert_ended(live, live.play_all(FOOLS_MATE), Result.BLACK_WINS, Reason.CHECKMATE)


def test_submitBotMove_matesBetweenBots(scene: Scene) -> None:
    live = scene.open(white=scene.house, black=scene.house)
    assert_ended(live, live.play_all(SCHOLARS_MATE), Result.WHITE_WINS, Reason.CHECKMATE)


def test_move_stalemates(live: Live) -> None:
    assert_ended(live, live.play_all(STALEMATE), Result.DRAW, Reason.STALEMATE)


@pytest.mark.parametrize(
    ("fen", "san", "reason"),
    [
        ("4k3/8/8/8/8/8/4r3/4K3 w - - 0 1", "Kxe2", Reason.INSUFFICIENT_MATERIAL),
        ("4k3/8/8/8/8/8/4r3/3NK3 w - - 0 1", "Kxe2", Reason.INSUFFICIENT_MATERIAL),
        ("4k3/8/8/8/8/8/4r3/2RNK3 w - - 0 1", "Kxe2", Reason.NONE),
        ("4k3/8/8/8/8/8/8/R3K3 w - - 148 90", "Ra2", Reason.NONE),
        ("4k3/8/8/8/8/8/8/R3K3 w - - 149 90", "Ra2", Reason.SEVENTY_FIVE_MOVES),
        ("4k3/8/8/8/8/8/4r3/R3K3 w - - 149 90", "Kxe2", Reason.NONE),
        ("7k/8/6K1/8/8/8/8/R7 w - - 149 90", "Ra8#", Reason.CHECKMATE),
        ("7k/8/5K2/8/8/8/8/6Q1 w - - 149 90", "Qg6", Reason.STALEMATE),
        ("k7/8/1KN5/8/8/8/1r6/8 w - - 0 1", "Kc7", Reason.NONE),
    ],
)
def test_move_endsByTheRules(live: Live, fen: str, san: str, reason: Reason) -> None:
    """Mate and stalemate come before the draws that a count makes."""
    live.set_position(fen)
    receipt = live.play(san)
    outcome = live.game.outcome()
    assert outcome.reason == reason
    if reason is Reason.NONE:
        assert live.outcome == (Result.ONGOING, Reason.NONE)
        assert receipt.names == ["PlayerMoved"]
    else:
        assert_ended(live, receipt, outcome.result, reason)


def test_move_drawsByFivefoldRepetition(live: Live) -> None:
    """The usual position counts: its fifth occurrence is after four rounds."""
    for _ in range(3):
        live.play_all(KNIGHTS_OUT_AND_BACK)
        assert live.outcome == (Result.ONGOING, Reason.NONE)
    live.play_all(KNIGHTS_OUT_AND_BACK.split()[:3])
    receipt = live.play("Ng8")
    assert_ended(live, receipt, Result.DRAW, Reason.FIVEFOLD_REPETITION)


# ---- repetitions in the context word ----


def test_context_countsOccurrencesToTwo(live: Live) -> None:
    for earlier in (1, 2, 2):
        live.play_all(KNIGHTS_OUT_AND_BACK)
        assert live.state["context"] >> 8 & 3 == earlier
        assert live.state["context"] == live.game.position.context


def test_context_tellsTheMoverApart(live: Live) -> None:
    """A mirror-symmetric position, come back with the other side to move, reads the same.

    The board word is the mover's view; by FIDE 9.2 they are two positions.
    """
    live.play_all("e4 e5")
    board = live.state["board"]
    live.play_all("Be2 Nf6 Bd3 Ng8 Bf1")
    assert live.state["board"] == board
    assert live.state["context"] >> 8 & 3 == 0
    live.play_all("Nf6 Be2 Ng8 Bf1")
    assert live.state["context"] >> 8 & 3 == 1


def test_context_tellsCastlingRightsApart(live: Live) -> None:
    """Kings out and back: the board comes again, the rights do not."""
    live.play_all("e4 e5 Ke2 Ke7 Ke1 Ke8")
    assert live.state["context"] >> 8 & 3 == 0
    live.play_all("Ke2 Ke7 Ke1 Ke8")
    assert live.state["context"] >> 8 & 3 == 1
    assert live.state["context"] == live.game.position.context


def test_context_tellsEnPassantApart(live: Live) -> None:
    """The same board again, but the pawn may not be taken in passing any more."""
    live.play_all("e4 a6 e5 d5")
    assert live.state["context"] >> 4 & 15 == 4
    live.play_all(KNIGHTS_OUT_AND_BACK)
    assert live.state["context"] >> 8 & 3 == 0
    live.play_all(KNIGHTS_OUT_AND_BACK)
    assert live.state["context"] >> 8 & 3 == 1
    assert live.state["context"] == live.game.position.context


def test_context_countsEachGameByItself(scene: Scene) -> None:
    one, two = scene.open(), scene.open(nonce=2)
    one.play_all(KNIGHTS_OUT_AND_BACK)
    two.play_all("Nf3")
    two.play_all("Nf6 Ng1 Ng8")
    assert one.state["context"] >> 8 & 3 == two.state["context"] >> 8 & 3 == 1


# ---- claimed draws ----


def test_claimDraw_succeedsIfThirdOccurrence(live: Live) -> None:
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    signature = live.sign_draw()
    receipt = live.claim_draw(signature)
    assert receipt.event("GameEnded")["evidence"] == "0x" + signature.hex()
    assert_ended(live, receipt, Result.DRAW, Reason.THREEFOLD_CLAIM)


def test_claimDraw_succeedsAtTheBotsTurn(live: Live) -> None:
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK} Nf3")
    assert_ended(live, live.claim_draw(live.sign_draw()), Result.DRAW, Reason.THREEFOLD_CLAIM)


def test_claimDraw_succeedsIfPlayerHasBlack(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side())
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    assert_ended(live, live.claim_draw(live.sign_draw()), Result.DRAW, Reason.THREEFOLD_CLAIM)


@pytest.mark.parametrize("halfmoves", [99, 100, 149])
def test_claimDraw_needsFiftyMoves(live: Live, halfmoves: int) -> None:
    live.set_position(f"4k3/8/8/8/8/8/8/R3K3 w - - {halfmoves} 90")
    if halfmoves < 100:
        with pytest.raises(Reverted, match="NothingToClaim") as caught:
            live.claim_draw(live.sign_draw())
        assert caught.value.values == {"repetitions": 0, "halfmoves": halfmoves}
        assert live.outcome == (Result.ONGOING, Reason.NONE)
    else:
        receipt = live.claim_draw(live.sign_draw())
        assert_ended(live, receipt, Result.DRAW, Reason.FIFTY_MOVES_CLAIM)


def test_claimDraw_failsIfSecondOccurrence(live: Live) -> None:
    live.play_all(KNIGHTS_OUT_AND_BACK)
    with pytest.raises(Reverted, match="NothingToClaim") as caught:
        live.claim_draw(live.sign_draw())
    assert caught.value.values == {"repetitions": 1, "halfmoves": 4}


@pytest.mark.parametrize("what", ["game", "ply", "history", "key"])
def test_claimDraw_failsIfSignatureIsForAnother(live: Live, what: str) -> None:
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    another = {"game": b"\x01" * 32, "ply": 4, "history": b"\x02" * 32, "key": STRANGER}
    with pytest.raises(Reverted, match="BadSignature"):
        live.claim_draw(live.sign_draw(**{what: another[what]}))
    assert live.outcome == (Result.ONGOING, Reason.NONE)


def test_claimDraw_failsIfPlyIsStale(live: Live) -> None:
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    signature = live.sign_draw()
    live.play("Nf3")
    with pytest.raises(Reverted, match="StalePly"):
        live.claim_draw(signature, ply=8)
    with pytest.raises(Reverted, match="BadSignature"):
        live.claim_draw(signature)


def test_claimDraw_failsIfGraceIsOver(live: Live) -> None:
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    node, late = live.scene.node, live.state["lastMoveAt"] + 10_000
    node.next_block_at(late)
    live.claim_timeout()
    node.next_block_at(late + 61)
    with pytest.raises(Reverted, match="GraceOver"):
        live.claim_draw(live.sign_draw())


def test_claimDraw_failsBetweenBots(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.yes)
    live.play_all(f"{KNIGHTS_OUT_AND_BACK} {KNIGHTS_OUT_AND_BACK}")
    for signature in (live.sign_draw(), bytes(65)):
        with pytest.raises(Reverted, match="BadSignature"):
            live.claim_draw(signature)


# ---- resignation ----


@pytest.mark.parametrize("moves", ["", "e4", "e4 e5"])
def test_resign_succeedsAtAnyTurn(live: Live, moves: str) -> None:
    live.play_all(moves)
    signature = live.sign_resign()
    receipt = live.resign(signature)
    assert receipt.event("GameEnded")["evidence"] == "0x" + signature.hex()
    assert_ended(live, receipt, Result.BLACK_WINS, Reason.RESIGNATION)


def test_resign_succeedsIfPlayerHasBlack(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side())
    assert_ended(live, live.resign(live.sign_resign()), Result.WHITE_WINS, Reason.RESIGNATION)


def test_resign_failsIfSignedByAnother(live: Live) -> None:
    with pytest.raises(Reverted, match="BadSignature"):
        live.resign(live.sign_resign(key=STRANGER))
    assert live.outcome == (Result.ONGOING, Reason.NONE)


def test_resign_failsIfSignatureIsForAnotherGame(live: Live) -> None:
    other = live.scene.open(nonce=2)
    with pytest.raises(Reverted, match="BadSignature"):
        live.resign(other.sign_resign())


def test_resign_failsIfItIsAMoveOrDraw(live: Live) -> None:
    for signature in (live.sign(0), live.sign_draw()):
        with pytest.raises(Reverted, match="BadSignature"):
            live.resign(signature)


def test_resign_failsBetweenBots(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.yes)
    for signature in (live.sign_resign(), bytes(65)):
        with pytest.raises(Reverted, match="BadSignature"):
            live.resign(signature)


@pytest.mark.parametrize("function", ["resign", "abort", "claimDraw"])
def test_endings_failIfGameUnknown(live: Live, function: str) -> None:
    arguments = (b"\x99" * 32, *((0,) if function == "claimDraw" else ()), live.sign_resign())
    with pytest.raises(Reverted, match="GameUnknown"):
        live.scene.arena.send(function, *arguments)


# ---- bookkeeping ----


def test_history_isTheHashOfAllMoves(live: Live) -> None:
    history = live.id
    for san in ("e4", "e5", "Nf3"):
        history = next_history(history, live.index(san))
        live.play(san)
    assert live.state["history"] == "0x" + history.hex()


def test_state_staysThatOfPythonThroughAGame(live: Live) -> None:
    """Castling both ways, en passant, promotion by capture, checks: word for word."""
    sans = (
        "e4 d5 e5 f5 exf6 d4 c4 dxc3 Nf3 cxb2 fxg7 bxa1=Q gxh8=N Qxa2 "
        "Be2 Nc6 O-O Bf5 Nc3 Qd7 Bc4 O-O-O Bxa2 Nd4 Nf7 Nxf3+ Qxf3 Bg4 Nxd8 Bxf3 gxf3 Qxd8"
    )
    for san in sans.split():
        live.play(san)
        state = live.state
        assert (state["board"], state["context"]) == (
            live.game.position.board,
            live.game.position.context,
        ), san


def test_cannotMate_agreesWithPythonChess(scene: Scene) -> None:
    """Every way to place up to three pieces beside the kings on a few squares."""
    boards = [chess.Board(None)]
    for square in (chess.A1, chess.B1, chess.D5):
        extended = []
        for board in boards:
            for symbol in ("", *"PNBRQpnbrq"):
                copy = board.copy()
                if symbol:
                    copy.set_piece_at(square, chess.Piece.from_symbol(symbol))
                extended.append(copy)
        boards = extended
    for board in boards:
        board.set_piece_at(chess.E1, chess.Piece.from_symbol("K"))
        board.set_piece_at(chess.E8, chess.Piece.from_symbol("k"))
    harness = Contract.deploy(scene.node, "LibraryHarness")
    for start in range(0, len(boards), 200):
        batch = boards[start : start + 200]
        found = harness.call("cannotMate", [encode(board) for board in batch])
        assert found == [board.has_insufficient_material(chess.BLACK) for board in batch]


def encode(board: chess.Board) -> int:
    word = 0
    for square, piece in board.piece_map().items():
        word |= (piece.piece_type + (0 if piece.color == chess.WHITE else 6)) << 4 * square
    return word

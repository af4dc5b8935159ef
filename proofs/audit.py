"""Checking a whole game again from its logs, believing neither server nor node nor contract.

python-chess replays the moves; the opening, each signature, each position, each public input and
each proof are rebuilt and compared.  The checks, by the names that a report uses:

    bot record  a version's id is the hash of all its fields
    key         the verifying key is the registered one, and its points are sound
    verifier    an ONNX bot's verifier is the one made of its key (proofs/audit_ezkl.py)
    circuit     the circuit compiled afresh from the net has the registered hash
    order       the logs are in the chain's order, and each belongs where it stands
    encoding    a log's fields are such as the contract could have emitted
    game id     the id is the EIP-712 digest of the opening, for this chain and contract
    opening     signed by its opener, in time, with a start, sides and clock that the rules allow
    secret      the revealed secret fits the commitment
    turn        the move is the next ply's, by the side that was to move
    legal       the index names a legal move
    signature   the player signed this index at this ply of this history (low s only)
    proof       the proof holds for the public inputs rebuilt here, under the registered key
    second proof   the same by another program (proofs/audit_judges.py)
    board, context, history   the words after the move
    clock       moves and claims came when the clock and the grace window allowed them
    result      the game ended as, and only as, the rules say
    contract    the contract stores what the replay comes to (where there is a chain to ask)

Clocks are followed from the blocks' times as the record gives them; in a saved file nothing
vouches for those times.

Undecided, and so never a pass: the circuit of a net that is not at hand, the proofs of a custom
verifier, contracts that are not this version's, a bot's move that is still owed.  A game in which
the player is to move is verified as far as it goes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import chess

from engine.errors import IllegalIndex, IllegalStart
from engine.game import ABORT_PLIES, ABORTED, ONGOING, Game, Outcome, Reason, Result
from engine.policy_map import POLICY_SIZE, index_move
from proofs.audit_bots import AuditedBot, CircuitOf, CustomBots, check_bot, circuits_of_nets
from proofs.audit_docket import Docket, judge_all
from proofs.audit_judges import Claim, Groth16Judge, Judge
from proofs.audit_report import Finding, Ledger, Report, Row, SideReport
from proofs.clock import MAX_BASE_SECONDS, Clock
from proofs.errors import BadSignature
from proofs.game_file import BadField, GameRecord, arguments
from proofs.records import LogEvent, OnChainGame, open_message
from proofs.signing import Abort, Domain, Draw, Message, Move, Open, Resign, side_player
from proofs.statement import Statement, commitment, dice, game_seed, next_history

_CLAIMS: Final = (Reason.FIFTY_MOVES_CLAIM, Reason.THREEFOLD_CLAIM)


def audit(
    record: GameRecord,
    *,
    circuit_of: CircuitOf | None = None,
    expected_game: str | None = None,
    state: OnChainGame | None = None,
    undecided: Iterable[Finding] = (),
    judges: Sequence[Judge] = (Groth16Judge(),),
    custom: CustomBots | None = None,
) -> Report:
    """Audit one game.

    `circuit_of` defaults to the house nets.  `expected_game` is the id that was asked for, `state`
    what the contract stores now, `undecided` what could not be told on the way here, `judges` who
    decides whether the proofs hold, `custom` who knows of custom verifiers.
    """
    replay = Replay(record, circuit_of or circuits_of_nets(), custom)
    for finding in undecided:
        replay.ledger.leave(finding.ply, finding.check, finding.what)
    replay.run(expected_game, state)
    judge_all([replay.docket], judges)
    return replay.report()


class _Stop(Exception):
    """The rest of the record cannot be followed any more."""


class Replay:
    """One walk through a record.  After a failure it goes on from what the moves come to.

    The proofs found on the way are put on the docket, to be judged afterwards all at once.
    """

    def __init__(
        self, record: GameRecord, circuit_of: CircuitOf, custom: CustomBots | None = None
    ) -> None:
        self.record = record
        self.ledger = Ledger()
        self.docket = Docket(self.ledger)
        self.complete = False
        self._circuit_of = circuit_of
        self._custom = custom
        self._domain = Domain(record.chain_id, record.arena)
        self._id = bytes.fromhex(record.game[2:])
        self._bots: dict[bytes, AuditedBot] = {}
        self._game = Game()
        self._history = self._id
        self._open: Open | None = None
        self._seed = b""
        self._clock: Clock | None = None
        self._ended: Outcome | None = None

    def run(self, expected_game: str | None = None, state: OnChainGame | None = None) -> None:
        """Walk through all events, and compare with what was asked for and what is stored."""
        right = expected_game in (None, self.record.game)
        self.ledger.expect(right, None, "game id", f"the record is of {self.record.game}")
        self._walk()
        if state is not None and self.complete:
            self.compare(state)

    def _walk(self) -> None:
        own = [event for event in self.record.events if event.name != "BotRegistered"]
        try:
            self._check_order()
            for event in self.record.events:
                if event.name == "BotRegistered":
                    self._register(event)
            self._opened(own)
            for event in own[1:]:
                self._follow(event)
            self._finish()
            self.complete = True
        except _Stop:
            pass

    def compare(self, state: OnChainGame) -> None:
        """Compare what the contract stores with what the replay came to."""
        position, opening = self._game.position, self._opening
        outcome = self._ended or ONGOING
        pairs = {
            "board": (state.board, position.board),
            "context": (state.context, position.context),
            "first ply": (state.first_ply, self._game.start.first_ply),
            "ply": (state.ply, self._game.ply),
            "history": (state.history, self._history),
            "seed": (state.seed, self._seed),
            "sides": ((state.white, state.black), (opening.white, opening.black)),
            "result": ((state.result, state.reason), (outcome.result, outcome.reason)),
            "clocks": ((state.white_clock, state.black_clock), self._running.left),
            "last move's time": (state.last_move_at, self._running.since),
        }
        for name, (stored, replayed) in pairs.items():
            what = f"the contract's {name} is not the replay's"
            self.ledger.expect(stored == replayed, self._game.ply, "contract", what)

    @property
    def bots(self) -> tuple[AuditedBot, ...]:
        """The bots whose registrations were read."""
        return tuple(self._bots.values())

    def ply_of(self, event: LogEvent) -> int | None:
        """The ply that a log is about, None for what comes before the first move."""
        if event.name in ("BotRegistered", "GameOpened"):
            return None
        ply = event.args.get("ply")
        return ply if isinstance(ply, int) and event.name != "GameEnded" else self._game.ply

    def report(self) -> Report:
        white, black = (self._open.white, self._open.black) if self._open else (b"", b"")
        outcome = self._ended or ONGOING
        return Report(
            game=self.record.game,
            chain_id=self.record.chain_id,
            arena=self.record.arena,
            white=self._side(white),
            black=self._side(black),
            parts=self.ledger.parts,
            rows=tuple(self.ledger.rows),
            failures=self.ledger.failures,
            undecided=self.ledger.undecided,
            status=self._status,
            result=str(outcome.result),
        )

    # ---- before the first move ----

    def _check_order(self) -> None:
        before: LogEvent | None = None
        for event in self.record.events:
            if before is not None:
                later = (event.block, event.log_index) > (before.block, before.log_index)
                what = f"{event.name} of block {event.block} after block {before.block}"
                self._expect(later and event.time >= before.time, "order", what)
                late = event.name == "BotRegistered" != before.name
                self._expect(not late, "order", "a bot registered after the opening")
            before = event

    def _register(self, event: LogEvent) -> None:
        args = self._arguments(event)
        bot = check_bot(args, self._circuit_of, self.ledger, self._custom)
        self._expect(bot.id not in self._bots, "order", f"0x{bot.id.hex()} is registered twice")
        self._bots[bot.id] = bot

    def _opened(self, own: list[LogEvent]) -> None:
        if not own or own[0].name != "GameOpened":
            self._fail("order", "the game does not begin with its opening")
        event, args = own[0], self._own(own[0])
        opening = self._open = open_message(_plain(args["open"]))
        self._expect(opening.game_id(self._domain) == self._id, "game id", "not the opening's hash")
        self._signed(opening, args["signature"], opening.opener, "opening")
        self._expect(args["opener"] == opening.opener, "opening", "logged under another opener")
        self._expect(event.time <= opening.expires, "opening", "opened after it expired")
        try:
            self._game = Game(opening.begins)
        except IllegalStart as error:
            self._fail("opening", str(error))
        fair = 1 <= opening.base_seconds <= MAX_BASE_SECONDS
        self._expect(fair, "opening", f"a clock of {opening.base_seconds} s")
        secret = args["secret"]
        self._expect(commitment(secret) == opening.commitment, "secret", "not what was committed")
        self._seed = game_seed(secret, opening.seed)
        self._check_sides(opening)
        self._clock = Clock(opening, event.time)

    def _check_sides(self, opening: Open) -> None:
        bots = [side for side in (opening.white, opening.black) if side_player(side) is None]
        self._expect(bool(bots), "opening", "neither side is a bot")
        for side in bots:
            if side not in self._bots:
                what = f"the registration of 0x{side.hex()} is missing"
                self.ledger.leave(None, "bot record", what)
        for id_ in self._bots:
            self._expect(id_ in bots, "order", f"bot 0x{id_.hex()} does not play here")

    # ---- moves and endings ----

    def _follow(self, event: LogEvent) -> None:
        args = self._own(event)
        if self._ended is not None:
            self._fail("order", f"{event.name} after the game's end")
        if event.name in ("PlayerMoved", "BotMoved"):
            self._moved(event, args)
        elif event.name == "TimeoutClaimed":
            self._expect(args["ply"] == self._game.ply, "order", f"a claim at ply {args['ply']}")
            self._timely(self._running.claim(self._game.ply, event.time, args["deadline"]))
        elif event.name == "GameEnded":
            self._end(event, args)
        else:
            self._fail("order", f"{event.name} in the middle of a game")

    def _moved(self, event: LogEvent, args: dict[str, Any]) -> None:
        game, index, ply = self._game, args["index"], self._game.ply
        side, by = self._mover, "player" if event.name == "PlayerMoved" else "bot"
        color = chess.COLOR_NAMES[game.turn]
        gas = self.record.gas.get(event.tx)
        self.ledger.rows.append(Row(ply, color, by, index, "", "", event.tx, gas))
        mover = "bot" if side_player(side) is None else "player"
        if game.outcome() != ONGOING:
            self._expect(False, "result", "a move after the game was over")
        right = args["ply"] == ply and by == mover
        self._expect(right, "turn", f"ply {ply} is the {mover}'s, not ply {args['ply']} the {by}'s")
        self._name(index)
        if by == mover == "player":
            message = Move(self._id, ply, self._history, index)
            self._signed(message, args["signature"], side_player(side), "signature")
        elif by == mover:
            self._proven(side, args)
        game.play(index)
        self.ledger.rows[-1].fen = game.board.fen()
        self._history = next_history(self._history, index)
        after = game.position
        rebuilt = {"board": after.board, "context": after.context, "history": self._history}
        for name, value in rebuilt.items():
            what = f"the log's {name} is not the one after {self.ledger.rows[-1].san}"
            self.ledger.expect(args[name] == value, ply, name, what)
        problem = self._running.move(ply, event.time)
        self.ledger.expect(problem is None, ply, "clock", problem or "")

    def _name(self, index: int) -> None:
        """Name a legal move on its row, or stop."""
        board, row = self._game.board, self.ledger.rows[-1]
        try:
            move = index_move(board, index)
        except IllegalIndex:
            where = "out of the table" if index >= POLICY_SIZE else f"not legal in {board.fen()}"
            self._fail("legal", f"index {index} is {where}")
        row.uci, row.san = move.uci(), board.san(move)
        self._expect(True, "legal", "")

    def _proven(self, side: bytes, args: dict[str, Any]) -> None:
        bot, ply = self._bots.get(side), self._game.ply
        if bot is None:
            self.ledger.leave(ply, "proof", "its bot's registration is missing")
            return
        statement = Statement.of(
            self._game.position,
            self._game.mask,
            args["index"],
            payee=int(args["payee"], 16),
            dice=dice(self._seed, ply, self._history),
        )
        self.docket.add(Claim(ply, bot, statement, args["proof"]))

    def _end(self, event: LogEvent, args: dict[str, Any]) -> None:
        try:
            claimed = Outcome(Result(args["result"]), Reason(args["reason"]))
        except ValueError:
            self._fail("encoding", "there is no such result or reason")
        if claimed == ONGOING:
            self._fail("result", "an end that ends nothing")
        self._ended = claimed
        expected = self._expected_end(claimed.reason, event, args["evidence"])
        self._expect(
            claimed == expected,
            "result",
            f"{claimed.result} by {claimed.reason}, where the rules say "
            f"{expected.result} by {expected.reason}",
        )

    def _expected_end(self, reason: Reason, event: LogEvent, evidence: bytes) -> Outcome:
        """How the game must have ended, if `reason` is to be believed."""
        by_itself = self._game.outcome()
        if by_itself == ONGOING and reason in _CLAIMS:
            message = Draw(self._id, self._game.ply, self._history)
            self._signed(message, evidence, self._player, "signature")
            self._timely(self._running.draw(event.time))
            return self._game.claim()
        if by_itself == ONGOING and reason is Reason.ABORTED:
            self._signed(Abort(self._id), evidence, self._player, "signature")
            played = self._game.played
            self._expect(played < ABORT_PLIES, "result", f"aborted after {played} plies")
            return ABORTED
        if by_itself == ONGOING and reason is Reason.RESIGNATION:
            self._signed(Resign(self._id), evidence, self._player, "signature")
            return Outcome(_win(side_player(self._opening.white) is None), reason)
        self._expect(not evidence, "result", "evidence where none is needed")
        if by_itself == ONGOING and reason is Reason.TIMEOUT:
            self._timely(self._running.timeout(event.time))
            return self._timeout()
        return by_itself

    def _timeout(self) -> Outcome:
        winner = not self._game.turn
        if self._game.board.has_insufficient_material(winner):
            return Outcome(Result.DRAW, Reason.TIMEOUT)
        return Outcome(_win(winner), Reason.TIMEOUT)

    def _finish(self) -> None:
        if self._ended is not None:
            return
        outcome = self._game.outcome()
        self._expect(outcome == ONGOING, "result", f"over by {outcome.reason}, and no end follows")
        if outcome == ONGOING and side_player(self._mover) is None:
            self.ledger.leave(self._game.ply, "proof", "the bot's move is still owed")

    # ---- small parts ----

    @property
    def _opening(self) -> Open:
        assert self._open is not None
        return self._open

    @property
    def _running(self) -> Clock:
        assert self._clock is not None
        return self._clock

    @property
    def _mover(self) -> bytes:
        return self._opening.white if self._game.turn == chess.WHITE else self._opening.black

    @property
    def _player(self) -> str | None:
        """The game's only player, if it has one."""
        return side_player(self._opening.white) or side_player(self._opening.black)

    @property
    def _ply(self) -> int | None:
        """The ply that a check is about: the row's, None before the first move."""
        return None if self._clock is None else self._game.ply

    @property
    def _status(self) -> str:
        if self._ended is not None:
            return str(self._ended.reason)
        return "in progress" if self.complete else "not followed to its end"

    def _side(self, side: bytes) -> SideReport:
        if not side:
            return SideReport("unknown", "")
        player = side_player(side)
        if player is not None:
            return SideReport("player", player)
        bot = self._bots.get(side)
        return bot.side() if bot is not None else SideReport("bot", "0x" + side.hex())

    def _arguments(self, event: LogEvent) -> dict[str, Any]:
        try:
            return arguments(event)
        except BadField as error:
            self._fail("encoding", f"{event.name}: {error}")

    def _own(self, event: LogEvent) -> dict[str, Any]:
        args = self._arguments(event)
        if args.get("game") != self._id:
            self._fail("order", f"{event.name} is of another game")
        return args

    def _signed(self, message: Message, signature: bytes, by: str | None, check: str) -> None:
        try:
            signer = message.signer(self._domain, signature)
        except BadSignature as error:
            self._expect(False, check, str(error))
        else:
            self._expect(signer == by, check, f"signed by {signer}, not {by}")

    def _timely(self, problem: str | None) -> None:
        self._expect(problem is None, "clock", problem or "")

    def _expect(self, ok: bool, check: str, what: str) -> None:
        self.ledger.expect(ok, self._ply, check, what)

    def _fail(self, check: str, what: str) -> NoReturn:
        """Write down a failure after which nothing can be followed."""
        self.ledger.expect(False, self._ply, check, what)
        raise _Stop


def _win(white: bool) -> Result:
    return Result.WHITE_WINS if white else Result.BLACK_WINS


def _plain(struct: dict[str, Any]) -> dict[str, Any]:
    return {k: "0x" + v.hex() if isinstance(v, bytes) else v for k, v in struct.items()}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {ChessRules} from "./ChessRules.sol";
import {Clock} from "./Clock.sol";
import {Context} from "./Context.sol";
import {Game, IArena, Open, Reason, Result} from "./IArena.sol";
import {IBotRegistry} from "./IBotRegistry.sol";
import {Statement} from "./IMoveVerifier.sol";
import {Material} from "./Material.sol";
import {Messages} from "./Messages.sol";
import {MoveStatement} from "./MoveStatement.sol";
import {Sides} from "./Sides.sol";
import {VerifierCall} from "./VerifierCall.sol";

/// @title The arena
/// @dev No owner, no money, no upgrade. Words are drawn where they belong: board and context in
///      ChessRules, public inputs in MoveStatement, signed messages in Messages, sides in Sides.
contract Arena is IArena {
    using Sides for bytes32;

    /// @notice Seconds that a claimed timeout leaves for a move.
    uint256 public constant GRACE = 60;
    uint256 public constant MAX_BASE = 365 days;
    /// @notice The most gas a verifier gets.
    uint256 public constant VERIFIER_GAS = VerifierCall.GAS_CAP;

    uint256 private constant START_BOARD = 0xa89cb98a77777777000000000000000000000000000000001111111142365324;

    IBotRegistry public immutable registry;

    mapping(bytes32 id => Game) private _games;

    /// @dev How often each position occurred, by keccak256(game | board | castling, en passant | parity).
    mapping(bytes32 key => uint256) private _occurrences;

    constructor(IBotRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc IArena
    function openGame(Open calldata open, bytes calldata signature, bytes32 secret)
        external
        returns (bytes32 id)
    {
        if (block.timestamp > open.expires) revert OpenExpired(open.expires, block.timestamp);
        if (open.start != 0) revert UnsupportedStart(open.start);
        if (open.baseSeconds == 0 || open.baseSeconds > MAX_BASE) revert BadClock(open.baseSeconds);
        bytes32 commitment = keccak256(abi.encode(secret));
        if (commitment != open.commitment) revert BadSecret(open.commitment, commitment);
        _checkSides(open.white, open.black);
        id = Messages.openDigest(open);
        if (_games[id].lastMoveAt != 0) revert GameExists(id);
        Messages.check(open.opener, id, signature);

        _games[id] = Game({
            board: START_BOARD,
            context: uint24(Context.START),
            ply: 0,
            result: Result.Ongoing,
            reason: Reason.None,
            lastMoveAt: uint40(block.timestamp),
            whiteClock: open.baseSeconds,
            blackClock: open.baseSeconds,
            graceUntil: 0,
            incrementSeconds: open.incrementSeconds,
            delaySeconds: open.delaySeconds,
            history: id,
            seed: keccak256(abi.encode(secret, open.seed)),
            white: open.white,
            black: open.black
        });
        _countOccurrence(id, START_BOARD, Context.START, 0);
        emit GameOpened(id, open.opener, open, secret, signature);
    }

    /// @inheritdoc IArena
    function move(bytes32 id, uint256 ply, uint256 index, bytes calldata signature) external {
        Game memory g = _onMove(id, ply);
        bytes32 side = _mover(g);
        if (!side.isPlayer()) revert NotPlayersTurn(ply);
        Messages.check(side.player(), Messages.moveDigest(id, ply, g.history, index), signature);
        _mustBeLegal(ChessRules.legalMask(g.board, g.context), index);
        uint256 repetitions = _play(id, g, index);
        emit PlayerMoved(id, uint16(ply), uint16(index), signature, g.board, g.context, g.history);
        _conclude(id, g, repetitions);
    }

    /// @inheritdoc IArena
    function submitBotMove(bytes32 id, uint256 ply, uint256 index, address payee, bytes calldata proof)
        external
    {
        Game memory g = _onMove(id, ply);
        bytes32 side = _mover(g);
        if (side.isPlayer()) revert NotBotsTurn(ply);
        Statement memory claim = _statement(g, index, payee);
        _mustBeLegal(claim.mask, index);
        (address verifier, bytes32 codeHash) = registry.binding(side);
        VerifierCall.check(verifier, codeHash, claim, proof);
        uint256 repetitions = _play(id, g, index);
        emit BotMoved(id, uint16(ply), uint16(index), payee, proof, g.board, g.context, g.history);
        _conclude(id, g, repetitions);
    }

    /// @inheritdoc IArena
    function resign(bytes32 id, bytes calldata signature) external {
        Game memory g = _ongoing(id);
        bool white = g.white.isPlayer();
        Messages.check(_player(g), Messages.resignDigest(id), signature);
        _end(id, white ? Result.BlackWins : Result.WhiteWins, Reason.Resignation, signature);
    }

    /// @inheritdoc IArena
    function claimDraw(bytes32 id, uint256 ply, bytes calldata signature) external {
        Game memory g = _onMove(id, ply);
        Messages.check(_player(g), Messages.drawDigest(id, ply, g.history), signature);
        uint256 repetitions = Context.repetitions(g.context);
        uint256 halfmoves = Context.halfmoves(g.context);
        if (repetitions >= 2) _end(id, Result.Draw, Reason.ThreefoldClaim, signature);
        else if (halfmoves >= 100) _end(id, Result.Draw, Reason.FiftyMovesClaim, signature);
        else revert NothingToClaim(repetitions, halfmoves);
    }

    /// @inheritdoc IArena
    function claimTimeout(bytes32 id) external {
        Game memory g = _ongoing(id);
        if (g.graceUntil == 0) {
            uint256 end = Clock.runsOutAt(g);
            if (block.timestamp < end) revert TimeLeft(end);
            uint256 deadline = block.timestamp + GRACE;
            _games[id].graceUntil = uint40(deadline);
            emit TimeoutClaimed(id, g.ply, uint64(deadline));
            return;
        }
        if (block.timestamp <= g.graceUntil) revert GraceRunning(g.graceUntil);
        Result result = Material.cannotMate(g.board) ? Result.Draw : _winner(g.ply + 1);
        _end(id, result, Reason.Timeout, "");
    }

    /// @inheritdoc IArena
    function game(bytes32 id) external view returns (Game memory) {
        return _known(id);
    }

    /// @inheritdoc IArena
    function legalMask(bytes32 id) external view returns (uint256[8] memory) {
        Game memory g = _known(id);
        return ChessRules.legalMask(g.board, g.context);
    }

    /// @inheritdoc IArena
    function statement(bytes32 id, uint256 index, address payee) external view returns (Statement memory) {
        return _statement(_known(id), index, payee);
    }

    /// @inheritdoc IArena
    function gameId(Open calldata open) external view returns (bytes32) {
        return Messages.openDigest(open);
    }

    // ---- sequence ----

    function _known(bytes32 id) private view returns (Game memory g) {
        g = _games[id];
        if (g.lastMoveAt == 0) revert GameUnknown(id);
    }

    function _ongoing(bytes32 id) private view returns (Game memory g) {
        g = _known(id);
        if (g.result != Result.Ongoing) revert GameOver(id, g.result);
    }

    /// @dev The game, if it goes on, is at `ply`, and its mover still may act.
    function _onMove(bytes32 id, uint256 ply) private view returns (Game memory g) {
        g = _ongoing(id);
        if (g.ply != ply) revert StalePly(g.ply, ply);
        if (g.graceUntil != 0 && block.timestamp > g.graceUntil) revert GraceOver(g.graceUntil);
    }

    function _mustBeLegal(uint256[8] memory mask, uint256 index) private pure {
        if (!ChessRules.isLegal(mask, index)) revert IllegalMove(index);
    }

    // ---- sides ----

    function _checkSides(bytes32 white, bytes32 black) private view {
        if (white.isPlayer() && black.isPlayer()) revert NoBot();
        _checkSide(white);
        _checkSide(black);
    }

    function _checkSide(bytes32 side) private view {
        if (side.isPlayer()) return;
        bytes32 found = registry.statementOf(side);
        if (found != MoveStatement.ID) revert UnsupportedStatement(side, found);
    }

    function _mover(Game memory g) private pure returns (bytes32) {
        return g.ply & 1 == 0 ? g.white : g.black;
    }

    /// @dev The game's player, of whom there is one at most; zero between bots, and zero signs nothing.
    function _player(Game memory g) private pure returns (address) {
        if (g.white.isPlayer()) return g.white.player();
        return g.black.isPlayer() ? g.black.player() : address(0);
    }

    // ---- moves ----

    function _statement(Game memory g, uint256 index, address payee) private pure returns (Statement memory) {
        return Statement({
            board: g.board,
            context: g.context,
            payee: payee,
            dice: Messages.dice(g.seed, g.ply, g.history),
            index: index,
            mask: ChessRules.legalMask(g.board, g.context)
        });
    }

    /// @dev Moves `g` on by a legal move and stores what changed.
    /// @return before How often the new position occurred before.
    function _play(bytes32 id, Game memory g, uint256 index) private returns (uint256 before) {
        (uint256 board, uint256 context) = ChessRules.play(g.board, g.context, index);
        Clock.press(g);
        g.ply += 1;
        before = _countOccurrence(id, board, context, g.ply);
        g.board = board;
        g.context = uint24(Context.withRepetitions(context, before));
        g.history = Messages.nextHistory(g.history, index);

        Game storage stored = _games[id];
        stored.board = g.board;
        stored.context = g.context;
        stored.ply = g.ply;
        stored.lastMoveAt = g.lastMoveAt;
        stored.whiteClock = g.whiteClock;
        stored.blackClock = g.blackClock;
        stored.graceUntil = g.graceUntil;
        stored.history = g.history;
    }

    /// @return before The occurrences before this one.
    function _countOccurrence(bytes32 id, uint256 board, uint256 context, uint256 ply)
        private
        returns (uint256 before)
    {
        bytes32 key = keccak256(abi.encode(id, board, Context.identity(context), ply & 1));
        before = _occurrences[key];
        _occurrences[key] = before + 1;
    }

    // ---- endings ----

    /// @dev Ends the game if the position after a move does so by itself.
    function _conclude(bytes32 id, Game memory g, uint256 repetitions) private {
        if (!ChessRules.hasLegalMove(ChessRules.legalMask(g.board, g.context))) {
            if (ChessRules.inCheck(g.board)) _end(id, _winner(g.ply + 1), Reason.Checkmate, "");
            else _end(id, Result.Draw, Reason.Stalemate, "");
        } else if (ChessRules.insufficientMaterial(g.board)) {
            _end(id, Result.Draw, Reason.InsufficientMaterial, "");
        } else if (Context.halfmoves(g.context) >= 150) {
            _end(id, Result.Draw, Reason.SeventyFiveMoves, "");
        } else if (repetitions >= 4) {
            _end(id, Result.Draw, Reason.FivefoldRepetition, "");
        }
    }

    /// @dev The win of the side that moves at `ply`.
    function _winner(uint256 ply) private pure returns (Result) {
        return ply & 1 == 0 ? Result.WhiteWins : Result.BlackWins;
    }

    function _end(bytes32 id, Result result, Reason reason, bytes memory evidence) private {
        _games[id].result = result;
        _games[id].reason = reason;
        emit GameEnded(id, result, reason, evidence);
    }
}

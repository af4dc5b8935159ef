// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {ChessRules} from "./ChessRules.sol";
import {Clock} from "./Clock.sol";
import {Context} from "./Context.sol";
import {GameStore, Stored} from "./GameStore.sol";
import {Game, IArena, Open, Reason, Result} from "./IArena.sol";
import {IBotRegistry} from "./IBotRegistry.sol";
import {Statement} from "./IMoveVerifier.sol";
import {Material} from "./Material.sol";
import {Messages} from "./Messages.sol";
import {MoveStatement} from "./MoveStatement.sol";
import {PolicyTable} from "./PolicyTable.sol";
import {QUIET_WORDS, QuietMoves} from "./QuietMoves.sol";
import {Sides} from "./Sides.sol";
import {Start} from "./Start.sol";
import {VerifierCall} from "./VerifierCall.sol";

/// @title The arena
/// @dev No owner, no money, no upgrade. Words are drawn where they belong: board and context in
///      ChessRules, a game's start in Start, its storage in GameStore and QuietMoves, public inputs in
///      MoveStatement, signed messages in Messages, sides in Sides.
contract Arena is IArena {
    using GameStore for Stored;
    using QuietMoves for uint256[QUIET_WORDS];
    using Sides for bytes32;

    /// @notice Seconds that a claimed timeout leaves for a move.
    uint256 public constant GRACE = 60;
    uint256 public constant MAX_BASE = 365 days;
    /// @notice The most gas a verifier gets.
    uint256 public constant VERIFIER_GAS = VerifierCall.GAS_CAP;

    uint256 private constant ABORT_PLIES = 2;

    IBotRegistry public immutable registry;

    mapping(bytes32 id => Stored) private _games;

    constructor(IBotRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc IArena
    function openGame(Open calldata open, bytes calldata signature, bytes32 secret)
        external
        returns (bytes32 id)
    {
        if (block.timestamp > open.expires) revert OpenExpired(open.expires, block.timestamp);
        if (open.baseSeconds == 0 || open.baseSeconds > MAX_BASE) revert BadClock(open.baseSeconds);
        bytes32 commitment = keccak256(abi.encode(secret));
        if (commitment != open.commitment) revert BadSecret(open.commitment, commitment);
        _checkSides(open.white, open.black);
        id = Messages.openDigest(open);
        Stored storage stored = _games[id];
        if (stored.packed != 0) revert GameExists(id);
        Messages.check(open.opener, id, signature);

        Game memory g;
        (g.board, g.context, g.firstPly) = Start.read(open.start, open.startContext);
        g.ply = g.firstPly;
        g.lastMoveAt = uint40(block.timestamp);
        g.whiteClock = open.baseSeconds;
        g.blackClock = open.baseSeconds;
        g.incrementSeconds = open.incrementSeconds;
        g.delaySeconds = open.delaySeconds;
        g.history = id;
        stored.save(g, 0);
        stored.seed = keccak256(abi.encode(secret, open.seed));
        stored.white = open.white;
        stored.black = open.black;
        emit GameOpened(id, open.opener, open, secret, signature);
    }

    /// @inheritdoc IArena
    function move(bytes32 id, uint256 ply, uint256 index, bytes calldata signature) external {
        (Game memory g, uint256 quiet) = _onMove(id, ply);
        bytes32 side = _mover(id, ply);
        if (!side.isPlayer()) revert NotPlayersTurn(ply);
        Messages.check(side.player(), Messages.moveDigest(id, ply, g.history, index), signature);
        if (!ChessRules.isLegal(g.board, g.context, index)) revert IllegalMove(index);
        uint256 repetitions = _play(id, g, quiet, index);
        emit PlayerMoved(id, uint16(ply), uint16(index), signature, g.board, g.context, g.history);
        _conclude(id, g, repetitions);
    }

    /// @inheritdoc IArena
    function submitBotMove(bytes32 id, uint256 ply, uint256 index, address payee, bytes calldata proof)
        external
    {
        (Game memory g, uint256 quiet) = _onMove(id, ply);
        bytes32 side = _mover(id, ply);
        if (side.isPlayer()) revert NotBotsTurn(ply);
        Statement memory claim = _statement(id, g, index, payee);
        if (!ChessRules.isLegal(claim.mask, index)) revert IllegalMove(index);
        (address verifier, bytes32 codeHash) = registry.binding(side);
        VerifierCall.check(verifier, codeHash, claim, proof);
        uint256 repetitions = _play(id, g, quiet, index);
        emit BotMoved(id, uint16(ply), uint16(index), payee, proof, g.board, g.context, g.history);
        _conclude(id, g, repetitions);
    }

    /// @inheritdoc IArena
    function resign(bytes32 id, bytes calldata signature) external {
        _ongoing(id);
        Messages.check(_player(id), Messages.resignDigest(id), signature);
        bool white = _games[id].white.isPlayer();
        _end(id, white ? Result.BlackWins : Result.WhiteWins, Reason.Resignation, signature);
    }

    /// @inheritdoc IArena
    function abort(bytes32 id, bytes calldata signature) external {
        (Game memory g,) = _ongoing(id);
        if (g.ply >= g.firstPly + ABORT_PLIES) revert TooLateToAbort(g.ply);
        Messages.check(_player(id), Messages.abortDigest(id), signature);
        _end(id, Result.Aborted, Reason.Aborted, signature);
    }

    /// @inheritdoc IArena
    function claimDraw(bytes32 id, uint256 ply, bytes calldata signature) external {
        (Game memory g,) = _onMove(id, ply);
        Messages.check(_player(id), Messages.drawDigest(id, ply, g.history), signature);
        uint256 repetitions = Context.repetitions(g.context);
        uint256 halfmoves = Context.halfmoves(g.context);
        if (repetitions >= 2) _end(id, Result.Draw, Reason.ThreefoldClaim, signature);
        else if (halfmoves >= 100) _end(id, Result.Draw, Reason.FiftyMovesClaim, signature);
        else revert NothingToClaim(repetitions, halfmoves);
    }

    /// @inheritdoc IArena
    function claimTimeout(bytes32 id) external {
        (Game memory g,) = _ongoing(id);
        if (g.graceUntil == 0) {
            uint256 end = Clock.runsOutAt(g);
            if (block.timestamp < end) revert TimeLeft(end);
            uint256 deadline = block.timestamp + GRACE;
            _games[id].openGrace(deadline);
            emit TimeoutClaimed(id, g.ply, uint64(deadline));
            return;
        }
        if (block.timestamp <= g.graceUntil) revert GraceRunning(g.graceUntil);
        Result result = Material.cannotMate(g.board) ? Result.Draw : _winner(g.ply + 1);
        _end(id, result, Reason.Timeout, "");
    }

    /// @inheritdoc IArena
    function game(bytes32 id) external view returns (Game memory g) {
        (g,) = _known(id);
        Stored storage stored = _games[id];
        (g.seed, g.white, g.black) = (stored.seed, stored.white, stored.black);
    }

    /// @inheritdoc IArena
    function legalMask(bytes32 id) external view returns (uint256[8] memory) {
        (Game memory g,) = _known(id);
        return ChessRules.legalMask(g.board, g.context);
    }

    /// @inheritdoc IArena
    function statement(bytes32 id, uint256 index, address payee) external view returns (Statement memory) {
        (Game memory g,) = _known(id);
        return _statement(id, g, index, payee);
    }

    /// @inheritdoc IArena
    function gameId(Open calldata open) external view returns (bytes32) {
        return Messages.openDigest(open);
    }

    // ---- sequence ----

    /// @dev What moves change of a game, and how many quiet moves it keeps; seed and sides are left out.
    function _known(bytes32 id) private view returns (Game memory g, uint256 quiet) {
        (g, quiet) = _games[id].load();
        if (g.lastMoveAt == 0) revert GameUnknown(id);
    }

    /// @dev The same if it goes on.
    function _ongoing(bytes32 id) private view returns (Game memory g, uint256 quiet) {
        (g, quiet) = _known(id);
        if (g.result != Result.Ongoing) revert GameOver(id, g.result);
    }

    /// @dev The same if it goes on, is at `ply`, and its mover still may act.
    function _onMove(bytes32 id, uint256 ply) private view returns (Game memory g, uint256 quiet) {
        (g, quiet) = _ongoing(id);
        if (g.ply != ply) revert StalePly(g.ply, ply);
        if (g.graceUntil != 0 && block.timestamp > g.graceUntil) revert GraceOver(g.graceUntil);
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

    function _mover(bytes32 id, uint256 ply) private view returns (bytes32) {
        return ply & 1 == 0 ? _games[id].white : _games[id].black;
    }

    /// @dev The game's player, of whom there is one at most; zero between bots, and zero signs nothing.
    function _player(bytes32 id) private view returns (address) {
        bytes32 white = _games[id].white;
        if (white.isPlayer()) return white.player();
        bytes32 black = _games[id].black;
        return black.isPlayer() ? black.player() : address(0);
    }

    // ---- moves ----

    function _statement(bytes32 id, Game memory g, uint256 index, address payee)
        private
        view
        returns (Statement memory)
    {
        return Statement({
            board: g.board,
            context: g.context,
            payee: payee,
            dice: Messages.dice(_games[id].seed, g.ply, g.history),
            index: index,
            mask: ChessRules.legalMask(g.board, g.context)
        });
    }

    /// @dev Moves `g` on by a legal move and stores what changed.
    /// @param quiet How many quiet moves are kept, see QuietMoves.
    /// @return before How often the new position occurred before.
    function _play(bytes32 id, Game memory g, uint256 quiet, uint256 index) private returns (uint256 before) {
        Stored storage stored = _games[id];
        (uint256 from, uint256 to, uint256 promotion) = PolicyTable.read(index);
        (uint256 board, uint256 context) = ChessRules.play(g.board, g.context, from, to, promotion);
        if (Context.isQuiet(g.context, context)) {
            stored.quiet.add(quiet++, from, to);
            before = stored.quiet.repetitions(quiet, board);
        } else {
            quiet = 0;
        }
        Clock.press(g);
        g.ply += 1;
        g.board = board;
        g.context = uint24(Context.withRepetitions(context, before));
        g.history = Messages.nextHistory(g.history, index);
        stored.save(g, quiet);
    }

    // ---- endings ----

    /// @dev Ends the game if the position after a move does so by itself.
    function _conclude(bytes32 id, Game memory g, uint256 repetitions) private {
        if (!ChessRules.hasLegalMove(g.board, g.context)) {
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
        _games[id].end(result, reason);
        emit GameEnded(id, result, reason, evidence);
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Bitboard} from "./Bitboard.sol";
import {ChessRules} from "./ChessRules.sol";
import {Context} from "./Context.sol";
import {IArena} from "./IArena.sol";

/// @title Where a game begins
/// @dev Two words, signed in Open. The first is the board word, the second, from its highest bit:
///
///       | 3 zero bits | 1 bit: Black moves first | 20 bits: context word |
///
///      Board and context are drawn at ChessRules, seen by the side that moves first. Both words
///      zero are the usual position.
library Start {
    using Bitboard for uint256;

    uint256 private constant USUAL = 0xa89cb98a77777777000000000000000000000000000000001111111142365324;
    uint24 private constant BLACK_FIRST = 1 << 20;
    uint256 private constant BACK_RANKS = 0x1111111100000000000000000000000000000000000000000000000011111111;
    uint256 private constant BYTES = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant MAX_HALFMOVES = 149; // a game of 150 is over

    /// @notice The position that the words are. Reverts where no game may begin.
    /// @return board Its board word.
    /// @return context Its context word.
    /// @return firstPly 0 if White moves first, 1 if Black does: White's plies are the even ones.
    function read(bytes32 start, uint24 startContext)
        internal
        pure
        returns (uint256 board, uint24 context, uint8 firstPly)
    {
        if (start == 0 && startContext == 0) return (USUAL, uint24(Context.START), 0);
        (board, context) = (uint256(start), startContext & ~BLACK_FIRST);
        if (!isPlayable(board, context)) revert IArena.IllegalStart(start, startContext);
        firstPly = context == startContext ? 0 : 1;
    }

    /// @notice Whether a game may begin here: the words are such as play leads to, as far as they
    ///         show it, and the game is not over.
    /// @dev What is asked of a position is what python-chess's `is_valid` asks; that no side has more
    ///      pieces than its missing pawns account for; that a pawn which can be taken in passing
    ///      really came through just now, and gave no check before; a counter below 75 moves; and
    ///      the encoder's one way of writing it: no earlier occurrences, and an en-passant file only
    ///      where such a capture is legal.
    function isPlayable(uint256 board, uint256 context) internal pure returns (bool) {
        if (context >> 18 != 0 || context & 0x300 != 0) return false;
        if (Context.halfmoves(context) > MAX_HALFMOVES) return false;
        if (board >> 3 & board >> 2 & (board | board >> 1) & Bitboard.ALL != 0) return false; // codes 13 to 15
        uint256 turned = board.turned();
        if (!_isArmy(board) || !_isArmy(turned)) return false;
        if (!_hasRights(board, context) || !_hasRights(turned, context >> 2)) return false;
        if (board.ownKing().kingSteps() & board.theirKing() != 0 || ChessRules.inCheck(turned)) return false;
        bool reachable = context & 0xf0 == 0 ? _canBeChecked(board) : _cameThrough(board, context);
        return reachable && ChessRules.hasLegalMove(board, context) && !ChessRules.insufficientMaterial(board);
    }

    /// @dev Whether the mover has one king, no pawn on a back rank, and at most sixteen men, of which
    ///      those that only a promotion can bring are no more than the pawns that are gone.
    function _isArmy(uint256 board) private pure returns (bool) {
        uint256 king = board.ownKing();
        uint256 pawns = board.ownPawns();
        (uint256 diagonal, uint256 straight) = (board.ownDiagonal(), board.ownStraight());
        uint256 bishops = diagonal & ~straight;
        unchecked {
            if (king == 0 || king & (king - 1) != 0 || pawns & BACK_RANKS != 0) return false;
            uint256 promoted = _beyond(1, diagonal & straight) + _beyond(2, straight & ~diagonal)
                + _beyond(2, board.ownKnights()) + _beyond(1, bishops & Bitboard.DARK)
                + _beyond(1, bishops & ~Bitboard.DARK);
            return _count(pawns) + promoted <= 8;
        }
    }

    /// @dev Whether king and rooks are at home for the mover's rights, the lowest two bits.
    function _hasRights(uint256 board, uint256 rights) private pure returns (bool) {
        if (rights & 3 == 0) return true;
        if (board >> 16 & 15 != 6) return false;
        return (rights & 1 == 0 || board >> 28 & 15 == 4) && (rights & 2 == 0 || board & 15 == 4);
    }

    /// @dev Whether one move can have given all the checks: two at most, and not along one line.
    function _canBeChecked(uint256 board) private pure returns (bool) {
        uint256 checkers = ChessRules.checkersOf(board);
        if (_beyond(1, checkers) == 0) return true;
        if (_beyond(2, checkers) != 0) return false;
        uint256 king = board.ownKing();
        uint256 all = Bitboard.ALL;
        return _beyond(1, checkers & (king.rayUp(all, 32, all) | king.rayDown(all, 32, all))) == 0
            && _beyond(
                1, checkers & (king.rayUp(all, 4, Bitboard.NOT_A) | king.rayDown(all, 4, Bitboard.NOT_H))
            ) == 0
            && _beyond(
                1, checkers & (king.rayUp(all, 36, Bitboard.NOT_A) | king.rayDown(all, 36, Bitboard.NOT_H))
            ) == 0
            && _beyond(
                1, checkers & (king.rayUp(all, 28, Bitboard.NOT_H) | king.rayDown(all, 28, Bitboard.NOT_A))
            ) == 0;
    }

    /// @dev Whether the last move can have been the two squares of a pawn on the context's file, and
    ///      the mover may take it. Then the mover was not in check before that move.
    function _cameThrough(uint256 board, uint256 context) private pure returns (bool) {
        uint256 file = (context >> 4 & 15) - 1;
        if (file > 7 || Context.halfmoves(context) != 0) return false;
        uint256 pawn = 1 << (128 + 4 * file);
        if (board.theirPawns() & pawn == 0) return false;
        if (board.occupied() & (pawn << 32 | pawn << 64) != 0) return false;
        if (ChessRules.enPassant(board, file) == 0) return false;
        return !ChessRules.inCheck(board ^ 7 * (pawn | pawn << 64));
    }

    /// @dev How many squares of a set are more than `allowed`.
    function _beyond(uint256 allowed, uint256 set) private pure returns (uint256) {
        uint256 count = _count(set);
        return count > allowed ? count - allowed : 0;
    }

    /// @dev The size of a set of squares: neighbours are added up, then all bytes in the highest one.
    function _count(uint256 set) private pure returns (uint256) {
        unchecked {
            return ((set & BYTES) + (set >> 4 & BYTES)) * BYTES >> 248;
        }
    }
}

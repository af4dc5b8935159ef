// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @dev A game ends at 150 moves without a capture or a pawn's move, and 21 go into a word.
uint256 constant QUIET_WORDS = 8;

/// @title The moves that can be taken back, which is how repetitions are found
/// @dev A position is the same as an earlier one if the mover, the pieces on their squares, castling
///      rights and en-passant rights are (FIDE 9.2). A move that changes for good what can come
///      after it parts the positions before it from those behind it: a pawn's move, a capture,
///      castling, the loss of a castling right, and whatever move is played instead of taking en
///      passant. All others are quiet: a piece goes to an empty square, and nothing else changes.
///      So only the positions between the last loud move and now can be the present one, and they
///      are had by taking quiet moves back, one after another. Nothing is hashed: what is compared
///      are whole boards.
///
///      A game keeps its quiet moves since the last loud one, twelve bits each, 21 to a word. The
///      latest move of a word is at its bottom, and in a word that is full move 21k at the top:
///
///      word k  | 4 bits | move 21k | ... | move 21k + 20 |        move  | from 6 | to 6 |
///
///      Squares are their mover's. What lies above the moves that count, or in words beyond them, is
///      left from earlier and means nothing.
library QuietMoves {
    uint256 private constant PER_WORD = 21;
    uint256 private constant MOVE_BITS = 12;
    uint256 private constant BOTH_RANKS = 56 | 56 << 6; // turns both squares to the other side

    /// @notice Keep a quiet move, the first after `count` others.
    function add(uint256[QUIET_WORDS] storage words, uint256 count, uint256 from, uint256 to) internal {
        uint256 index = count / PER_WORD;
        words[index] = words[index] << MOVE_BITS | from << 6 | to;
    }

    /// @notice How many of the positions before these `count` moves have the pieces where `board` has them, and the
    ///         same side to move.
    /// @param board The position after the last of the moves, turned to its mover.
    function repetitions(uint256[QUIET_WORDS] storage words, uint256 count, uint256 board)
        internal
        view
        returns (uint256 found)
    {
        if (count < 4) return 0; // two sides, each there and back
        unchecked {
            uint256 earlier = board;
            uint256 turn = BOTH_RANKS; // the last move was the other side's
            uint256 index = (count - 1) / PER_WORD;
            uint256 left = count - index * PER_WORD;
            while (true) {
                uint256 word = words[index];
                do {
                    uint256 move = word ^ turn;
                    uint256 from = move >> 4 & 252; // four bits of the board a square
                    uint256 to = move << 2 & 252;
                    uint256 piece = earlier >> to & 15;
                    earlier ^= piece << to | piece << from;
                    turn ^= BOTH_RANKS;
                    if (earlier == board && turn != 0) ++found;
                    word >>= MOVE_BITS;
                } while (--left != 0);
                if (index == 0) return found;
                --index;
                left = PER_WORD;
            }
        }
    }
}

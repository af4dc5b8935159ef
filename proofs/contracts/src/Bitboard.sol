// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

// The board word keeps four bits a square, square s (a1 = 0, b1 = 1, .. h8 = 63) at bit 4s:
//
//   0 empty    1..6 own P N B R Q K    7..12 their P N B R Q K    13..15 never
//
// One bit of every nibble makes a set of squares: square s at bit 4s, the other three bits zero. A step is a shift:
//
//   +28 +32 +36        the mover plays up the board, ranks are 32 bits
//    -4   .  +4
//   -36 -32 -28
//
//   code  own P 0001 N 0010 B 0011 R 0100 Q 0101 K 0110   their P 0111 N 1000 B 1001 R 1010 Q 1011 K 1100

/// Sets of squares, read from a board word and moved over it.
library Bitboard {
    uint256 internal constant ALL = 0x1111111111111111111111111111111111111111111111111111111111111111;
    uint256 internal constant NOT_A = 0x1111111011111110111111101111111011111110111111101111111011111110;
    uint256 internal constant NOT_H = 0x0111111101111111011111110111111101111111011111110111111101111111;
    uint256 internal constant NOT_AB = NOT_A & (NOT_A << 4);
    uint256 internal constant NOT_GH = NOT_H & (NOT_H >> 4);
    uint256 private constant EVEN_64 = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant EVEN_32 = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 internal constant DARK = 0x1010101001010101101010100101010110101010010101011010101001010101;

    function occupied(uint256 board) internal pure returns (uint256) {
        return (board | board >> 1 | board >> 2 | board >> 3) & ALL;
    }

    function theirs(uint256 board) internal pure returns (uint256) {
        return (board >> 3 | (board & board >> 1 & board >> 2)) & ALL;
    }

    function ownPawns(uint256 board) internal pure returns (uint256) {
        return board & ~(board >> 1 | board >> 2 | board >> 3) & ALL;
    }

    function ownKnights(uint256 board) internal pure returns (uint256) {
        return board >> 1 & ~(board | board >> 2 | board >> 3) & ALL;
    }

    /// Own bishops and queens.
    function ownDiagonal(uint256 board) internal pure returns (uint256) {
        return board & (board >> 1 ^ board >> 2) & ~(board >> 3) & ALL;
    }

    /// Own rooks and queens.
    function ownStraight(uint256 board) internal pure returns (uint256) {
        return board >> 2 & ~(board >> 1 | board >> 3) & ALL;
    }

    function ownKing(uint256 board) internal pure returns (uint256) {
        return board >> 2 & board >> 1 & ~board & ALL;
    }

    function theirPawns(uint256 board) internal pure returns (uint256) {
        return board >> 2 & board >> 1 & board & ALL;
    }

    function theirKnights(uint256 board) internal pure returns (uint256) {
        return board >> 3 & ~(board | board >> 1 | board >> 2) & ALL;
    }

    /// Their bishops and queens.
    function theirDiagonal(uint256 board) internal pure returns (uint256) {
        return board >> 3 & board & ALL;
    }

    /// Their rooks and queens.
    function theirStraight(uint256 board) internal pure returns (uint256) {
        return board >> 3 & board >> 1 & ALL;
    }

    function theirKing(uint256 board) internal pure returns (uint256) {
        return board >> 3 & board >> 2 & ALL;
    }

    /// The squares from which, or to which, a knight jumps.
    function knightSteps(uint256 set) internal pure returns (uint256) {
        uint256 oneAside = (set << 4 & NOT_A) | (set >> 4 & NOT_H);
        uint256 twoAside = (set << 8 & NOT_AB) | (set >> 8 & NOT_GH);
        return oneAside << 64 | oneAside >> 64 | twoAside << 32 | twoAside >> 32;
    }

    function kingSteps(uint256 set) internal pure returns (uint256) {
        uint256 row = set | (set << 4 & NOT_A) | (set >> 4 & NOT_H);
        return (row | row << 32 | row >> 32) & ~set;
    }

    /// The squares that their pawns attack: they move down the board.
    function theirPawnSteps(uint256 pawns) internal pure returns (uint256) {
        return (pawns >> 36 & NOT_H) | (pawns >> 28 & NOT_A);
    }

    /// The squares up to and including the first piece, going by `shift` bits up from each square of `set`
    /// (Kogge-Stone). `enterable` is every square but those that only a step over the board's edge could enter.
    function rayUp(uint256 set, uint256 empty, uint256 shift, uint256 enterable)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 open = empty & enterable;
            set |= open & set << shift;
            open &= open << shift;
            set |= open & set << 2 * shift;
            open &= open << 2 * shift;
            set |= open & set << 4 * shift;
            return set << shift & enterable;
        }
    }

    /// The same, going down.
    function rayDown(uint256 set, uint256 empty, uint256 shift, uint256 enterable)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 open = empty & enterable;
            set |= open & set >> shift;
            open &= open >> shift;
            set |= open & set >> 2 * shift;
            open &= open >> 2 * shift;
            set |= open & set >> 4 * shift;
            return set >> shift & enterable;
        }
    }

    /// What bishops on `set` attack.
    function diagonals(uint256 set, uint256 empty) internal pure returns (uint256) {
        return rayUp(set, empty, 36, NOT_A) | rayUp(set, empty, 28, NOT_H) | rayDown(set, empty, 36, NOT_H)
            | rayDown(set, empty, 28, NOT_A);
    }

    /// What rooks on `set` attack.
    function straights(uint256 set, uint256 empty) internal pure returns (uint256) {
        return rayUp(set, empty, 32, ALL) | rayUp(set, empty, 4, NOT_A) | rayDown(set, empty, 32, ALL)
            | rayDown(set, empty, 4, NOT_H);
    }

    /// The same position seen by the other side: ranks reversed, colours swapped.
    function turned(uint256 board) internal pure returns (uint256) {
        unchecked {
            uint256 their = theirs(board);
            board = board + 6 * (occupied(board) ^ their) - 6 * their;
        }
        board = board >> 128 | board << 128;
        board = (board >> 64 & EVEN_64) | (board & EVEN_64) << 64;
        return (board >> 32 & EVEN_32) | (board & EVEN_32) << 32;
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Bitboard} from "./Bitboard.sol";
import {PolicyTable} from "./PolicyTable.sol";

// A position is two words, both seen by its mover: when Black is to move, ranks are flipped and colours swapped.
//
//   board word, 256 bits: four bits a square, here those of the usual start in hexadecimal
//
//          h g f e d c b a
//       8  a 8 9 c b 9 8 a  bits 224..255    own        P 1  N 2  B 3  R 4  Q 5  K 6
//       7  7 7 7 7 7 7 7 7  bits 192..223    their      P 7  N 8  B 9  R a  Q b  K c
//       6  0 0 0 0 0 0 0 0  bits 160..191    empty      0
//       5  0 0 0 0 0 0 0 0  bits 128..159    never      d e f
//       4  0 0 0 0 0 0 0 0  bits  96..127
//       3  0 0 0 0 0 0 0 0  bits  64..95     square s   bits 4s..4s+3
//       2  1 1 1 1 1 1 1 1  bits  32..63                (a1 = 0, b1 = 1, .. h8 = 63)
//       1  4 2 3 6 5 3 2 4  bits   0..31
//
//   context word, 20 bits:
//
//        19     18 17          10 9       8 7      4   3     2     1     0
//       +---------+--------------+---------+--------+-----+-----+-----+-----+
//       |  zero   |  halfmoves   | earlier |  file  |their|their| own | own |
//       |         |              |         |        |O-O-O| O-O |O-O-O| O-O |
//       +---------+--------------+---------+--------+-----+-----+-----+-----+
//
//       halfmoves   plies since the last capture or pawn move, at most 255
//       earlier     occurrences of this position before in the game, 2 for two or more
//       file        a = 1 .. h = 8 of a pawn that can legally be taken in passing, else 0
//       the rest    rights to castle
//
//   mask, 1858 bits: bit i at mask[i >> 8] >> (i & 255), set if policy index i is a legal move
//   policy index: Lc0's move table, see PolicyTable. Bare from-to of a pawn onto the last rank is the knight
//       promotion; castling is the king taking his own rook.

/// The rules of chess over packed positions. Every function expects a position that play could have reached: one king
/// a side, no pawn on the first or last rank, the side not to move not in check.
library ChessRules {
    using Bitboard for uint256;

    uint256 private constant PAWN = 1;
    uint256 private constant KNIGHT = 2;
    uint256 private constant ROOK = 4;
    uint256 private constant KING = 6;
    uint256 private constant THEIR_PAWN = 7;

    uint256 private constant RANK_3 = 0x11111111 << 64;

    // The rooks' squares, as shifts of the board word.
    uint256 private constant A1 = 0;
    uint256 private constant H1 = 28;
    uint256 private constant A8 = 224;
    uint256 private constant H8 = 252;

    /// What binds the mover's pieces other than the king. A line runs from beside the king to an enemy slider, slider
    /// included, with at most one piece between; if that is the mover's own, it is pinned.
    struct Bonds {
        uint256 straight; // lines along ranks and files
        uint256 diagonal; // lines along diagonals
        uint256 allowed; // squares that a piece may go to, if its line lets it
    }

    /// The legal moves of `board`.
    function legalMask(uint256 board, uint256 context) internal pure returns (uint256[8] memory mask) {
        return _maskOf(Bitboard.ALL, board, context);
    }

    /// Whether bit `index` of `mask` is set; no for every number from 1858 on.
    function isLegal(uint256[8] memory mask, uint256 index) internal pure returns (bool) {
        return index < PolicyTable.SIZE && mask[index >> 8] >> (index & 255) & 1 == 1;
    }

    /// The same of a position, for which only the moves of one piece are made.
    function isLegal(uint256 board, uint256 context, uint256 index) internal pure returns (bool) {
        if (index >= PolicyTable.SIZE) return false;
        (uint256 from,,) = PolicyTable.read(index);
        return isLegal(_maskOf(1 << 4 * from, board, context), index);
    }

    function hasLegalMove(uint256[8] memory mask) internal pure returns (bool) {
        return mask[0] | mask[1] | mask[2] | mask[3] | mask[4] | mask[5] | mask[6] | mask[7] != 0;
    }

    /// The same of a position, without its mask: all pieces of a kind are moved at once, and the first that can move will do.
    /// Castling needs no look, as the king could then step aside too.
    function hasLegalMove(uint256 board, uint256 context) internal pure returns (bool) {
        if (context & 0xf0 != 0) return true;
        Bonds memory bonds = _bonds(board);
        if (bonds.allowed != 0) {
            if (_pawnSteps(board, board.ownPawns(), bonds) != 0) return true;
            if (_freeKnights(board, bonds).knightSteps() & bonds.allowed != 0) return true;
            if (_sliderCanMove(board, bonds)) return true;
        }
        (uint256 targets,) = _kingTargets(board);
        return targets != 0;
    }

    /// Whether the mover's king is attacked.
    function inCheck(uint256 board) internal pure returns (bool) {
        return checkersOf(board) != 0;
    }

    /// The pieces that attack the mover's king, but for the other king.
    function checkersOf(uint256 board) internal pure returns (uint256) {
        uint256 king = board.ownKing();
        uint256 empty = ~board.occupied();
        return _leaperChecks(board, king) | (king.diagonals(empty) & board.theirDiagonal())
            | (king.straights(empty) & board.theirStraight());
    }

    /// Whether neither side could mate: kings alone, one knight, or bishops all on squares of one colour.
    /// The same answer as python-chess's `is_insufficient_material`.
    function insufficientMaterial(uint256 board) internal pure returns (bool) {
        uint256 others = board.ownPawns() | board.theirPawns() | board.ownStraight() | board.theirStraight();
        if (others != 0) return false;
        if (board.ownKnights() | board.theirKnights() == 0) {
            uint256 bishops = board.ownDiagonal() | board.theirDiagonal();
            return bishops & Bitboard.DARK == 0 || bishops & ~Bitboard.DARK == 0;
        }
        unchecked {
            uint256 rest = board.occupied();
            rest &= rest - 1;
            rest &= rest - 1;
            return rest & (rest - 1) == 0; // three pieces: two kings and the knight
        }
    }

    /// The position after the legal move `index`, turned to the next mover, with its repetition bits zero.
    function play(uint256 board, uint256 context, uint256 index)
        internal
        pure
        returns (uint256 nextBoard, uint256 nextContext)
    {
        (uint256 from, uint256 to, uint256 promotion) = PolicyTable.read(index);
        return play(board, context, from, to, promotion);
    }

    /// The same for an index that has been read.
    function play(uint256 board, uint256 context, uint256 from, uint256 to, uint256 promotion)
        internal
        pure
        returns (uint256 nextBoard, uint256 nextContext)
    {
        unchecked {
            (from, to) = (4 * from, 4 * to);
            uint256 piece = board >> from & 15;
            uint256 taken = board >> to & 15;
            bool castles = piece == KING && taken == ROOK;
            nextBoard = (castles ? _castled(board, to) : _moved(board, from, to, promotion)).turned();
            nextContext = _nextRights(context & 15, piece, from, to);
            bool zeroes = piece == PAWN || (taken != 0 && !castles);
            if (!zeroes) {
                uint256 clock = context >> 10 & 255;
                nextContext |= (clock == 255 ? 255 : clock + 1) << 10;
            }
            if (piece == PAWN && to - from == 64) {
                uint256 file = to >> 2 & 7;
                if (enPassant(nextBoard, file) != 0) nextContext |= (file + 1) << 4;
            }
        }
    }

    /// The legal moves of the own pieces on `pieces`.
    function _maskOf(uint256 pieces, uint256 board, uint256 context)
        private
        pure
        returns (uint256[8] memory mask)
    {
        uint256 tables = PolicyTable.load();
        uint256 king = board.ownKing();
        if (king & pieces != 0) {
            _kingMoves(mask, tables, board, context);
            if (king == pieces) return mask;
        }
        if (context & 0xf0 != 0) _enPassantMoves(mask, tables, board, pieces, context);
        Bonds memory bonds = _bonds(board);
        if (bonds.allowed == 0) return mask;
        _pawnMoves(mask, tables, board, pieces, bonds);
        _knightMoves(mask, tables, board, pieces, bonds);
        _sliderMoves(mask, tables, board, pieces, bonds);
    }

    function _castled(uint256 board, uint256 rook) private pure returns (uint256) {
        return rook == H1
            ? board & ~(uint256(0xffff) << 16) | uint256(0x0640) << 16  // e1..h1 become - R K -
            : board & ~uint256(0xfffff) | 0x04600; // a1..e1 become - - K R -
    }

    function _moved(uint256 board, uint256 from, uint256 to, uint256 promotion)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 piece = board >> from & 15;
            uint256 taken = board >> to & 15;
            uint256 placed = piece;
            if (piece == PAWN) {
                if (promotion != 0) placed = promotion;
                else if (to >= A8) placed = KNIGHT;
                bool aside = (from ^ to) & 28 != 0;
                if (aside && taken == 0) board ^= THEIR_PAWN << (to - 32); // en passant
            }
            return board ^ piece << from ^ (taken ^ placed) << to;
        }
    }

    /// The four castling rights after a move, turned to the next mover.
    function _nextRights(uint256 rights, uint256 piece, uint256 from, uint256 to)
        private
        pure
        returns (uint256)
    {
        if (piece == KING) rights &= 12;
        if (from == H1) rights &= ~uint256(1);
        if (from == A1) rights &= ~uint256(2);
        if (to == H8) rights &= ~uint256(4);
        if (to == A8) rights &= ~uint256(8);
        return rights >> 2 | (rights & 3) << 2;
    }

    function _kingMoves(uint256[8] memory mask, uint256 tables, uint256 board, uint256 context) private pure {
        (uint256 targets, uint256 attacked) = _kingTargets(board);
        // King and rook at home with nothing between; the king neither in check nor passing nor entering an attack.
        if (context & 1 != 0 && board >> 16 & 0xffff == 0x4006 && attacked & (0x111 << 16) == 0) {
            targets |= 1 << H1;
        }
        if (context & 2 != 0 && board & 0xfffff == 0x60004 && attacked & (0x111 << 8) == 0) {
            targets |= 1 << A1;
        }
        PolicyTable.add(mask, tables, PolicyTable.square(tables, board.ownKing()), targets);
    }

    /// Where the king may step, and every square that they attack.
    function _kingTargets(uint256 board) private pure returns (uint256 targets, uint256 attacked) {
        uint256 king = board.ownKing();
        uint256 occupied = board.occupied();
        attacked = _attacked(board, ~(occupied ^ king)); // the king does not hide what is behind him
        targets = king.kingSteps() & ~(occupied ^ board.theirs()) & ~attacked;
    }

    function _pawnMoves(
        uint256[8] memory mask,
        uint256 tables,
        uint256 board,
        uint256 pieces,
        Bonds memory bonds
    ) private pure {
        uint256 moves = _pawnSteps(board, board.ownPawns() & pieces, bonds);
        unchecked {
            for (uint256 pawns = moves.occupied(); pawns != 0; pawns &= pawns - 1) {
                uint256 from = PolicyTable.square(tables, pawns & (0 - pawns));
                PolicyTable.addPawn(mask, tables, from, moves >> 4 * from & 15);
            }
        }
    }

    /// What each of these pawns may do, in its own square's four bits: take to the west, step ahead, take to the east,
    /// go two squares.
    function _pawnSteps(uint256 board, uint256 pawns, Bonds memory bonds) private pure returns (uint256) {
        uint256 empty = ~board.occupied();
        // A pawn pinned on its file stays on its line by pushing, one pinned on a diagonal by capturing along it.
        uint256 free = pawns & ~(bonds.straight | bonds.diagonal);
        uint256 pushes = (free << 32 | (pawns & bonds.straight) << 32 & bonds.straight) & empty;
        uint256 doubles = (pushes & RANK_3) << 32 & empty & bonds.allowed;
        pushes &= bonds.allowed;
        uint256 takes = board.theirs() & bonds.allowed;
        uint256 pinned = pawns & bonds.diagonal;
        uint256 takesWest = (free << 28 | pinned << 28 & bonds.diagonal) & takes & Bitboard.NOT_H;
        uint256 takesEast = (free << 36 | pinned << 36 & bonds.diagonal) & takes & Bitboard.NOT_A;
        return takesWest >> 28 | (pushes >> 32) << 1 | (takesEast >> 36) << 2 | (doubles >> 64) << 3;
    }

    function _enPassantMoves(
        uint256[8] memory mask,
        uint256 tables,
        uint256 board,
        uint256 pieces,
        uint256 context
    ) private pure {
        unchecked {
            uint256 file = (context >> 4 & 15) - 1;
            uint256 pawns = enPassant(board, file) & pieces;
            for (; pawns != 0; pawns &= pawns - 1) {
                PolicyTable.add(
                    mask, tables, PolicyTable.square(tables, pawns & (0 - pawns)), 1 << (160 + 4 * file)
                );
            }
        }
    }

    function _knightMoves(
        uint256[8] memory mask,
        uint256 tables,
        uint256 board,
        uint256 pieces,
        Bonds memory bonds
    ) private pure {
        uint256 knights = _freeKnights(board, bonds) & pieces;
        unchecked {
            for (; knights != 0; knights &= knights - 1) {
                uint256 knight = knights & (0 - knights);
                uint256 targets = knight.knightSteps() & bonds.allowed;
                PolicyTable.add(mask, tables, PolicyTable.square(tables, knight), targets);
            }
        }
    }

    /// A pinned knight never moves.
    function _freeKnights(uint256 board, Bonds memory bonds) private pure returns (uint256) {
        return board.ownKnights() & ~(bonds.straight | bonds.diagonal);
    }

    /// Bishops, rooks and queens; a queen is a bishop and a rook.
    function _sliderMoves(
        uint256[8] memory mask,
        uint256 tables,
        uint256 board,
        uint256 pieces,
        Bonds memory bonds
    ) private pure {
        uint256 empty = ~board.occupied();
        uint256 sliders = board.ownDiagonal() & ~bonds.straight & pieces;
        unchecked {
            for (; sliders != 0; sliders &= sliders - 1) {
                uint256 slider = sliders & (0 - sliders);
                uint256 targets = slider.diagonals(empty) & bonds.allowed;
                if (slider & bonds.diagonal != 0) targets &= bonds.diagonal;
                PolicyTable.add(mask, tables, PolicyTable.square(tables, slider), targets);
            }
            sliders = board.ownStraight() & ~bonds.diagonal & pieces;
            for (; sliders != 0; sliders &= sliders - 1) {
                uint256 slider = sliders & (0 - sliders);
                uint256 targets = slider.straights(empty) & bonds.allowed;
                if (slider & bonds.straight != 0) targets &= bonds.straight;
                PolicyTable.add(mask, tables, PolicyTable.square(tables, slider), targets);
            }
        }
    }

    /// Whether some bishop, rook or queen may move. Pinned ones are moved at once too: the lines that they are bound to
    /// run from the king, and from a square on one of them no slider reaches another but past the king.
    function _sliderCanMove(uint256 board, Bonds memory bonds) private pure returns (bool) {
        uint256 empty = ~board.occupied();
        uint256 free = ~(bonds.straight | bonds.diagonal);
        uint256 diagonal = board.ownDiagonal();
        uint256 straight = board.ownStraight();
        uint256 targets = (diagonal & free).diagonals(empty) | (straight & free).straights(empty);
        if (targets & bonds.allowed != 0) return true;
        targets = (diagonal & bonds.diagonal).diagonals(empty) & bonds.diagonal;
        targets |= (straight & bonds.straight).straights(empty) & bonds.straight;
        return targets & bonds.allowed != 0;
    }

    function _bonds(uint256 board) private pure returns (Bonds memory bonds) {
        uint256 king = board.ownKing();
        uint256 empty = ~board.occupied();
        uint256 straight = king.straights(empty);
        uint256 diagonal = king.diagonals(empty);
        bonds.allowed = empty | board.theirs();
        uint256 checkers = _leaperChecks(board, king) | (straight & board.theirStraight())
            | (diagonal & board.theirDiagonal());
        if (checkers != 0) bonds.allowed = _answers(checkers, board, straight, diagonal, empty);
        // Look through the first piece on every line.
        bonds.straight = _straightLines(king, empty | straight, board.theirStraight());
        bonds.diagonal = _diagonalLines(king, empty | diagonal, board.theirDiagonal());
    }

    /// Where a piece may go to end a check: onto the checker or between. Nowhere if there are two checkers.
    function _answers(uint256 checkers, uint256 board, uint256 straight, uint256 diagonal, uint256 empty)
        private
        pure
        returns (uint256)
    {
        unchecked {
            if (checkers & (checkers - 1) != 0) return 0;
        }
        if (checkers & straight & board.theirStraight() != 0) {
            return checkers | (straight & checkers.straights(empty));
        }
        if (checkers & diagonal & board.theirDiagonal() != 0) {
            return checkers | (diagonal & checkers.diagonals(empty));
        }
        return checkers;
    }

    /// The lines from the king to the sliders he sees over `empty`: where the king's lines meet theirs.
    function _straightLines(uint256 king, uint256 empty, uint256 sliders) private pure returns (uint256) {
        uint256 lines = king.straights(empty);
        sliders &= lines;
        return sliders == 0 ? 0 : sliders | (lines & sliders.straights(empty));
    }

    function _diagonalLines(uint256 king, uint256 empty, uint256 sliders) private pure returns (uint256) {
        uint256 lines = king.diagonals(empty);
        sliders &= lines;
        return sliders == 0 ? 0 : sliders | (lines & sliders.diagonals(empty));
    }

    /// The own pawns that may capture en passant the pawn which just went two squares on `file`. Capturing takes two
    /// pawns off one rank, so each capture is tried out: it must leave no slider a way to the king. (Nothing else can
    /// attack him then: the push was the last move, and if the pawn itself gives check, it goes.)
    function enPassant(uint256 board, uint256 file) internal pure returns (uint256 pawns) {
        unchecked {
            uint256 victim = 1 << (128 + 4 * file);
            uint256 beside = (victim << 4 & Bitboard.NOT_A) | (victim >> 4 & Bitboard.NOT_H);
            uint256 rest = board.ownPawns() & beside;
            if (rest == 0) return 0;
            uint256 king = board.ownKing();
            for (; rest != 0; rest &= rest - 1) {
                uint256 pawn = rest & (0 - rest);
                uint256 empty = ~(board.occupied() ^ pawn ^ victim | victim << 32);
                uint256 seen = (king.straights(empty) & board.theirStraight())
                    | (king.diagonals(empty) & board.theirDiagonal());
                if (seen == 0) pawns |= pawn;
            }
        }
    }

    /// Their knights and pawns that attack the king.
    function _leaperChecks(uint256 board, uint256 king) private pure returns (uint256) {
        uint256 pawnSquares = (king << 36 & Bitboard.NOT_A) | (king << 28 & Bitboard.NOT_H);
        return (king.knightSteps() & board.theirKnights()) | (pawnSquares & board.theirPawns());
    }

    /// Every square that they attack.
    function _attacked(uint256 board, uint256 empty) private pure returns (uint256) {
        return board.theirStraight().straights(empty) | board.theirDiagonal().diagonals(empty)
            | board.theirKnights().knightSteps() | board.theirKing().kingSteps()
            | board.theirPawns().theirPawnSteps();
    }
}

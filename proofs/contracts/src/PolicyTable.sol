// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

// Lc0's order of the 1858 moves, for squares kept as one bit in every nibble (square s at bit 4s).
//
//   index of a from-to pair = BASE[from] + how many squares below `to` a queen or a knight reaches from `from`
//   index of a promotion    = 1792 + 3 * (2 * from file + to file) + (0 queen, 1 rook, 2 bishop)
//
// (2 * from file + to file counts the 22 pairs of neighbouring files a-a, a-b, b-a, b-b, b-c, .. h-h.)
//
// The tables, 26 words of memory:
//
//   0x000  UP[file]    the squares reached from that file's square on rank 1
//   0x100  DOWN[file]  the same from rank 8
//   0x200  BASE        64 numbers of two bytes
//   0x280  SQUARE      64 numbers of one byte, by the top six bits of DE_BRUIJN << 4s
//   0x2c0  PAWN        64 numbers of two bytes: the index of the step ahead and to the west, or what it would be
//
// From rank r (0..7) a piece reaches UP[file] moved r ranks up and DOWN[file] moved 7 - r ranks down: what each loses
// over the edge of the word the other has.

/// Lc0's move table, kept in memory while a mask is made or an index is read.
library PolicyTable {
    /// From-to pairs; the promotions to queen, rook and bishop come after them.
    uint256 internal constant PAIRS = 1792;

    uint256 internal constant SIZE = 1858;

    uint256 private constant DE_BRUIJN = 0x3ffbf7f3bb7b37732eeae6e2aa6a26621dd9d5d1995915510cc8c4c088480440;
    uint256 private constant BYTE_PAIRS = 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;

    /// Puts the tables into memory and returns where.
    function load() internal pure returns (uint256 tables) {
        assembly ("memory-safe") {
            tables := mload(0x40)
            mstore(0x40, add(tables, 0x340))
            mstore(add(tables, 0x000), 0x1000000101000001001000010001000100001001000001110000011111111110)
            mstore(add(tables, 0x020), 0x0000001010000010010000100010001000010010000011110000111111111101)
            mstore(add(tables, 0x040), 0x0000010000000100100001000100010000100100000111110001111111111011)
            mstore(add(tables, 0x060), 0x0000100000001000000010001000100001001001001111100011111011110111)
            mstore(add(tables, 0x080), 0x0001000000010000000100000001000110010010011111000111110011101111)
            mstore(add(tables, 0x0a0), 0x0010000000100000001000010010001000100100111110001111100011011111)
            mstore(add(tables, 0x0c0), 0x0100000001000001010000100100010001001000111100001111000010111111)
            mstore(add(tables, 0x0e0), 0x1000000110000010100001001000100010010000111000001110000001111111)
            mstore(add(tables, 0x100), 0x1111111000000111000001110000100100010001001000010100000110000001)
            mstore(add(tables, 0x120), 0x1111110100001111000011110001001000100010010000101000001000000010)
            mstore(add(tables, 0x140), 0x1111101100011111000111110010010001000100100001000000010000000100)
            mstore(add(tables, 0x160), 0x1111011100111110001111100100100110001000000010000000100000001000)
            mstore(add(tables, 0x180), 0x1110111101111100011111001001001000010001000100000001000000010000)
            mstore(add(tables, 0x1a0), 0x1101111111111000111110000010010000100010001000010010000000100000)
            mstore(add(tables, 0x1c0), 0x1011111111110000111100000100100001000100010000100100000101000000)
            mstore(add(tables, 0x1e0), 0x0111111111100000111000001001000010001000100001001000001010000001)
            mstore(add(tables, 0x200), 0x00000017002f00480061007a009300ab00c200da00f50112012f014c01690184)
            mstore(add(tables, 0x220), 0x019c01b501d201f30214023502560273028c02a502c202e303060329034a0367)
            mstore(add(tables, 0x240), 0x0380039903b603d703fa041d043e045b0474048d04aa04cb04ec050d052e054b)
            mstore(add(tables, 0x260), 0x0564057c059705b405d105ee060b0626063e0655066d0686069f06b806d106e9)
            mstore(add(tables, 0x280), 0x3f3c37302f2c27201f1c17100f0c07003e3d3a352e2d2a251e1d1a150e0d0a05)
            mstore(add(tables, 0x2a0), 0x3b3938332b2928231b1918130b09080336343231262422211614121106040201)
            mstore(add(tables, 0x2c0), 0x0006001e0037005000690082009b00b300cb00e50102011f013c01590175018f)
            mstore(add(tables, 0x2e0), 0x01a801c401e402050226024702660281029a02b602d602f8031b033d035c0377)
            mstore(add(tables, 0x300), 0x039003ac03cc03ee041104330452046d048604a204c204e3050405250544055f)
            mstore(add(tables, 0x320), 0x0578059305b005cd05ea06070623063c00000000000000000000000000000000)
        }
    }

    /// The square (0..63) of a set with one square in it.
    function square(uint256 tables, uint256 one) internal pure returns (uint256 s) {
        assembly ("memory-safe") {
            s := byte(0, mload(add(add(tables, 0x280), shr(250, mul(DE_BRUIJN, one)))))
        }
    }

    /// Sets the bits of the moves from square `from` to each square of `targets`, all of them in its reach.
    function add(uint256[8] memory mask, uint256 tables, uint256 from, uint256 targets) internal pure {
        uint256 reach = _reach(tables, from);
        uint256 row;
        unchecked {
            for (; targets != 0; targets &= targets - 1) {
                row |= 1 << _count(reach & ((targets & (0 - targets)) - 1));
            }
        }
        _set(mask, _base(tables, from), row);
    }

    /// Sets the bits of the moves of a pawn on square `from`, promotions included. `moves` has bit 0 if it takes to
    /// the west, bit 1 if it steps ahead, bit 2 if it takes to the east, bit 3 if it goes two squares.
    function addPawn(uint256[8] memory mask, uint256 tables, uint256 from, uint256 moves) internal pure {
        uint256 first;
        assembly ("memory-safe") {
            first := shr(240, mload(add(add(tables, 0x2c0), shl(1, from))))
        }
        unchecked {
            uint256 file = from & 7;
            uint256 steps = moves & 7;
            // Between a step ahead and two squares lie two to four squares that a queen or a knight reaches.
            _set(mask, first, steps | (moves >> 3) << (0x45666654 >> 4 * file & 15));
            // Queen, rook and bishop for each step; from file 0 the first of the three steps leaves the board.
            if (from >= 48) {
                mask[7] |= 7 * (steps & 1 | (steps & 2) << 2 | (steps & 4) << 4) << 9 * file >> 3;
            }
        }
    }

    function _set(uint256[8] memory mask, uint256 index, uint256 row) private pure {
        // A row may run over into the next word; the last one, below 1792, never leaves word 7.
        assembly ("memory-safe") {
            let word := add(mask, shl(5, shr(8, index)))
            let offset := and(index, 0xff)
            mstore(word, or(mload(word), shl(offset, row)))
            word := add(word, 0x20)
            mstore(word, or(mload(word), shr(sub(256, offset), row)))
        }
    }

    /// Reads an index below 1858: squares 0..63, and the piece code promoted to (0 for a bare from-to pair).
    function read(uint256 index) internal pure returns (uint256 from, uint256 to, uint256 promotion) {
        unchecked {
            if (index >= PAIRS) {
                uint256 pair = (index - PAIRS) / 3;
                uint256 file = (pair + 1) / 3;
                return (48 + file, 56 + pair - 2 * file, 5 - (index - PAIRS) % 3);
            }
            uint256 tables = load();
            for (uint256 step = 32; step != 0; step >>= 1) {
                if (_base(tables, from + step) <= index) from += step;
            }
            uint256 targets = _reach(tables, from);
            for (uint256 skip = index - _base(tables, from); skip != 0; --skip) {
                targets &= targets - 1;
            }
            to = square(tables, targets & (0 - targets));
        }
    }

    function _reach(uint256 tables, uint256 from) private pure returns (uint256 reach) {
        assembly ("memory-safe") {
            let column := add(tables, shl(5, and(from, 7)))
            let rise := shl(5, shr(3, from))
            reach := or(shl(rise, mload(column)), shr(sub(224, rise), mload(add(column, 0x100))))
        }
    }

    function _base(uint256 tables, uint256 from) private pure returns (uint256 base) {
        assembly ("memory-safe") {
            base := shr(240, mload(add(add(tables, 0x200), shl(1, from))))
        }
    }

    /// How many squares a set has.
    function _count(uint256 set) private pure returns (uint256) {
        unchecked {
            return ((set + (set >> 4)) & BYTE_PAIRS) % 255;
        }
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {ChessRules} from "../ChessRules.sol";
import {CodeStore} from "../CodeStore.sol";
import {GameStore, Stored} from "../GameStore.sol";
import {Game} from "../IArena.sol";
import {Statement} from "../IMoveVerifier.sol";
import {Material} from "../Material.sol";
import {MoveStatement} from "../MoveStatement.sol";
import {PolicyTable} from "../PolicyTable.sol";
import {QUIET_WORDS, QuietMoves} from "../QuietMoves.sol";

/// Libraries from outside. For tests.
contract LibraryHarness {
    using GameStore for Stored;
    using QuietMoves for uint256[QUIET_WORDS];

    Stored private _stored;

    function limbs(Statement calldata statement) external pure returns (uint256[10] memory) {
        return MoveStatement.limbs(statement);
    }

    function cannotMate(uint256[] calldata boards) external pure returns (bool[] memory list) {
        list = new bool[](boards.length);
        for (uint256 i = 0; i < boards.length; ++i) {
            list[i] = Material.cannotMate(boards[i]);
        }
    }

    /// A position's mask from index `first` to `last`, put together from answers about one index each.
    function maskByIndex(uint256 board, uint256 context, uint256 first, uint256 last)
        external
        pure
        returns (uint256[8] memory mask)
    {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        for (uint256 index = first; index <= last; ++index) {
            if (ChessRules.isLegal(board, context, index)) mask[index >> 8] |= 1 << (index & 255);
            // Gives back the memory taken since: without it a long call drowns in its price.
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
    }

    /// Whether the mover of each position can move, found without a mask, and what finding it cost.
    function canMove(uint256[2][] calldata positions) external view returns (uint256[2][] memory list) {
        list = new uint256[2][](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 before = gasleft();
            if (ChessRules.hasLegalMove(positions[i][0], positions[i][1])) list[i][0] = 1;
            list[i][1] = before - gasleft();
        }
    }

    /// What is read back of a game that was stored.
    function stored(Game calldata game, uint256 quiet) external returns (Game memory found, uint256 kept) {
        _stored.save(game, quiet);
        (found, kept) = _stored.load();
    }

    function addQuietMove(uint256 count, uint256 from, uint256 to) external {
        _stored.quiet.add(count, from, to);
    }

    function repetitions(uint256 count, uint256 board) external view returns (uint256) {
        return _stored.quiet.repetitions(count, board);
    }

    function write(bytes calldata data) external returns (address) {
        return CodeStore.write(data);
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {CodeStore} from "../CodeStore.sol";
import {Statement} from "../IMoveVerifier.sol";
import {Material} from "../Material.sol";
import {MoveStatement} from "../MoveStatement.sol";

/// Libraries from outside. For tests.
contract LibraryHarness {
    function limbs(Statement calldata statement) external pure returns (uint256[10] memory) {
        return MoveStatement.limbs(statement);
    }

    function cannotMate(uint256[] calldata boards) external pure returns (bool[] memory list) {
        list = new bool[](boards.length);
        for (uint256 i = 0; i < boards.length; ++i) {
            list[i] = Material.cannotMate(boards[i]);
        }
    }

    function write(bytes calldata data) external returns (address) {
        return CodeStore.write(data);
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMoveVerifier, Statement} from "../IMoveVerifier.sol";
import {MoveStatement} from "../MoveStatement.sol";

// Verifiers that no one should trust. For tests.

/// Accepts everything.
contract YesVerifier is IMoveVerifier {
    function statementId() external pure returns (bytes32) {
        return MoveStatement.ID;
    }

    function verifyMove(Statement calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}

/// Decides some other statement.
contract OtherVerifier is IMoveVerifier {
    function statementId() external pure returns (bytes32) {
        return keccak256("another statement");
    }

    function verifyMove(Statement calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}

/// Answers with what the proof says, whatever that is: {uint8 mode}{data}.
/// Mode 0 returns the data, 1 reverts with it, 2 burns all gas, 3 returns as many bytes as gas allows.
contract GarbageVerifier {
    function statementId() external pure returns (bytes32) {
        return MoveStatement.ID;
    }

    function verifyMove(Statement calldata, bytes calldata proof) external view returns (bool) {
        uint8 mode = uint8(proof[0]);
        bytes memory data = proof[1:];
        assembly {
            if eq(mode, 0) { return(add(data, 32), mload(data)) }
            if eq(mode, 1) { revert(add(data, 32), mload(data)) }
            if eq(mode, 2) { for {} 1 {} { pop(gas()) } }
            mstore(0, 1)
            return(0, 500000)
        }
    }
}

/// Calls its arena back, with what the proof says: {address arena}{calldata}. Accepts if that call fails.
contract CallbackVerifier {
    function statementId() external pure returns (bytes32) {
        return MoveStatement.ID;
    }

    function verifyMove(Statement calldata, bytes calldata proof) external returns (bool) {
        (bool done,) = address(bytes20(proof[:20])).call{gas: 500_000}(proof[20:]);
        return !done;
    }
}

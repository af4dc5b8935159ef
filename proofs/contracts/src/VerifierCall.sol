// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IArena} from "./IArena.sol";
import {IMoveVerifier, Statement} from "./IMoveVerifier.sol";

/// @title Asking a verifier that may be hostile
/// @dev STATICCALL, so it can change nothing; a gas cap, so it cannot burn a whole block; one word
///      of return data, so it cannot fill memory; and only while its code is the registered one,
///      which also keeps a call to an empty address from "succeeding".
library VerifierCall {
    /// @dev A Groth16 verification takes about a tenth of it.
    uint256 internal constant GAS_CAP = 3_000_000;

    /// @notice Reverts unless `verifier` accepts `proof` of `statement`.
    /// @dev A caller who brings too little gas can at most make this revert, so nothing is lost;
    ///      but then the error says so rather than blame the proof.
    function check(address verifier, bytes32 codeHash, Statement memory statement, bytes calldata proof)
        internal
        view
    {
        bytes32 found = verifier.codehash;
        if (found != codeHash) revert IArena.VerifierChanged(verifier, codeHash, found);
        bytes memory input = abi.encodeCall(IMoveVerifier.verifyMove, (statement, proof));
        uint256 available = gasleft();
        bool accepted;
        assembly ("memory-safe") {
            mstore(0, 0)
            let done := staticcall(GAS_CAP, verifier, add(input, 32), mload(input), 0, 32)
            accepted := and(done, and(eq(returndatasize(), 32), eq(mload(0), 1)))
        }
        if (accepted) return;
        // EIP-150: a call may pass on 63/64 of what is left; 5,000 covers the call itself.
        uint256 needed = GAS_CAP * 64 / 63 + 5_000;
        if (available < needed) revert IArena.VerifierStarved(available, needed);
        revert IArena.ProofRejected(verifier);
    }
}

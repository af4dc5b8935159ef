// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IArena, Open} from "./IArena.sol";

/// @title What players sign
/// @dev EIP-712 structs, each field one ABI word:
///
///      Open    the struct of this name                 opens a game; its digest is the game's id
///      Move    game | ply | history | index            plays an index after exactly these moves
///      Resign  game                                    gives a game up
///      Draw    game | ply | history                    claims a draw after exactly these moves
///      Abort   game                                    takes a game back that has hardly begun
///
///      and the hashes that tie a game together:
///
///      history 0    = game id
///      history n+1  = keccak256(history n | index)
///      commitment   = keccak256(secret)
///      seed         = keccak256(secret | opener's seed)
///      dice         = low 128 bits of keccak256(seed | ply | history)
library Messages {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant OPEN = keccak256(
        "Open(address opener,bytes32 white,bytes32 black,bytes32 start,uint24 startContext,uint32 baseSeconds,uint16 incrementSeconds,uint16 delaySeconds,bytes32 commitment,bytes32 seed,uint64 expires,uint256 nonce)"
    );
    bytes32 private constant MOVE = keccak256("Move(bytes32 game,uint16 ply,bytes32 history,uint16 index)");
    bytes32 private constant RESIGN = keccak256("Resign(bytes32 game)");
    bytes32 private constant DRAW = keccak256("Draw(bytes32 game,uint16 ply,bytes32 history)");
    bytes32 private constant ABORT = keccak256("Abort(bytes32 game)");

    /// @dev Half the order of secp256k1: above it lies each signature's second form (EIP-2).
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    function openDigest(Open memory open) internal view returns (bytes32) {
        return _digest(keccak256(abi.encode(OPEN, open)));
    }

    function moveDigest(bytes32 game, uint256 ply, bytes32 history, uint256 index)
        internal
        view
        returns (bytes32)
    {
        return _digest(keccak256(abi.encode(MOVE, game, ply, history, index)));
    }

    function resignDigest(bytes32 game) internal view returns (bytes32) {
        return _digest(keccak256(abi.encode(RESIGN, game)));
    }

    function drawDigest(bytes32 game, uint256 ply, bytes32 history) internal view returns (bytes32) {
        return _digest(keccak256(abi.encode(DRAW, game, ply, history)));
    }

    function abortDigest(bytes32 game) internal view returns (bytes32) {
        return _digest(keccak256(abi.encode(ABORT, game)));
    }

    function nextHistory(bytes32 history, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(history, index));
    }

    function dice(bytes32 seed, uint256 ply, bytes32 history) internal pure returns (uint128) {
        return uint128(uint256(keccak256(abi.encode(seed, ply, history))));
    }

    /// @notice Reverts unless `signature` is the one signature of `signer` over `digest`.
    function check(address signer, bytes32 digest, bytes calldata signature) internal pure {
        address recovered = _recover(digest, signature);
        if (recovered == address(0) || recovered != signer) {
            revert IArena.BadSignature(signer, recovered);
        }
    }

    /// @dev Zero for anything malformed. ecrecover itself refuses every v but 27 and 28.
    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        uint256 s = uint256(bytes32(signature[32:64]));
        if (s > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(s));
    }

    /// @dev The chain's id is read each time: on the other side of a fork no signature counts.
    function _digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN, keccak256("checkproof"), keccak256("1"), block.chainid, address(this))
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}

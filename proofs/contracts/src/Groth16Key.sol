// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title The bytes of a Groth16 verifying key over bn254
/// @dev 1,152 bytes, every coordinate a big-endian word:
///
///      byte    0        64       192       320       448                     1152
///              | alpha  | beta   | gamma   | delta   | IC[0] | ... | IC[10]  |
///                G1 64    G2 128   G2 128    G2 128    G1 64 each
///
///      G1 is x, y; G2 is x_imaginary, x_real, y_imaginary, y_real as in EIP-197.
///
///      A key is refused unless each point is a proper one. Zero points matter: a zero IC point
///      leaves its input unbound, a zero alpha or delta hands out forgeries. So does
///      gamma = +-delta, the trace of a setup whose second phase never happened.
library Groth16Key {
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    uint256 internal constant LENGTH = 1152;
    uint256 internal constant ALPHA = 0;
    uint256 internal constant BETA = 64;
    uint256 internal constant GAMMA = 192;
    uint256 internal constant DELTA = 320;
    uint256 internal constant IC = 448;

    /// @notice The key is not 1,152 bytes long.
    error KeyLength(uint256 length);
    /// @notice A coordinate of the point at byte `offset` is not below the field's modulus.
    error KeyCoordinate(uint256 offset, uint256 value);
    /// @notice The point at byte `offset` is the zero of its group.
    error KeyPointZero(uint256 offset);
    /// @notice The point at byte `offset` is not on the curve, or on it but outside the group.
    error KeyPointInvalid(uint256 offset);
    /// @notice Gamma is delta or its negative.
    error KeyGammaIsDelta();

    /// @notice Reverts unless `key` is a usable verifying key.
    function check(bytes memory key) internal view {
        if (key.length != LENGTH) revert KeyLength(key.length);
        _checkG1(key, ALPHA);
        _checkG2(key, BETA);
        _checkG2(key, GAMMA);
        _checkG2(key, DELTA);
        for (uint256 offset = IC; offset < LENGTH; offset += 64) {
            _checkG1(key, offset);
        }
        // Two points with the same x are equal or each other's negative.
        if (_word(key, GAMMA) == _word(key, DELTA) && _word(key, GAMMA + 32) == _word(key, DELTA + 32)) {
            revert KeyGammaIsDelta();
        }
    }

    function _checkG1(bytes memory key, uint256 offset) private pure {
        uint256 x = _coordinate(key, offset, offset);
        uint256 y = _coordinate(key, offset, offset + 32);
        if (x | y == 0) revert KeyPointZero(offset);
        // y^2 = x^3 + 3; the group is the whole curve.
        if (mulmod(y, y, P) != addmod(mulmod(mulmod(x, x, P), x, P), 3, P)) revert KeyPointInvalid(offset);
    }

    /// @dev The pairing precompile fails on a point outside the group, whatever it is paired with.
    function _checkG2(bytes memory key, uint256 offset) private view {
        uint256 bits;
        for (uint256 i = 0; i < 4; ++i) {
            bits |= _coordinate(key, offset, offset + 32 * i);
        }
        if (bits == 0) revert KeyPointZero(offset);
        bool valid;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, 0)
            mstore(add(input, 32), 0)
            mcopy(add(input, 64), add(add(key, 32), offset), 128)
            valid := staticcall(gas(), 8, input, 192, 0, 32)
        }
        if (!valid) revert KeyPointInvalid(offset);
    }

    function _coordinate(bytes memory key, uint256 point, uint256 start)
        private
        pure
        returns (uint256 value)
    {
        value = _word(key, start);
        if (value >= P) revert KeyCoordinate(point, value);
    }

    function _word(bytes memory key, uint256 start) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(key, 32), start))
        }
    }
}

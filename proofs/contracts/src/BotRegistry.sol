// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Groth16MoveVerifier} from "./Groth16MoveVerifier.sol";
import {BotVersion, IBotRegistry} from "./IBotRegistry.sol";
import {IMoveVerifier} from "./IMoveVerifier.sol";
import {MoveStatement} from "./MoveStatement.sol";

/// @title Versions of bots, open to anyone, owned by no one
contract BotRegistry is IBotRegistry {
    uint256 public constant MAX_METADATA = 1024;

    mapping(bytes32 id => BotVersion) private _bots;

    /// @inheritdoc IBotRegistry
    mapping(bytes32 keyHash => address) public houseVerifier;

    /// @inheritdoc IBotRegistry
    function registerHouse(
        bytes32 netHash,
        bytes32 circuitHash,
        bytes calldata verifyingKey,
        string calldata metadata
    ) external returns (bytes32 id) {
        bytes32 keyHash = sha256(verifyingKey);
        address verifier = houseVerifier[keyHash];
        if (verifier == address(0)) {
            verifier = address(new Groth16MoveVerifier(verifyingKey));
            houseVerifier[keyHash] = verifier;
        }
        BotVersion memory version = BotVersion({
            netHash: netHash,
            circuitHash: circuitHash,
            keyHash: keyHash,
            statement: MoveStatement.ID,
            verifier: verifier,
            verifierCodeHash: verifier.codehash,
            owner: msg.sender,
            custom: false,
            metadata: metadata
        });
        return _register(version, verifyingKey);
    }

    /// @inheritdoc IBotRegistry
    function registerCustom(
        bytes32 netHash,
        bytes32 circuitHash,
        bytes32 keyHash,
        bytes32 statement,
        address verifier,
        string calldata metadata
    ) external returns (bytes32 id) {
        if (verifier.code.length == 0) revert VerifierHasNoCode(verifier);
        bytes32 found = IMoveVerifier(verifier).statementId();
        if (found != statement) revert StatementMismatch(statement, found);
        BotVersion memory version = BotVersion({
            netHash: netHash,
            circuitHash: circuitHash,
            keyHash: keyHash,
            statement: statement,
            verifier: verifier,
            verifierCodeHash: verifier.codehash,
            owner: msg.sender,
            custom: true,
            metadata: metadata
        });
        return _register(version, "");
    }

    /// @inheritdoc IBotRegistry
    function bot(bytes32 id) external view returns (BotVersion memory) {
        return _version(id);
    }

    /// @inheritdoc IBotRegistry
    function statementOf(bytes32 id) external view returns (bytes32) {
        return _version(id).statement;
    }

    /// @inheritdoc IBotRegistry
    function binding(bytes32 id) external view returns (address verifier, bytes32 verifierCodeHash) {
        BotVersion storage version = _version(id);
        return (version.verifier, version.verifierCodeHash);
    }

    function _register(BotVersion memory version, bytes memory verifyingKey) private returns (bytes32 id) {
        uint256 length = bytes(version.metadata).length;
        if (length > MAX_METADATA) revert MetadataTooLong(length);
        id = _id(version);
        if (_bots[id].verifier != address(0)) revert BotExists(id);
        _bots[id] = version;
        emit BotRegistered(
            id,
            version.owner,
            version.netHash,
            version.circuitHash,
            version.keyHash,
            version.statement,
            version.verifier,
            version.custom,
            version.metadata,
            verifyingKey
        );
    }

    function _version(bytes32 id) private view returns (BotVersion storage version) {
        version = _bots[id];
        if (version.verifier == address(0)) revert UnknownBot(id);
    }

    function _id(BotVersion memory version) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                version.netHash,
                version.circuitHash,
                version.keyHash,
                version.statement,
                version.verifier,
                version.owner,
                keccak256(bytes(version.metadata))
            )
        );
    }
}

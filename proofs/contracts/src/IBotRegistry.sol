// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @notice One immutable version of a bot. All content hashes are SHA-256.
/// @param netHash Hash of the net file.
/// @param circuitHash Hash of the compiled circuit.
/// @param keyHash Hash of the verifying key's bytes.
/// @param statement The meaning that the verifier decides, see IMoveVerifier.statementId.
/// @param verifier The contract that judges this bot's proofs.
/// @param verifierCodeHash The verifier's code hash at registration.
/// @param owner Who registered the version.
/// @param custom Whether the owner brought the verifier. If not, the registry deployed known code
///        around the key whose hash is `keyHash`.
/// @param metadata Free text for people, at most MAX_METADATA bytes.
struct BotVersion {
    bytes32 netHash;
    bytes32 circuitHash;
    bytes32 keyHash;
    bytes32 statement;
    address verifier;
    bytes32 verifierCodeHash;
    address owner;
    bool custom;
    string metadata;
}

/// @title Versions of bots
/// @notice A version never changes and cannot be withdrawn, so a game keeps the bot it began with.
/// @dev id = keccak256(abi.encode(netHash, circuitHash, keyHash, statement, verifier, owner,
///      keccak256(bytes(metadata)))). The registry cannot know whether a key belongs to a net or a
///      circuit: that is what an audit recompiles.
interface IBotRegistry {
    /// @param verifyingKey The key's bytes for a house bot, empty for a custom one.
    event BotRegistered(
        bytes32 indexed id,
        address indexed owner,
        bytes32 netHash,
        bytes32 circuitHash,
        bytes32 keyHash,
        bytes32 statement,
        address verifier,
        bool custom,
        string metadata,
        bytes verifyingKey
    );

    /// @notice This very version is registered already.
    error BotExists(bytes32 id);
    /// @notice No bot has this id.
    error UnknownBot(bytes32 id);
    /// @notice There is no contract at the verifier's address.
    error VerifierHasNoCode(address verifier);
    /// @notice The verifier decides another statement than the one it is registered for.
    error StatementMismatch(bytes32 expected, bytes32 found);
    /// @notice The metadata is longer than `MAX_METADATA` bytes.
    error MetadataTooLong(uint256 length);

    /// @notice Register a bot whose moves are proven by Groth16 under `verifyingKey`.
    /// @dev Reverts with an error of Groth16Key if the key is not sound. Equal keys share a verifier.
    function registerHouse(
        bytes32 netHash,
        bytes32 circuitHash,
        bytes calldata verifyingKey,
        string calldata metadata
    ) external returns (bytes32 id);

    /// @notice Register a bot with a verifier of one's own. Nothing vouches for that verifier.
    function registerCustom(
        bytes32 netHash,
        bytes32 circuitHash,
        bytes32 keyHash,
        bytes32 statement,
        address verifier,
        string calldata metadata
    ) external returns (bytes32 id);

    /// @notice All that is recorded of a version.
    function bot(bytes32 id) external view returns (BotVersion memory);

    /// @notice The meaning that a version's verifier decides.
    function statementOf(bytes32 id) external view returns (bytes32);

    /// @notice What an arena needs at each move: whom to ask, and under which code hash.
    function binding(bytes32 id) external view returns (address verifier, bytes32 verifierCodeHash);

    /// @notice The verifier deployed around the key of this hash, or zero.
    function houseVerifier(bytes32 keyHash) external view returns (address);
}

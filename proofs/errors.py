"""What can go wrong in making, checking and carrying proofs.

ProofError
├── InvalidStatement  a public field too wide for its place
├── BadSignature      a signature that no key made, or in a form the contract refuses
├── InvalidCircuitFile  a circuit or witness file that is none
├── InvalidVerifyingKey  bytes or JSON that hold no verifying key
├── NotTheNetsMove    a statement that the net does not make true
├── KeyNotFound       no such key in the store
├── KeyDamaged        a stored key that is not what its name says
├── KeyMismatch       a key for another circuit
├── NotWorthProving   a move that would earn its prover too little
├── BotFilesMissing   a bot's net or key that is needed and not at hand
├── CeremonyFailed    a step of a setup ceremony that could not be made
├── CeremonyBroken    a setup ceremony that does not hold
├── ProofInvalid      a fresh proof that does not verify
├── ProverFailed      a prover that refused its job
├── ProverDied        a prover's process that ended in the middle of its job
├── ProversBusy       more jobs than the provers' queue takes
├── EzklMissing       an ONNX bot is wanted where ezkl is not installed
├── SnarkjsMissing    the second verifier of proofs is not installed
├── OnnxRefused       an ONNX file that does not keep the contract for nets
├── EzklFailed        a step of ezkl that did not succeed
├── SrsRefused        a file that is no sound structured reference string
├── BotNameRefused    a name that a new ezkl bot cannot have
├── NoSuchBot         a name that no listed ezkl bot has
├── BotListDamaged    a list of ezkl bots that cannot be read
├── ArtifactMissing   a contract that has not been compiled
├── NotAPerftFile     a file that holds no perft counts
├── NodeError         the local chain node
│   ├── NodeMissing   its program is not installed
│   └── NodeFailed    it did not start, or ended by itself
├── ChainError        what the chain, or the way to it, answered
│   ├── ChainDown     no answer, or none that makes sense
│   ├── ChainRejected a contract said no, by a named error
│   ├── WrongChain    another chain, or other contracts, than expected
│   └── WellKnownKey  a key that everybody knows, on a chain that matters
└── AuditError        an audit that could not be made
    ├── NotAGameFile  a file that is no saved game
    ├── NotABundle    a file that is no bundle of an arena's games
    ├── NotAProofFile a file that is no proof
    ├── FileNotFetched  a server that does not have, or send, a file
    └── NoSuchGame    a game that the chain does not know
"""

from urllib.parse import urlsplit

NO_ADDRESS = "(no address)"


def shown_url(url: str) -> str:
    """An address without what may be a password in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return NO_ADDRESS
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{rest}"


class ProofError(Exception):
    """Base of all errors of this package; str() is one clear line for a person."""


class InvalidStatement(ProofError):
    def __init__(self, field: str, value: int, width: int) -> None:
        super().__init__(f"{field} {value:#x} does not fit {width} bits")
        self.field = field
        self.value = value
        self.width = width


class BadSignature(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"bad signature: {why}")
        self.why = why


class ArtifactMissing(ProofError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"contract {name}: {why}")
        self.name = name
        self.why = why


class NotAPerftFile(ProofError):
    def __init__(self, path: str, line: int | None, why: str) -> None:
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {why}")
        self.path = path
        self.line = line
        self.why = why


class NodeError(ProofError):
    """Base of what can go wrong with the local chain node."""


class NodeMissing(NodeError):
    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed; run `npm ci` in web/ or put it on PATH")
        self.program = program


class NodeFailed(NodeError):
    def __init__(self, what: str) -> None:
        super().__init__(f"the local chain node failed: {what}")
        self.what = what


class ChainError(ProofError):
    """Base of what a chain, or the way to it, can answer."""


class ChainDown(ChainError):
    """`why` may be told to players, and `url` not: it can hold a password."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"no usable answer from the chain at {shown_url(url)}: {why}")
        self.url = url
        self.why = why


class ChainRejected(ChainError):
    """A contract refused; `name` is its error, `values` the error's arguments by name."""

    def __init__(self, name: str, values: dict[str, object]) -> None:
        inner = ", ".join(f"{key}={value}" for key, value in values.items())
        super().__init__(f"the contract refused: {name}({inner})")
        self.name = name
        self.values = values


class WrongChain(ChainError):
    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class WellKnownKey(ChainError):
    def __init__(self, address: str, chain_id: int) -> None:
        super().__init__(f"the key of {address} is public; it is refused on chain {chain_id}")
        self.address = address
        self.chain_id = chain_id


class AuditError(ProofError):
    """Base of what keeps an audit from being made at all."""


class NotAGameFile(AuditError):
    def __init__(self, why: str) -> None:
        super().__init__(f"not a saved game: {why}")
        self.why = why


class NotABundle(AuditError):
    def __init__(self, why: str) -> None:
        super().__init__(f"not a bundle: {why}")
        self.why = why


class FileNotFetched(AuditError):
    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url} did not send a file: {why}")
        self.url = url
        self.why = why


class NotAProofFile(AuditError):
    def __init__(self, why: str) -> None:
        super().__init__(f"not a proof: {why}")
        self.why = why


class NoSuchGame(AuditError):
    def __init__(self, game: str) -> None:
        super().__init__(f"no game {game} on this chain")
        self.game = game


class InvalidCircuitFile(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"not a usable circuit or witness file: {why}")
        self.why = why


class NotTheNetsMove(ProofError):
    def __init__(self, index: int, best: int | None) -> None:
        super().__init__(f"the net does not play index {index} here but {best}")
        self.index = index
        self.best = best


class InvalidVerifyingKey(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"not a usable verifying key: {why}")
        self.why = why


class KeyNotFound(ProofError):
    def __init__(self, key_hash: str, where: str) -> None:
        super().__init__(f"there is no key {key_hash} in {where}")
        self.key_hash = key_hash
        self.where = where


class KeyDamaged(ProofError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"the key at {path} is damaged: {why}")
        self.path = path
        self.why = why


class KeyMismatch(ProofError):
    def __init__(self, net: str, circuit_hash: str, key_circuit: str) -> None:
        super().__init__(f"net {net} has circuit {circuit_hash}, but the key is for {key_circuit}")
        self.net = net
        self.circuit_hash = circuit_hash
        self.key_circuit = key_circuit


class BotFilesMissing(ProofError):
    def __init__(self, bot: str, why: str) -> None:
        super().__init__(f"the moves of bot {bot} cannot be made here: {why}")
        self.bot = bot
        self.why = why


class NotWorthProving(ProofError):
    def __init__(self, ply: int, fee: int, least: int) -> None:
        super().__init__(f"ply {ply} would earn {fee} wei now, less than {least}")
        self.ply = ply
        self.fee = fee
        self.least = least


class CeremonyFailed(ProofError):
    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"the ceremony's step {step!r} failed: {why}")
        self.step = step
        self.why = why


class CeremonyBroken(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"the ceremony does not hold: {why}")
        self.why = why


class ProofInvalid(ProofError):
    def __init__(self, key_hash: str) -> None:
        super().__init__(f"a fresh proof does not verify under key {key_hash}")
        self.key_hash = key_hash


class ProverFailed(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"the prover failed: {why}")
        self.why = why


class ProverDied(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"the prover's process ended: {why}")
        self.why = why


class ProversBusy(ProofError):
    def __init__(self, queued: int) -> None:
        super().__init__(f"the provers take no more: {queued} jobs wait already")
        self.queued = queued


class EzklMissing(ProofError):
    def __init__(self) -> None:
        super().__init__("bots from ONNX files need ezkl: pip install 'checkproof[ezkl]'")


class SnarkjsMissing(ProofError):
    def __init__(self, why: str) -> None:
        super().__init__(f"the second verifier, snarkjs, is not installed: {why}; run `make setup`")
        self.why = why


class OnnxRefused(ProofError):
    """`found` is what is wrong in the file, `wanted` what to do about it."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"not a net for the arena: {found}; {wanted}")
        self.found = found
        self.wanted = wanted


class EzklFailed(ProofError):
    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"ezkl could not {step}: {why}")
        self.step = step
        self.why = why


class SrsRefused(ProofError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is not used as a setup: {why}")
        self.path = path
        self.why = why


class BotNameRefused(ProofError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"no bot can be added as {name[:40]!a}: {why}")
        self.name = name
        self.why = why


class NoSuchBot(ProofError):
    def __init__(self, name: str, known: list[str]) -> None:
        there = f"there are {', '.join(known)}" if known else "there are none"
        super().__init__(f"no ezkl bot here is called {name[:40]!a}; {there}")
        self.name = name
        self.known = known


class BotListDamaged(ProofError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} is no list of bots: {why}")
        self.path = path
        self.why = why

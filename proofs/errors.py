"""What can go wrong in making, checking and carrying proofs.

ProofError
├── InvalidStatement  a public field too wide for its place
└── BadSignature      a signature that no key made, or in a form the contract refuses
"""


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

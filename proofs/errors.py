"""What can go wrong in making, checking and carrying proofs.

ProofError
"""


class ProofError(Exception):
    """Base of all errors of this package; str() is one clear line for a person."""

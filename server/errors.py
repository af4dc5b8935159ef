"""What can go wrong in the server.

ServerError
"""


class ServerError(Exception):
    """Base of all errors of this package; str() is one clear line for a person."""

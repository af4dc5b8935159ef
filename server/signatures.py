"""Who signed a command, and over which line of the game."""

from collections.abc import Sequence

from proofs.errors import BadSignature
from proofs.signing import Domain, Message
from server.errors import CommandRefused


def signer_of(message: Message, domain: Domain, signature: bytes) -> str:
    """The address that signed.  Refused where no key made the signature."""
    try:
        return message.signer(domain, signature)
    except BadSignature as error:
        raise CommandRefused("bad_signature", str(error)) from error


def check_signed(
    message: Message,
    mistakes: Sequence[Message],
    *,
    domain: Domain,
    signature: bytes,
    player: str,
) -> None:
    """Refuse anything but the player's signature of `message`.

    `mistakes` are the same message over other histories: one of them signed means that the player
    answers a line that is not played any more.
    """
    if signer_of(message, domain, signature) == player:
        return
    if any(signer_of(mistake, domain, signature) == player for mistake in mistakes):
        raise CommandRefused("stale_history", "the signature binds a line that is not played")
    raise CommandRefused("bad_signature", f"not signed by {player}")

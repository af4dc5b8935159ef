import re
from dataclasses import replace

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data

from proofs.errors import BadSignature
from proofs.signing import (
    Abort,
    Domain,
    Draw,
    Message,
    Move,
    Open,
    Resign,
    address_of,
    player_side,
    recover,
    side_player,
)

KEY = PrivateKey(bytes(range(1, 33)))
DOMAIN = Domain(31337, "0x" + "5f" * 20)
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OPEN = Open(
    opener=address_of(KEY),
    white=player_side(address_of(KEY)),
    black=b"\x07" * 32,
    start=b"\x09" * 32,
    start_context=0x1FFFFF,
    base_seconds=600,
    increment_seconds=5,
    delay_seconds=2,
    commitment=b"\x01" * 32,
    seed=b"\x02" * 32,
    expires=2_000_000_000,
    nonce=2**255 + 1,
)
MESSAGES: list[Message] = [
    OPEN,
    Move(b"\x03" * 32, 7, b"\x04" * 32, 1857),
    Resign(b"\x03" * 32),
    Draw(b"\x03" * 32, 7, b"\x04" * 32),
    Abort(b"\x03" * 32),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_digests_are_those_of_another_implementation(message: Message) -> None:
    name, fields = re.fullmatch(r"(\w+)\((.*)\)", message.TYPE).groups()  # type: ignore[union-attr]
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    values = dict(zip((t["name"] for t in types), message.words(), strict=True))
    if isinstance(message, Open):
        values["opener"] = message.opener
    domain = {
        "name": "checkproof",
        "version": "1",
        "chainId": DOMAIN.chain_id,
        "verifyingContract": DOMAIN.arena,
    }
    typed = encode_typed_data(domain, {name: types}, values)
    theirs = Account.sign_message(typed, KEY.secret)
    assert message.digest(DOMAIN) == theirs.message_hash
    assert message.sign(DOMAIN, KEY) == theirs.signature


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_signer_is_the_key_that_signed(message: Message) -> None:
    assert message.signer(DOMAIN, message.sign(DOMAIN, KEY)) == address_of(KEY)


def test_signature_binds_every_field_and_the_domain() -> None:
    message = Move(b"\x03" * 32, 7, b"\x04" * 32, 1857)
    signature = message.sign(DOMAIN, KEY)
    others = [
        replace(message, game=b"\x05" * 32),
        replace(message, ply=8),
        replace(message, history=b"\x05" * 32),
        replace(message, index=1),
    ]
    assert all(other.signer(DOMAIN, signature) != address_of(KEY) for other in others)
    for domain in (Domain(1, DOMAIN.arena), Domain(DOMAIN.chain_id, "0x" + "60" * 20)):
        assert message.signer(domain, signature) != address_of(KEY)


@pytest.mark.parametrize("length", [0, 64, 66])
def test_recover_fails_if_the_length_is_wrong(length: int) -> None:
    with pytest.raises(BadSignature):
        recover(b"\x01" * 32, b"\x01" * length)


def test_recover_fails_if_s_is_high() -> None:
    digest = MESSAGES[1].digest(DOMAIN)
    signature = MESSAGES[1].sign(DOMAIN, KEY)
    s = GROUP_ORDER - int.from_bytes(signature[32:64], "big")
    other = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    with pytest.raises(BadSignature, match="upper half"):
        recover(digest, other)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_recover_fails_if_v_is_not_27_or_28(v: int) -> None:
    with pytest.raises(BadSignature, match="not 27 or 28"):
        recover(b"\x01" * 32, b"\x01" * 64 + bytes([v]))


@pytest.mark.parametrize("rs", [bytes(64), b"\xff" * 32 + bytes(31) + b"\x01"])
def test_recover_fails_if_no_key_made_it(rs: bytes) -> None:
    with pytest.raises(BadSignature):
        recover(b"\x01" * 32, rs + b"\x1b")


def test_sides_tell_players_from_bots() -> None:
    assert side_player(player_side(address_of(KEY))) == address_of(KEY)
    assert side_player(b"\x07" * 32) is None
    assert side_player(bytes(32)) is None

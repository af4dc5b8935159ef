"""How positions are asked about in batches, against a node that is none."""

from typing import Any, cast

import pytest

from engine.encoding import START, Position
from proofs.errors import ChainDown
from proofs.rpc import Rpc, RpcFault
from proofs.rules_chain import POSITION_BYTES, RulesChain, pack, unpack

MANY = [Position(number + 1, number % 7) for number in range(600)]


class OneForOne:
    """Answers a list of positions with that list, as long as there are not too many in it."""

    url = "http://nowhere"

    def __init__(self, most: int, complaint: str = "EVM error OutOfGas") -> None:
        self.most = most
        self.complaint = complaint
        self.sizes: list[int] = []

    async def ask(self, method: str, *params: Any) -> str:
        assert method == "eth_call"
        data = bytes.fromhex(params[0]["data"][10:])
        count = int.from_bytes(data[32:64], "big")
        assert len(data) == 64 + POSITION_BYTES * count
        self.sizes.append(count)
        if count > self.most:
            raise RpcFault(self.complaint, None)
        return "0x" + data.hex()


def _rules(node: OneForOne) -> RulesChain:
    return RulesChain(cast(Rpc, node), "0x" + "11" * 20)


def test_pack_and_unpack_are_inverse() -> None:
    assert unpack(pack([START, *MANY])) == [START, *MANY]


@pytest.mark.parametrize("complaint", ["EVM error OutOfGas", "out of gas", "EVM error MemoryOOG"])
@pytest.mark.parametrize("most", [1, 5, 63, 64])
async def test_a_batch_that_needs_too_much_gas_is_cut(most: int, complaint: str) -> None:
    node = OneForOne(most, complaint)
    assert unpack(await _rules(node).successors(pack(MANY))) == MANY
    assert max(node.sizes) == 64


@pytest.mark.parametrize(("most", "complaint"), [(0, "out of gas"), (9, "no such method")])
async def test_what_no_cut_mends_is_said(most: int, complaint: str) -> None:
    node = OneForOne(most, complaint)
    with pytest.raises(ChainDown, match=complaint):
        await _rules(node).successors(pack(MANY))

"""One question to a chain's node, one answer."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import aiohttp
from eth_abi.exceptions import DecodingError
from eth_typing import URI
from web3 import AsyncHTTPProvider
from web3.types import RPCEndpoint

from proofs.abi import decode_error, load_artifact
from proofs.errors import ChainDown, ChainRejected

# py_ecc, deep below web3, raises it to 100,000: then deeply nested JSON overruns the C stack
sys.setrecursionlimit(1_000)

CONTRACTS: Final = ("Arena", "BotRegistry", "Groth16MoveVerifier", "ProofPurse")
"""Whose errors are known by name."""

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, connect=5)


@contextmanager
def sensible(url: str) -> Iterator[None]:
    """Where a node's answer is taken apart: ChainDown if it does not have the shape it should."""
    try:
        yield
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
        DecodingError,
    ) as error:
        raise ChainDown(url, f"an answer makes no sense ({type(error).__name__})") from error


class RpcFault(Exception):
    """The node answered with an error; `data` is a contract's revert data, if there was any."""

    def __init__(self, message: str, data: bytes | None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether a contract refused, and not the node."""
        return self.data is not None or "revert" in self.message.lower()


class _Provider(AsyncHTTPProvider):
    """web3's provider over connections that are kept and used again.

    web3 closes them after each question, and making one costs both sides more than most questions
    do.
    """

    def __init__(self, url: str) -> None:
        # no retries: whether a question may be asked twice is the caller's to know
        super().__init__(URI(url), exception_retry_configuration=None)
        self._url = url
        self._http: aiohttp.ClientSession | None = None

    async def _make_request(self, method: RPCEndpoint, request_data: bytes) -> bytes:  # noqa: ARG002
        if self._http is None:  # made where the loop runs
            headers = self.get_request_headers()
            self._http = aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers)
        async with self._http.post(self._url, data=request_data) as response:
            response.raise_for_status()
            return await response.read()

    async def disconnect(self) -> None:
        if self._http is not None:
            await self._http.close()


class Rpc:
    """A node at an HTTP address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._provider = _Provider(url)

    async def ask(self, method: str, *params: Any) -> Any:
        """The result of `method`, as JSON gives it.  Raises ChainDown, RpcFault.

        Asked once.
        """
        try:
            answer = cast(
                dict[str, Any],
                await self._provider.make_request(RPCEndpoint(method), list(params)),
            )
        except TimeoutError:
            raise ChainDown(self.url, "timed out") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ChainDown(self.url, _plain(error)) from error
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever web3 makes of an answer that is no JSON-RPC
            raise ChainDown(self.url, f"not a chain's answer: {type(error).__name__}") from error
        if not isinstance(answer, dict):
            raise ChainDown(self.url, "not a chain's answer")
        if (fault := answer.get("error")) is not None:
            raise _fault(fault)
        return answer.get("result")

    async def sure(self, method: str, *params: Any) -> Any:
        """The result of `method`, where an error can only be the node's: then ChainDown."""
        try:
            return await self.ask(method, *params)
        except RpcFault as fault:
            raise ChainDown(self.url, f"{method}: {fault.message}") from fault

    async def number(self, method: str, *params: Any) -> int:
        """The same as an unsigned integer of 256 bits."""
        result = await self.sure(method, *params)
        try:
            number = int(result, 16)
        except (TypeError, ValueError):
            number = -1
        if not 0 <= number < 1 << 256:
            raise ChainDown(self.url, f"{method} answered {result!r}")
        return number

    async def run(self, method: str, *params: Any) -> Any:
        """The result of running contract code.  Raises ChainRejected where the code refuses."""
        try:
            return await self.ask(method, *params)
        except RpcFault as fault:
            if not fault.reverted:
                raise ChainDown(self.url, f"{method}: {fault.message}") from fault
            artifacts = map(load_artifact, CONTRACTS)
            raise ChainRejected(*decode_error(fault.data or b"", artifacts)) from None

    async def close(self) -> None:
        await self._provider.disconnect()


def _plain(error: Exception) -> str:
    """What happened, without the node's address: that is told to players too."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP status {error.status}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__


def _fault(fault: Any) -> RpcFault:
    if not isinstance(fault, dict):
        return RpcFault(str(fault), None)
    data = fault.get("data")
    if isinstance(data, dict):  # some nodes wrap it once more
        data = data.get("data")
    try:
        revert = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else None
    except ValueError:
        revert = None
    return RpcFault(str(fault.get("message", fault)), revert)

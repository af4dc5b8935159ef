"""What can be read of a server from outside: memory, processor time, its loop's lateness."""

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from server.bench.host import Host, command_of, cpu_of, rss_of

_LAG: Final = re.compile(r'^checkproof_loop_lag_seconds_bucket{le="([^"]+)"} (\S+)$', re.MULTILINE)
_RECENT: Final = re.compile(r"^checkproof_loop_lag_recent_max_seconds (\S+)$", re.MULTILINE)
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Memory:
    """MiB of the server and its provers.

    `rss_mb` counts what they share once for each of them, `pss_mb` once in all; `server_mb` is
    the server's own process.
    """

    rss_mb: float
    pss_mb: float
    server_mb: float

    @classmethod
    def of(cls, host: Host) -> Self:
        ours = [host.pid, *_provers(host)]
        return cls(
            rss_mb=sum(map(rss_of, ours)) / _MIB,
            pss_mb=sum(map(_pss_of, ours)) / _MIB,
            server_mb=rss_of(host.pid) / _MIB,
        )


@dataclass(frozen=True)
class Cpu:
    """Processor seconds of the server's process, its provers, its node, and of the bench itself.

    `waited` are the seconds that the server's main thread could have run but for other processes.
    """

    server: float = 0.0
    provers: float = 0.0
    node: float = 0.0
    bench: float = 0.0
    waited: float = 0.0

    @classmethod
    def of(cls, host: Host) -> Self:
        provers = _provers(host)
        others = set(host.family()) - set(provers) - {host.pid}
        return cls(
            server=cpu_of(host.pid),
            provers=sum(map(cpu_of, provers)),
            node=sum(map(cpu_of, others)),
            bench=time.process_time(),
            waited=_waited(host.pid),
        )

    def since(self, earlier: Self) -> Self:
        return type(self)(
            server=self.server - earlier.server,
            provers=self.provers - earlier.provers,
            node=self.node - earlier.node,
            bench=self.bench - earlier.bench,
            waited=self.waited - earlier.waited,
        )

    def per(self, proofs: int) -> dict[str, float]:
        """Seconds for each of so many proofs."""
        parts = {"server": self.server, "provers": self.provers, "node": self.node}
        return {
            name: round(seconds / max(1, proofs), 4)
            for name, seconds in {**parts, "bench": self.bench}.items()
        }


@dataclass(frozen=True)
class Lag:
    """Ticks of the server's loop by how late they were: (bound in seconds, how many up to it)."""

    counts: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, metrics: str) -> Self:
        """Out of the text of /metrics."""
        return cls(tuple((float(bound), float(n)) for bound, n in _LAG.findall(metrics)))

    @staticmethod
    def recent_of(metrics: str) -> float:
        """The largest lateness of the last seconds."""
        found = _RECENT.search(metrics)
        return float(found.group(1)) if found else math.nan

    def since(self, earlier: Self) -> Self:
        both = zip(self.counts, earlier.counts, strict=True)
        return type(self)(tuple((bound, n - before) for (bound, n), (_, before) in both))

    def quantile(self, q: float) -> float:
        """The bound that a share `q` of the ticks stayed below."""
        if not self.counts:
            return math.nan
        wanted = q * self.counts[-1][1]
        return next(bound for bound, n in self.counts if n >= wanted)


def _provers(host: Host) -> list[int]:
    return [pid for pid in host.family() if "proofs.prover_process" in command_of(pid)]


def _pss_of(pid: int) -> float:
    """Memory in bytes, a shared page divided among those who share it."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0.0


def _waited(pid: int) -> float:
    """Linux' schedstat: nanoseconds on a processor, waiting for one, and times that it got one."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0

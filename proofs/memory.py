"""How much memory this process has needed."""

from pathlib import Path


def peak_rss_mb() -> int:
    """The most memory that this process had at once, in MiB.

    Not `ru_maxrss`: Linux lets a new process begin with its parent's.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024

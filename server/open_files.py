"""Room for many sockets: each is an open file, and systems allow few at first (often 1,024)."""

import resource
from typing import Final

OTHERS: Final = 256
"""Files that are open besides: the store, pipes to provers, the chain, static files."""


def make_room(sockets: int) -> int:
    """Raise this process's limit of open files for so many sockets; how many fit now.

    The hard limit is the operator's and stays.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sockets
    wanted = sockets + OTHERS
    if wanted > soft:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # some systems have a lower bound that they do not tell
            most = soft
        soft = most
    return min(sockets, max(0, soft - OTHERS))

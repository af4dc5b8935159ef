"""Development keys shared by all tests of a machine, kept below the repository's .cache folder.

A key costs seconds to make and megabytes to keep, so tests of every room take it from here:

    from tests.proofs.keys_fixture import dev_store
    store, record = dev_store()            # the key of pawn
"""

import fcntl
from functools import cache
from pathlib import Path

from engine.net import NetSpec, house_net
from proofs.keys import KeyRecord, KeyStore

CACHE = Path(__file__).resolve().parents[2] / ".cache"


@cache
def dev_store(bot: str = "pawn") -> tuple[KeyStore, KeyRecord]:
    """A key store that holds a development key for a house net's present circuit, and that key."""
    return store_for(house_net(bot))


def store_for(net: NetSpec) -> tuple[KeyStore, KeyRecord]:
    """The same for any net; one store a net, so that a new net leaves the old keys alone."""
    CACHE.mkdir(exist_ok=True)
    folder = CACHE / "keys" / net.hash[:16]
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        store = KeyStore(folder)
        return store, store.ensure_dev_key(net)

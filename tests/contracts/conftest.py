"""One anvil for all contract tests of a worker; every test gets the same fresh state on it."""

from collections.abc import Iterator

import pytest

from tests.contracts.ground import Node, running_node
from tests.contracts.scene import Scene, build_scene


@pytest.fixture(scope="session")
def shared_node() -> Iterator[Node]:
    with running_node() as node:
        yield node


@pytest.fixture(scope="session")
def shared_scene(shared_node: Node) -> Scene:
    return build_scene(shared_node)


@pytest.fixture
def scene(shared_scene: Scene) -> Iterator[Scene]:
    """The deployed contracts; what a test does to the chain is undone after it."""
    snapshot = shared_scene.node.snapshot()
    yield shared_scene
    shared_scene.node.revert(snapshot)

"""Fixtures of the running stack, and the order and concurrency of the tests."""

import fcntl
from collections.abc import Iterator

import pytest

from stack import STACK_FILE, Stack
from world import World


@pytest.fixture(scope="session")
def stack() -> Stack:
    """Returns the running stack."""
    return Stack.running()


@pytest.fixture(scope="session")
def world(stack: Stack) -> World:
    """Returns both sides of the running stack."""
    return World(stack)


@pytest.fixture
def alone() -> Iterator[None]:
    """Lets one test at a time change something that all tests share."""
    with open(STACK_FILE.with_name("e2e.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True)
def beside_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets tests run at the same time, except the exclusive ones: they disturb all others or are disturbed by them."""
    exclusive = request.node.get_closest_marker("exclusive") is not None
    with open(STACK_FILE.with_name("e2e-exclusive.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the longest tests first, so that none begins at the end, and the exclusive tests last."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("exclusive") is not None,
            item.get_closest_marker("slow") is None,
        )
    )

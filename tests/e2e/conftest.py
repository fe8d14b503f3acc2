"""The running stack, as fixtures."""

import pytest

from stack import Stack
from world import World


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The running stack."""
    return Stack.running()


@pytest.fixture(scope="session")
def world(stack: Stack) -> World:
    """Both sides of the running stack."""
    return World(stack)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hands out first what takes longest, so that nothing long begins at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)

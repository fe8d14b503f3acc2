"""The expansion that every check reads."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import expand  # noqa: E402


@pytest.fixture(scope="session")
def template() -> dict:
    return expand.expand()


@pytest.fixture(scope="session")
def member_template() -> dict:
    return expand.read(expand.MEMBER_TEMPLATE)


@pytest.fixture(scope="session")
def resources(template: dict) -> dict:
    return template["Resources"]

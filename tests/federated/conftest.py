"""The order in which federations are tried."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Those over a network wait for minutes: begun first, they leave the other tests all that time.
    items.sort(key=lambda item: "over_a_network" not in item.path.name)

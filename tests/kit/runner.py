"""Runs the kit's tests of one clause against any store, without pytest around them."""

import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runstore.testing import Harness, RunStoreConformance
from runstore.testing.bench import Bench
from runstore.testing.conformance import clauses_of, kit_tests
from runstore.testing.conformance._base import check_nothing_held, parameters_of


def breaches_of(
    clause: str, make_harness: Callable[[], Harness], *, first_only: bool = True
) -> dict[str, BaseException]:
    """The tests of a clause that fail, with what they raised; skipped tests are left out."""
    found: dict[str, BaseException] = {}
    for name, test in kit_tests(RunStoreConformance).items():
        if clause not in clauses_of(test):
            continue
        for given in parameters_of(test):
            error = _breach(test, given, make_harness)
            if error is not None:
                found[name] = error
                if first_only:
                    return found
                break
    return found


def _breach(
    test: Callable[..., None], given: dict[str, Any], make_harness: Callable[[], Harness]
) -> BaseException | None:
    asked = inspect.signature(test).parameters
    with tempfile.TemporaryDirectory() as folder:
        try:
            with make_harness() as harness, Bench(harness, backend="mutant") as bench:
                offered = {"bench": bench, "tmp_path": Path(folder)}
                fixtures = {name: value for name, value in offered.items() if name in asked}
                if "store" in asked:
                    fixtures["store"] = bench.open()
                test(RunStoreConformance(), **fixtures, **given)
                check_nothing_held(bench)
        except pytest.skip.Exception:
            return None
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - what it raised is the finding
            return error
    return None

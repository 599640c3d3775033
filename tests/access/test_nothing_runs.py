"""What a store holds is data: to read all of it neither unpickles an object nor starts a program nor evaluates a text."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from moving.everything import SHOWN, fill
from runstore import open_store
from support.commands import environment

_PROGRAM = """
import json, sys

watched = {"pickle.find_class", "marshal.loads", "marshal.load", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen",
    "ctypes.dlopen", "compile", "exec"}
heard, watching = [], False

def hear(event, arguments):
    if watching and event in watched:
        heard.append(event)

from runstore import open_reader

def read(url):
    with open_reader(url) as reader:
        runs = [*reader.iter_runs(), *reader.iter_runs("archived = true")]
        for run in runs:
            reader.get_config(run.id)
            for each in reader.get_summaries(run.id):
                reader.get_history(run.id, each.name, each.dataset_type)
                reader.sample_history(run.id, each.name, each.dataset_type, max_points=10)
            for each in reader.list_artifacts(run.id):
                if each.sha256:
                    with reader.open_artifact(run.id, each.name) as source:
                        source.read()
        return len(runs)

read(sys.argv[1])  # once unheard: modules are compiled code, and are loaded by the first call that needs them
sys.addaudithook(hear)
watching = True
count = read(sys.argv[1])
watching = False
print(json.dumps([count, heard]))
"""


@pytest.mark.parametrize(
    "kind",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
        pytest.param("mongodb", marks=pytest.mark.server),
    ],
)
def test_to_read_a_whole_store_runs_nothing_that_is_in_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = str(request.getfixturevalue(f"{kind}_url"))
    with open_store(url, durable=False) as store:
        fill(store, tmp_path)

    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, url], capture_output=True, text=True, check=False, env=environment()
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [len(SHOWN), []]

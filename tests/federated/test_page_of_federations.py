"""The program of docs/federated.md, on drawn films."""

from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("flwr", reason="Flower is not installed; it comes with the extra federated of pneumo-train")

from documentation.pages import run_blocks
from pneumo_train.demo.phantoms import write_phantoms
from pneumo_train.federating.result import FederationResult
from runstore import open_reader
from runstore.rounds import read_rounds

pytestmark = [pytest.mark.training, pytest.mark.federated, pytest.mark.filterwarnings("default")]

SETTINGS = """\
data: {image_size: 32, patient_column: source_patient, validation_fraction: 0.3}
model: {architecture: small}
training: {batch_size: 8, accelerator: cpu}
evaluation: {bootstrap_draws: 20}
"""


def test_the_program_of_the_page_trains_at_clients_that_are_not_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_phantoms(Path("films"), patients=60, films_per_patient=1, positive_share=0.5, size=48, seed=1)
    Path("train.yaml").write_text(SETTINGS)

    names = run_blocks("docs/federated.md", "py", replaced={"num_rounds=10": "num_rounds=1"})

    with open_reader("sqlite:///runs.db") as reader:
        (made,) = read_rounds(reader, cast("FederationResult", names["result"]).run_id)
        assert [client.client for client in made.clients] == [f"client-{number}" for number in range(4)]
        assert made.num_completed == 4

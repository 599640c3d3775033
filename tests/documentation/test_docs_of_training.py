"""What the pages about training show runs, too: on drawn films, and on a module that is anybody's."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.demos.boring_classes import BoringDataModule
from pytorch_lightning.loggers import CSVLogger

from documentation.pages import PAGES, blocks_of, commands_of, run_blocks
from documentation.shell import check_transcripts, do, lines_of
from lightning_logger.models import Model
from pneumo_train.commands import build_parser
from pneumo_train.demo.phantoms import write_phantoms
from runstore.opening.stores import open_store

NOISY = ("lightning", "pytorch_lightning", "torch", "jsonargparse", "transformers", "accelerate")
"""What these say of each other and of small trainings is theirs; our own warnings stay errors."""

pytestmark = [pytest.mark.training, *(pytest.mark.filterwarnings(f"ignore::Warning:{name}") for name in NOISY)]

SMALL = """\
data: {image_size: 32, patient_column: source_patient, validation_fraction: 0.3}
training: {max_epochs: 1, batch_size: 8, threads: 1, accelerator: cpu}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))


def test_each_block_of_the_page_about_lightning_runs_after_those_before_it() -> None:
    run_blocks("docs/lightning.md", "py")

    with open_store("sqlite:///runs.db", durable=False) as store:
        resumed, *others = store.search_runs(order_by=["attempt desc"]).items
        assert (resumed.status, resumed.attempt) == ("completed", 2)
        assert [run.status for run in others] == ["completed"] * 4
        assert "notes.txt" in {artifact.name for artifact in store.list_artifacts(resumed.id)}


def test_the_quickstart_with_lightning_trains_and_its_commands_print_what_it_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    (settings,) = blocks_of("docs/lightning-quickstart.md", "toml")
    Path("runstore.toml").write_text(settings.text)

    names = run_blocks("docs/lightning-quickstart.md", "py")

    assert check_transcripts("docs/lightning-quickstart.md") == 4
    assert cast("Any", names["best"]).name == "lr 0.5"
    assert cast("Any", names["model"]).hparams["lr"] == 0.5


def test_the_commands_of_the_page_about_csvlogger_bring_what_it_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_URL", "sqlite:///runs.db")
    logger = CSVLogger(".", name="lightning_logs")
    logger.log_metrics({"train_loss": 0.5}, 1)
    logger.finalize("success")
    page = "docs/coming-from-csvlogger.md"

    for line in lines_of(page):
        if line.words[0] == "runstore":
            do(line)

    with open_store("sqlite:///runs.db", durable=False) as store:
        (run,) = store.search_runs().items
        assert list(store.get_history(run.id, "loss", "train").values) == [0.5]


def test_the_file_for_a_lightningcli_makes_the_logger_that_it_names() -> None:
    (shown,) = blocks_of("docs/lightning.md", "yaml")
    Path("trainer.yaml").write_text(shown.text)

    cli = LightningCLI(Model, BoringDataModule, args=["--config", "trainer.yaml"], run=False)

    logger = cast("Any", cli.trainer.logger)
    assert (type(logger).__name__, logger.name) == ("RunStoreLogger", "ct-seg")


def test_each_block_of_the_page_about_hugging_face_runs_after_those_before_it() -> None:
    pytest.importorskip("transformers")
    cpu = {"TrainingArguments(": "TrainingArguments(use_cpu=True, disable_tqdm=True, output_dir="}

    names = run_blocks("docs/huggingface.md", "py", replaced=cpu)

    with open_store("sqlite:///runs.db", durable=False) as store:
        assert {run.status for run in store.search_runs().items} == {"completed"}
        assert store.get_run(cast("Any", names["again"]).run_id).attempt == 2


def test_the_lightning_example_of_the_readme_is_a_whole_program_that_stores_a_run() -> None:
    names = run_blocks("README.md", "py")

    with open_store("sqlite:///runs.db", durable=False) as store:
        (run,) = store.search_runs("config.lr = 0.5").items
        assert (run.id, run.status) == (cast("Any", names["logger"]).run_id, "completed")
        counted = {(each.name, str(each.dataset_type)): each.count for each in store.get_summaries(run.id)}
    assert counted["loss", "train"] == 15
    assert counted["loss", "validation"] == 5


def test_the_blocks_of_the_page_about_the_trainer_train() -> None:
    write_phantoms(Path("films"), patients=20, films_per_patient=1, positive_share=0.5, size=48, seed=1)
    Path("train.yaml").write_text(SMALL)

    names = run_blocks("docs/trainer.md", "py", replaced={"max_epochs=10": "max_epochs=1, enable_progress_bar=False"})
    run_id = cast("Callable[..., str]", names["train"])(_module(), BoringDataModule())

    with open_store("sqlite:///runs.db", durable=False) as store:
        assert {run.status for run in store.search_runs().items} == {"completed"}
        assert [series.name for series in store.get_summaries(run_id) if series.dataset_type == "train"]


def _module() -> LightningModule:
    torch.manual_seed(0)
    return Model()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(words[:2] == ["pneumo-train", "fit"] for words in commands_of(page))]
)
def test_each_training_command_that_is_shown_has_the_options_it_is_shown_with(page: str) -> None:
    Path("train.yaml").write_text(SMALL)
    shown = [words[1:] for words in commands_of(page) if words[0] == "pneumo-train" and "--source" in words]

    for words in shown:
        build_parser().parse_args([word for word in words if word != "--print_config"])

    assert shown


def test_the_page_about_commands_names_each_that_trains() -> None:
    shown = {words[1] for words in commands_of("docs/commands.md") if words[0] == "pneumo-train"}

    named = re.search(r"\{([\w,-]+)\}", build_parser().format_usage())
    assert named
    assert shown == set(named[1].split(","))

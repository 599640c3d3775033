"""The command: its options, its exit statuses, what it prints, and how a signal ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pneumo_train.cli import main
from runstore import RunReader, RunStatus, open_reader
from runstore.errors import RunStoreError

WriteSource = Callable[..., Path]

SMALL = (
    "--data.image_size=32", "--data.patient_column=source_patient", "--data.validation_fraction=0.3",
    "--training.batch_size=8", "--training.threads=1", "--training.accelerator=cpu", "--progress=false",
)  # fmt: skip


@pytest.fixture
def here(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with no store configured."""
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    monkeypatch.chdir(fast_path)
    return fast_path


def exit_status(*argv: str) -> int:
    try:
        return main(argv)
    except SystemExit as end:
        return int(end.code or 0)


def test_help_names_every_option_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("fit", "--help") == 0

    text = capsys.readouterr().out
    for option in (
        "--source",
        "--store",
        "--config",
        "--print_config",
        "--data.groups_csv",
        "--optimizer.learning_rate",
    ):
        assert option in text
    assert "kept as interrupted" in text


def test_asking_for_help_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys\nfrom pneumo_train.cli import main\n"
        "try:\n    main(['fit', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'pytorch_lightning', 'torchmetrics', 'torchvision', 'numpy', 'matplotlib', 'PIL'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_printed_configuration_is_a_file_that_gives_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status("fit", "--source", "films", "--model.depth", "34", "--print_config") == 0
    printed = capsys.readouterr().out
    (here / "train.yaml").write_text(printed, encoding="utf-8")

    assert exit_status("fit", "--config", "train.yaml", "--training.max_epochs", "3", "--print_config") == 0

    again = yaml.safe_load(capsys.readouterr().out)
    assert again["source"] == "films"
    assert again["model"]["depth"] == 34
    assert again["training"].pop("max_epochs") == 3
    first = yaml.safe_load(printed)
    assert first["training"].pop("max_epochs") == 10
    assert again == first


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "source"),
        pytest.param(("--source", "absent"), "found nothing; name a directory or a zip", marks=pytest.mark.training),
        (("--source", "x", "--data.image_size", "3"), "data.image_size = 3: must lie in 32"),
        (("--source", "x", "--data.imagesize", "64"), "did you mean 'data.image_size'"),
        (("--source", "x", "--config", "bad.yaml"), "did you mean 'training.max_epochs'"),
        (("--source", "x", "--config", "absent.yaml"), "absent.yaml"),
    ],
)
def test_a_mistake_ends_with_status_2_and_says_what_to_mend(
    here: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], message: str
) -> None:
    (here / "bad.yaml").write_text("training:\n  epochs: 3\n", encoding="utf-8")

    status = exit_status("fit", *argv)

    assert status == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "module",
    [
        "jsonargparse",
        pytest.param("yaml", marks=pytest.mark.training),  # without Lightning it is Lightning that is missed first
        "pytorch_lightning",
    ],
)
def test_without_the_extra_the_command_says_what_to_install(module: str) -> None:
    program = (
        f"import sys\nsys.modules[{module!r}] = None\n"
        "from pneumo_train.cli import main\nsys.exit(main(['fit', '--source', 'films']))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert f'needs {module}; install it by: pip install "runstore[train]"' in " ".join(done.stderr.split())


def test_check_says_what_a_source_holds(write_source: WriteSource, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_source([("a", 0), ("b", 1)])

    assert exit_status("check", "--source", str(root)) == 0
    assert "csv_file: stage2_train_metadata.csv" in capsys.readouterr().out
    assert exit_status("check", "--source", str(root), "--csv", "absent.csv") == 2


@pytest.mark.training
def test_fit_keeps_the_run_and_says_where_it_is(phantoms: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = exit_status(
        "fit", "--source", str(phantoms), "--store", "sqlite:///runs.db", "--experiment", "from the command line",
        "--training.max_epochs=1", *SMALL,
    )  # fmt: skip

    printed = " ".join(capsys.readouterr().out.split())
    assert status == 0
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        (run,) = reader.search_runs().items
        assert reader.get_experiment(run.experiment_id).name == "from the command line"
        assert reader.get_config(run.id)["training"]["max_epochs"] == 1
    assert run.status is RunStatus.COMPLETED
    assert f"runstore show {run.id} --store 'sqlite:///runs.db'" in printed
    assert "val_auroc" in printed
    assert ".ckpt" in printed


@pytest.mark.training
def test_a_training_that_diverges_ends_with_status_1_and_one_line(
    phantoms: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = exit_status(
        "fit", "--source", str(phantoms), "--store", "sqlite:///runs.db", "--training.max_epochs=2", *SMALL,
        "--optimizer.learning_rate=1e30",
    )  # fmt: skip

    told = capsys.readouterr()
    assert status == 1
    assert "best" not in told.out
    assert told.err == (
        "pneumo-train: training has diverged: the loss is NaN since epoch 0; lower optimizer.learning_rate (it was "
        "1e+30); the run is kept as failed\n"
    )
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        assert [run.status for run in reader.search_runs().items] == [RunStatus.FAILED]


@pytest.mark.training
def test_a_password_is_never_printed(phantoms: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001 - the directory it runs in
    status = exit_status(
        "fit",
        "--source",
        str(phantoms),
        "--store",
        "oracle://me:sesame@host/database",
        "--training.max_epochs=1",
        *SMALL,
    )

    printed = "".join(capfd.readouterr())
    assert status == 2
    assert "oracle" in printed
    assert "sesame" not in printed


@pytest.mark.training
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_as_interrupted(phantoms: Path, here: Path, number: signal.Signals, status: int) -> None:
    url = f"sqlite:///{here}/runs.db"
    argv = [
        sys.executable, "-m", "pneumo_train.cli", "fit", "--source", str(phantoms), "--store", url, "--run_id", "stopped",
        "--training.max_epochs=1000", "--training.early_stopping_patience=0", *SMALL,
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            _wait_for_an_epoch(url, process)
            process.send_signal(number)
            printed, _ = process.communicate(timeout=120)
        finally:
            process.kill()

    with open_reader(url) as reader:
        run = reader.get_run("stopped")
        epochs = len(reader.get_history("stopped", "auroc", "validation"))
    assert process.returncode == status, printed
    assert run.status is RunStatus.INTERRUPTED
    assert epochs >= 1


def _wait_for_an_epoch(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        if _epochs_in(url):
            return
        time.sleep(0.3)
    raise TimeoutError("no epoch reached the store")


def _epochs_in(url: str) -> int:
    try:
        reader: RunReader = open_reader(url)
    except RunStoreError:
        return 0
    with reader:
        try:
            return len(reader.get_history("stopped", "auroc", "validation"))
        except RunStoreError:
            return 0

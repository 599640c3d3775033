"""The command: its options, its exit statuses, what it prints, and how a signal ends it."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from PIL import Image

from pneumo_train.cli import main
from pneumo_train.commands import COMMANDS
from runstore import RunReader, RunStatus, open_reader, open_store
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
    assert "\n  143  SIGTERM; the run is kept as interrupted\n" in text


@pytest.mark.parametrize("command", ["fit", "check"])
def test_help_says_what_a_key_of_the_configuration_may_hold(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert exit_status(command, "--help") == 0

    text = " ".join(capsys.readouterr().out.split())
    assert "(type: a whole number, at least 32 and at most 1,024, default: 224)" in text
    assert "Annotated" not in text


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_help_fits_the_terminal_and_speaks_no_python(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert exit_status(command, "--help") == 0

    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert "type: str" not in told
    assert "type: int" not in told


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
        ((), "a command is missing; it is one of fit, federate, "),
        (("fitt",), "there is no command 'fitt'; did you mean 'fit'?; for all options: pneumo-train --help"),
        (("train-it",), "there is no command 'train-it'; wanted one of fit, federate"),
        (
            ("check", "--source"),
            "option --source: a value is missing behind it; for all options: pneumo-train check --help",
        ),
    ],
)
def test_a_command_that_is_missing_unknown_or_without_a_value_is_told_in_plain_words(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], message: str
) -> None:
    status = exit_status(*argv)

    told = capsys.readouterr().err
    assert status == 2
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.training
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "source"),
        ((), "it names the folder or the zip of the images, as in --source films/"),
        (("films",), "the images are named with --source, as in --source films"),
        (("--source", "x", "--learning-rate", "0.1"), "did you mean 'optimizer.learning_rate'"),
        (("--source", "x", "--epochs", "3"), "did you mean 'training.max_epochs'"),
        (("--source", "absent"), "found nothing; name a directory or a zip"),
        (
            ("--source", "x", "--training.max_epochs", "many"),
            "--training.max_epochs: wanted a whole number, at least 1 and at most 100,000,000, found 'many'",
        ),
        (("--source", "x", "--model.depth", "19"), "option --model.depth: wanted one of 18, 34, 50, found '19'"),
        (
            ("--source", "x", "--training.num_workers", "1000000"),
            "training.num_workers = 1000000: wanted a whole number, at least 0 and at most 256",
        ),
        (
            ("--source", "x", "--training.threads", "1000000"),
            "training.threads = 1000000: wanted a whole number, at least 1 and at most 1,024, or null",
        ),
        (
            ("--source", "x", "--training.threads", "many"),
            "option --training.threads: wanted a whole number, at least 1 and at most 1,024, or null, found 'many'",
        ),
        (("--source", "x", "--progress", "perhaps"), "option --progress: wanted true or false, found 'perhaps'"),
        (
            ("--source", "x", "--optimizer.learning_rate", ".nan"),
            "optimizer.learning_rate = nan: wanted a number, above 0 and",
        ),
        (("--source", "x", "--data.image_size", "3"), "data.image_size = 3: wanted a whole number, at least 32"),
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

    told = capsys.readouterr().err
    assert status == 2
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.training
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("contrary", "--source=x", "--out=y", "--share=nan"), "option --share: wanted a number, found 'nan'"),
        (("predict", "--run=x", "--batch-size=many", "a.png"), "option --batch_size: wanted a whole number, found"),
        (("compare-federation", "--source=x", "--side_by_side=all"), "wanted a whole number, or null, found 'all'"),
        (("cache", "--clear=perhaps"), "option --clear: wanted true or false, found 'perhaps'"),
    ],
)
def test_an_option_of_one_command_says_what_it_wants_by_its_type(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], message: str
) -> None:
    assert exit_status(*argv) == 2
    assert message in capsys.readouterr().err


@pytest.mark.training
@pytest.mark.parametrize("module", ["jsonargparse", "yaml", "pytorch_lightning"])
def test_without_the_extra_the_command_says_what_to_install(module: str) -> None:
    program = (
        f"import sys\nsys.modules[{module!r}] = None\n"
        "from pneumo_train.cli import main\nsys.exit(main(['fit', '--source', 'films']))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert f"needs {module}; install it by: pip install pneumo-train" in " ".join(done.stderr.split())


FOUR = [("a", 0), ("b", 1), ("c", 0), ("d", 1)]


def test_check_says_what_a_source_holds(write_source: WriteSource, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_source(FOUR)

    assert exit_status("check", "--source", str(root)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "valid: True"
    assert "csv_file: stage2_train_metadata.csv" in lines
    assert "columns: patientId, Target" in lines
    assert "images: 4" in lines
    assert "positives: 2" in lines
    assert "patient_column: patientId" in lines
    assert "patients: 4" in lines
    assert (
        "split: train 2 images, 2 patients, 1 positives; validation 2 images, 2 patients, 1 positives; left out 0"
        in lines
    )
    assert exit_status("check", "--source", str(root), "--csv", "absent.csv") == 2


def test_check_takes_the_options_and_files_of_fit(
    write_source: WriteSource, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_source([(f"{name}.png", label) for name, label in FOUR], columns=("Image Index", "Finding"))
    options = ("--source", str(root), "--data.image_column", "Image Index", "--data.target_column", "Finding")
    more = ("--store", "sqlite:///runs.db", "--training.max_epochs", "1")
    assert exit_status("fit", *options, *more, "--print_config") == 0
    (here / "train.yaml").write_text(capsys.readouterr().out, encoding="utf-8")

    assert exit_status("check", "--source", str(root)) == 2
    assert exit_status("check", *options, *more) == 0
    assert exit_status("check", "--config", "train.yaml") == 0
    assert list(here.iterdir()) == [here / "train.yaml"]


def spoil(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:60])


@pytest.mark.training
@pytest.mark.parametrize(
    ("rows", "options"),
    [
        pytest.param([("a", "ill"), ("b", "well")], (), id="labels in words"),
        pytest.param([*FOUR, ("absent", 1)], (), id="missing image"),
        pytest.param([("a", 0), ("b", 1)], (), id="too few"),
        pytest.param(FOUR, ("--data.split_column", "part"), id="no such column"),
        pytest.param(FOUR, ("--data.image_size=32", "--training.batch_size=1"), id="batch of one"),
        pytest.param([*FOUR, ("spoilt", 1)], (), id="damaged image"),
        pytest.param(FOUR, ("--data.images_dir", "elsewhere"), id="no such folder"),
    ],
)
def test_what_check_says_is_what_fit_does(  # noqa: PLR0913, PLR0917 - fixtures
    write_source: WriteSource,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rows: list[tuple[object, ...]],
    options: tuple[str, ...],
) -> None:
    root = write_source(rows, images=[f"Training/Images/{row[0]}.png" for row in rows if row[0] != "absent"])
    if rows[-1][0] == "spoilt":
        spoil(root / "Training/Images/spoilt.png")
    monkeypatch.setenv("COLUMNS", "40")

    checked = exit_status("check", "--source", str(root), *options)
    said_of_all = capsys.readouterr().out.splitlines()
    said = said_of_all[-1].removeprefix("error: ")
    fitted = exit_status("fit", "--source", str(root), "--store", "sqlite:///runs.db", "--progress=false", *options)
    told = capsys.readouterr().err

    assert (checked, fitted) == (2, 2)
    assert "images: 0" not in said_of_all
    assert told == f"pneumo-train: {said}\n"
    assert not (here / "results").exists()


@pytest.mark.parametrize(
    ("columns", "rows", "advice"),
    [
        (
            ("patientId", "Target", "source_patient"),
            [("a", 0, "P1"), ("b", 1, "P2"), ("c", 0, "P1"), ("d", 1, "P2"), ("e", 0, "P3"), ("f", 1, "P4")],
            "--data.patient_column source_patient",
        ),
        (
            ("patientId", "Target"),
            [(f"person{i // 2}_virus_{i}", (i // 2) % 2) for i in range(12)],
            "--data.patient_column",
        ),
    ],
)
def test_several_images_of_one_child_are_pointed_out_with_the_option_to_give(
    write_source: WriteSource,
    capsys: pytest.CaptureFixture[str],
    columns: tuple[str, ...],
    rows: list[tuple[object, ...]],
    advice: str,
) -> None:
    root = write_source(rows, columns=columns)

    assert exit_status("check", "--source", str(root)) == 0

    (warning,) = [
        line
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("warning: each image counts as a patient")
    ]
    assert advice in warning


def test_a_table_that_knows_the_patients_is_pointed_out(
    write_source: WriteSource, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_source(FOUR)
    write_source(
        [(name, f"P{label}") for name, label in FOUR], columns=("patientId", "child id"), table="index.csv", images=[]
    )

    assert exit_status("check", "--source", str(root)) == 0

    assert '--data.groups_csv index.csv --data.patient_column "child id"' in capsys.readouterr().out


def test_images_that_are_there_twice_are_pointed_out(
    write_source: WriteSource, capsys: pytest.CaptureFixture[str]
) -> None:
    """All images of this source are the same grey square."""
    root = write_source(FOUR)

    assert exit_status("check", "--source", str(root)) == 0

    assert "warning: 1 images are there more than once under different names, as a.png" in capsys.readouterr().out


def test_an_image_of_both_parts_is_refused_by_option_and_one_of_a_single_part_is_not(
    write_source: WriteSource, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ("train", "train", "val", "val")
    root = write_source(
        [(*row[:2], part) for row, part in zip(FOUR, parts, strict=True)], columns=("patientId", "Target", "part")
    )
    asked = ("check", "--source", str(root), "--data.split_column", "part", "--data.equal_images", "refuse")
    films = sorted((root / "Training/Images").glob("*.png"))

    assert exit_status(*asked) == 2
    assert "2 images of the validation part are in the training part, too, byte for byte" in capsys.readouterr().out

    for film, grey in zip(films, (1, 1, 2, 2), strict=True):
        Image.new("L", (8, 8), grey).save(film)
    assert exit_status(*asked) == 0
    assert "warning: 2 images are there more than once" in capsys.readouterr().out


def test_what_is_known_is_counted_where_the_split_is_refused(
    write_source: WriteSource, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_source([("a", 1, "p"), ("b", 0, "p"), ("c", 1, "q")], columns=("patientId", "Target", "child"))

    assert exit_status("check", "--source", str(root), "--data.patient_column", "child") == 2

    told = capsys.readouterr().out
    assert "\nimages: 3\npositives: 2\npatients: 2\n" in told
    assert " part (" in told.partition("\nerror: ")[2], "one of a single class"
    assert "\nsplit:" not in told, "there is none"


@pytest.mark.training
@pytest.mark.parametrize("command", ["check", "fit"])
def test_a_mistake_in_the_data_is_told_without_importing_torch(write_source: WriteSource, command: str) -> None:
    root = write_source([("a", 0), ("b", 0)])
    program = (
        f"import sys\nfrom pneumo_train.cli import main\nstatus = main([{command!r}, '--source', {str(root)!r}])\n"
        "heavy = {'torch', 'pytorch_lightning', 'torchmetrics', 'torchvision', 'matplotlib'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or status)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=root)

    assert done.returncode == 2, done.stderr


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
    assert f"runstore show {run.id} --store sqlite:///runs.db" in printed
    assert "runstore ui --store sqlite:///runs.db" in printed
    assert "val_auroc" in printed
    assert ".ckpt" in printed


@pytest.mark.training
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--training.accelerator=gpu",), "training.accelerator = 'gpu': torch finds no GPU on this machine"),
        (("--training.precision=16-mixed",), "training.precision = '16-mixed': needs a GPU"),
        (("--training.batch_size=1",), "training.batch_size = 1: batch normalisation cannot learn"),
        (("--model.weights_path=absent.pth",), "model.weights_path = absent.pth: cannot be read"),
        (("--model.freeze_backbone=true", "--model.fine_tune_layers=99"), "model.fine_tune_layers = 99"),
        (("--checkpoint_dir=/proc/checkpoints",), "checkpoint_dir = '/proc/checkpoints': cannot be written"),
        (("--checkpoint_dir=file/checkpoints",), "checkpoint_dir = 'file/checkpoints': cannot be written"),
        (("--logs_dir=file",), "logs_dir = 'file': cannot be written"),
        (("--store=sqlite:////proc/runs.db",), "/proc/runs.db"),
        (("--store=sqlite:///file",), "file"),
        (("--experiment=",), "experiment"),
        (("--run_id=ended",), "run_id = 'ended': this run has ended as completed"),
    ],
)
def test_what_can_be_known_before_training_is_told_before_it(  # noqa: PLR0913, PLR0917 - fixtures
    phantoms: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    message: str,
) -> None:
    (here / "file").write_text("no folder and no database", encoding="utf-8")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    url = f"sqlite:///{here}/runs.db"
    with open_store(url) as store:
        ended = store.ensure_run(store.get_or_create_experiment("pneumonia_detection"), run_id="ended")
        store.finalize(ended, "completed")

    status = exit_status("fit", "--source", str(phantoms), "--store", url, *SMALL, *options)

    told = capsys.readouterr().err
    assert status == 2
    assert message in told
    assert told.count("\n") == 1, told
    with open_reader(url) as reader:
        assert [run.id for run in reader.search_runs().items] == ["ended"]
    assert not (here / "results").exists()


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
        "1e+30); a run that is stored is kept as failed\n"
    )
    with open_reader(f"sqlite:///{here}/runs.db") as reader:
        assert [run.status for run in reader.search_runs().items] == [RunStatus.FAILED]


@pytest.mark.training
def test_a_database_that_turns_the_trainer_away_is_told_before_any_image_is_read(
    write_source: WriteSource, here: Path, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The image is damaged: that would be told next."""
    root = write_source(FOUR)
    spoil(root / "Training/Images/a.png")
    server, _, _ = postgresql_url.partition("?")

    status = exit_status("fit", "--source", str(root), "--store", f"{server}_absent", *SMALL[:1], "--progress=false")

    told = capsys.readouterr().err
    assert status == 2
    assert "_absent" in told
    assert told.count("\n") == 1
    assert list(here.iterdir()) in ([], [here / "state"])


ONE_EPOCH = (*SMALL, "--training.max_epochs=1")


@pytest.mark.training
@pytest.mark.parametrize(
    ("command", "environment"),
    [
        pytest.param(
            "$FIT --progress=true", {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "COLUMNS": "60"}, id="ASCII"
        ),
        pytest.param("$FIT --progress=true 2>&1 | head -1", {}, id="reader left"),
        pytest.param("$FIT --progress=true > /dev/full", {}, id="full"),
        pytest.param("mkdir ro && cd ro && $FIT && cd .. && rmdir ro", {"HOME": "/nonexistent"}, id="no home"),
    ],
)
def test_a_training_is_complete_whatever_terminal_is_behind_it(
    phantoms: Path, here: Path, command: str, environment: dict[str, str]
) -> None:
    url = f"sqlite:///{here}/runs.db"
    options = ["--source", str(phantoms), "--store", url, f"--checkpoint_dir={here}/c", f"--logs_dir={here}/l"]
    fit = [sys.executable, "-m", "pneumo_train.cli", "fit", *options, *ONE_EPOCH]

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command.replace('$FIT', shlex.join(fit))}"],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        check=False,
    )

    said = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0, said
    assert "Traceback" not in said
    assert "INFO" not in said
    if ">" not in command:
        assert said.isascii() or "PYTHONIOENCODING" not in environment
        assert any(line.startswith("look at it") and line.endswith(f"--store {url}") for line in said.splitlines())
    with open_reader(url) as reader:
        (run,) = reader.search_runs().items
        assert run.status is RunStatus.COMPLETED
        assert len(reader.list_artifacts(run.id)) >= 3


def test_the_reader_of_a_check_may_leave(write_source: WriteSource) -> None:
    root = write_source(FOUR)
    check = shlex.join([sys.executable, "-m", "pneumo_train.cli", "check", "--source", str(root)])

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {check} | head -1"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "valid: True\n", "")


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
            printed, _ = process.communicate(timeout=600)
        finally:
            process.kill()

    with open_reader(url) as reader:
        run = reader.get_run("stopped")
        epochs = len(reader.get_history("stopped", "auroc", "validation"))
    assert process.returncode == status, printed
    assert run.status is RunStatus.INTERRUPTED
    assert epochs >= 1


def _wait_for_an_epoch(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 600
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

"""Makes event files with tensorboardX and with TensorBoard's own writer, in the folder ``logs`` of the working directory.

What TensorBoard reads of them is printed as JSON: by run and tag, each point's step, value and time.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter

STEPS = 1500
LOGS = Path("logs")


def plain() -> None:
    """What programs with PyTorch write."""
    with SummaryWriter(str(LOGS / "plain"), write_to_disk=True) as writer:
        for step in range(STEPS):
            writer.add_scalar("train/loss", 1 / (1 + step), step)
            if step % 100 == 0:
                writer.add_scalar("val/auroc", step / STEPS, step, walltime=1_700_000_000.25 + step)
        for step, value in enumerate([math.nan, math.inf, -math.inf, -0.0, 1e-45]):
            writer.add_scalar("odd", value, step)
        for step in (3, 2, 2, 1):
            writer.add_scalar("mixed", float(step), step, walltime=1_700_000_000 + 10 * step)
        writer.add_scalar("far", 1.0, 2**62)
        writer.add_scalar("x" * 200, 2.0, 5)
        writer.add_histogram("weights", np.arange(10.0), 0)
        writer.add_text("notes", "hello", 0)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 7)


def tuned() -> None:
    """What is written for the page HPARAMS."""
    with SummaryWriter(str(LOGS)) as writer:
        settings = {"lr": 0.001, "depth": 18, "net": "resnet", "amp": True}
        writer.add_hparams(settings, {"hparam/auroc": 0.9}, name="tuned", global_step=4)


def resumed() -> None:
    """A program that went on from step 5 after it had come to step 7, in a second file."""
    for begin, end, purge in ((0, 8, None), (5, 10, 5)):
        with SummaryWriter(str(LOGS / "resumed"), purge_step=purge, filename_suffix=f".{begin}") as writer:
            for step in range(begin, end):
                writer.add_scalar("loss", step + begin / 10, step, walltime=1_700_000_000 + 100 * begin + step)
            if not begin:
                writer.add_scalar("only once", 1.0, 7)


def tensors() -> None:
    """What programs with TensorFlow 2 write: each number is a tensor."""
    writer = EventFileWriter(str(LOGS / "tensors"))
    scalars = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
    for step in range(20):
        number = tensor_util.make_tensor_proto(np.array(0.5 / (1 + step), dtype="float32"))
        summary = Summary(value=[Summary.Value(tag="loss", tensor=number, metadata=scalars)])
        writer.add_event(Event(step=step, wall_time=1_700_000_000 + step, summary=summary))
    kinds = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool"]
    for step, kind in enumerate(kinds):
        number = tensor_util.make_tensor_proto(np.array(1, dtype=kind))
        summary = Summary(value=[Summary.Value(tag=kind, tensor=number)])
        writer.add_event(Event(step=step, wall_time=1_700_000_000 + step, summary=summary))
    minus = tensor_util.make_tensor_proto(np.array(-3, dtype="int64"))
    writer.add_event(
        Event(step=1, wall_time=1.0, summary=Summary(value=[Summary.Value(tag="minus", tensor=minus)] * 2))
    )
    row = tensor_util.make_tensor_proto(np.array([1.0], dtype="float32"))
    writer.add_event(Event(step=1, wall_time=1.0, summary=Summary(value=[Summary.Value(tag="row", tensor=row)])))
    writer.add_event(Event(step=-2, wall_time=1.0, summary=Summary(value=[Summary.Value(tag="below", simple_value=3)])))
    writer.add_event(Event(step=1, wall_time=1.0, session_log=SessionLog(status=SessionLog.STOP)))
    writer.close()


def told() -> dict[str, object]:
    """By run: the points of each tag, as TensorBoard reads them."""
    runs: dict[str, object] = {}
    for folder in sorted({file.parent for file in LOGS.rglob("*tfevents*")}):
        read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        read.Reload()
        tags = {
            tag: [(each.step, each.value, each.wall_time) for each in read.Scalars(tag)]
            for tag in read.Tags()["scalars"]
        }
        for tag in read.Tags()["tensors"]:
            values = [(each, tensor_util.make_ndarray(each.tensor_proto)) for each in read.Tensors(tag)]
            if all(value.shape == () and value.dtype.kind in "fiub" for _, value in values):
                tags[tag] = [(each.step, float(value), each.wall_time) for each, value in values]
        runs[folder.relative_to(LOGS).as_posix()] = tags
    return runs


if __name__ == "__main__":
    plain()
    tuned()
    resumed()
    tensors()
    sys.stdout.write(json.dumps(told()))

"""Prints as JSON what TensorBoard reads of the event files below the working directory.

By folder: by tag the step, value and time of each point; the hyperparameters, the group and how the session ended. And what
its page shows of them: its server reads the files by other code.
"""

import json
import logging
import os
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tensorboard import program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata


def read(folder: Path) -> dict[str, Any]:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    points = {
        tag: [(each.step, repr(each.value), each.wall_time) for each in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    said = events.PluginTagToContent("hparams")
    begun = metadata.parse_session_start_info_plugin_data(said["_hparams_/session_start_info"])
    ended = metadata.parse_session_end_info_plugin_data(said["_hparams_/session_end_info"])
    settings = {key: getattr(value, value.WhichOneof("kind")) for key, value in begun.hparams.items()}
    return {
        "points": points, "settings": settings, "group": begun.group_name, "status": ended.status,
        "times": [begun.start_time_secs, ended.end_time_secs],
    }  # fmt: skip


def shown(runs: dict[str, Any]) -> dict[str, dict[str, list[list[float]]]]:
    """By run and tag: the points, as the page gets them."""
    server = program.TensorBoard()
    server.configure(
        argv=[
            "",
            "--logdir=.",
            "--port=0",
            "--load_fast=true",
            "--reload_interval=1",
            "--samples_per_plugin=scalars=10000",
        ]
    )
    url = server.launch()

    def asked(path: str, **query: str) -> Any:
        with urllib.request.urlopen(f"{url}data/{path}?{urllib.parse.urlencode(query)}") as answer:
            return json.loads(answer.read())

    wanted = {
        run: {tag: len(points) for tag, points in read["points"].items()}
        for run, read in runs.items()
        if read["points"]
    }
    for _ in range(600):  # it reads the files while it answers
        tags = {run: list(each) for run, each in asked("plugin/scalars/tags").items() if each}
        answer = {
            run: {tag: asked("plugin/scalars/scalars", tag=tag, run=run) for tag in each} for run, each in tags.items()
        }
        if {run: {tag: len(points) for tag, points in each.items()} for run, each in answer.items()} == wanted:
            break
        time.sleep(0.1)
    return answer


if __name__ == "__main__":
    logging.disable()
    folders = sorted({file.parent for file in Path().rglob("*tfevents*")})
    runs = {folder.as_posix(): read(folder) for folder in folders}
    sys.stdout.write(json.dumps({"read": runs, "shown": shown(runs)}))
    sys.stdout.flush()
    os._exit(0)  # its server's threads have no end

"""A client joins a federation over a network with films of its own. They stay where they are; nothing is stored."""

import dataclasses
import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from pneumo_train.config.settings import TrainConfig
from pneumo_train.federating.apart import workplace
from pneumo_train.federating.invitations import invitation_in
from pneumo_train.federating.own_films import OwnFilms
from pneumo_train.federating.sites import Share
from pneumo_train.fitting.machine import require_gpu_device
from pneumo_train.preparing.reading import Reading, read_source
from pneumo_train.temporary import own_folder


def join(
    folder: str | PathLike[str], source: str | PathLike[str], config: TrainConfig, say: Callable[[str], None]
) -> None:
    """Takes part in a federation until this process is ended.

    Args:
        folder: the invitation.
        source: a directory or a zip with a metadata CSV and images.
        config: how they are read, and how they are divided; all else is the server's to say.
        say: tells a person what happens.

    Raises:
        ConfigError: the folder is no invitation, or an option does not go with the films.
        SourceError: the source holds no table or no images.
        DataError: the table cannot be trained on, or not be divided as configured.
        FederationError: the server does not know this client, or this system cannot fork.
    """
    invitation = invitation_in(Path(folder))
    require_gpu_device(config)
    with read_source(source, config, is_split=False) as reading:
        divided = divided_here(reading)
        # The test part is the client's alone: no training sees it, and the server is told nothing of it.
        split = dataclasses.replace(divided.split, test=())
        share = Share.of(split)
        for note in divided.notes:
            say(note)
        kept = f", and keeps {divided.split.left_out:,} of its test part out" if divided.split.test else ""
        say(f"{invitation.client} has {share.images:,} images of {os.fspath(source)}{kept}")

        from pneumo_train.federating.flower.attending import attend  # noqa: PLC0415 - the extra brings it, and it is slow

        with (
            own_folder() as own,
            workplace(
                OwnFilms(own, Path(folder).resolve() / "own", split, reading.source.config), side_by_side=1
            ) as apart,
        ):
            attend(invitation, own, apart, share.describe(), say)


def divided_here(reading: Reading) -> Reading:
    """A client's films, divided as ``fit`` divides them, but that a hospital may have films of one class only.

    Raises:
        DataError: they cannot be divided as configured, or equal images lie in two parts and may not.
        ConfigError: an option does not go with the films.
    """
    divided = reading.divided(one_class=True)
    if reading.config.data.equal_images == "refuse":
        divided.decode()  # by which it is known; what trains decodes its parts in a process of its own
    return divided

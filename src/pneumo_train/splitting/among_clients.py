"""One source dealt out among clients: no patient is at two of them, and the same seed deals the same in any order of rows."""

import itertools
import random
from collections.abc import Sequence

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import DataError
from pneumo_train.samples import Sample

LEAST_PATIENTS = 4
"""Of a client: some to learn from, and some to look at after each round."""

_TRIES = 200


def deal_out(samples: Sequence[Sample], config: FederationConfig, *, seed: int) -> dict[str, tuple[Sample, ...]]:
    """The samples of each client, by its name.

    Raises:
        DataError: there are too few patients, or none of many Dirichlet draws gives every client enough.
    """
    labels: dict[str, int] = {}
    for sample in samples:
        labels[sample.patient] = max(sample.target, labels.get(sample.patient, 0))
    needed = LEAST_PATIENTS * config.num_clients
    if len(labels) < needed:
        raise DataError(
            f"num_clients = {config.num_clients}: {len(labels):,} patients are to be dealt out, and each client needs "
            f"{LEAST_PATIENTS}; use more patients, or fewer clients"
        )
    rng = random.Random(f"{seed} {config.partition}")  # noqa: S311 - reproducible, not secret
    dealt = _blocks(labels, config, rng) if config.partition != "dirichlet" else _dirichlet(labels, config, rng)
    owners = {patient: number for number, patients in enumerate(dealt) for patient in patients}
    of_clients: list[list[Sample]] = [[] for _ in dealt]
    for sample in samples:
        of_clients[owners[sample.patient]].append(sample)
    width = len(str(config.num_clients - 1))
    return {f"client-{number:0{width}}": tuple(mine) for number, mine in enumerate(of_clients)}


def _blocks(labels: dict[str, int], config: FederationConfig, rng: random.Random) -> list[list[str]]:
    """Equal numbers of patients for all clients, differing by one at most."""
    patients = sorted(labels)
    if config.partition != "by_patient":
        rng.shuffle(patients)
    if config.partition == "stratified":
        patients.sort(key=labels.__getitem__)  # it keeps the order of the shuffle within a label
        return [patients[number :: config.num_clients] for number in range(config.num_clients)]
    ends = [round(len(patients) * number / config.num_clients) for number in range(config.num_clients + 1)]
    return [patients[start:stop] for start, stop in itertools.pairwise(ends)]


def _dirichlet(labels: dict[str, int], config: FederationConfig, rng: random.Random) -> list[list[str]]:
    """For each label, shares of a symmetric Dirichlet distribution, drawn again until each client has enough patients."""
    for _ in range(_TRIES):
        dealt: list[list[str]] = [[] for _ in range(config.num_clients)]
        for label in (0, 1):
            patients = sorted(patient for patient, value in labels.items() if value == label)
            rng.shuffle(patients)
            weights = [rng.gammavariate(config.dirichlet_alpha, 1.0) for _ in dealt]
            total = sum(weights) or 1.0
            start, share = 0, 0.0
            for mine, weight in zip(dealt, weights, strict=True):
                share += weight / total
                stop = round(share * len(patients))
                mine.extend(patients[start:stop])
                start = stop
            dealt[-1] += patients[start:]
        if min(map(len, dealt)) >= LEAST_PATIENTS:
            return dealt
    raise DataError(
        f"partition = 'dirichlet', dirichlet_alpha = {config.dirichlet_alpha:g}: {_TRIES} draws gave some client fewer than "
        f"{LEAST_PATIENTS} of {len(labels):,} patients; give a greater dirichlet_alpha, fewer clients, or more patients"
    )

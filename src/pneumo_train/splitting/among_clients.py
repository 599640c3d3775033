"""One source dealt out among clients: no patient is at two of them, and the same seed deals the same in any order of rows."""

import itertools
import random
from collections import defaultdict
from collections.abc import Sequence

from pneumo_train.config.federation import FederationConfig
from pneumo_train.errors import DataError
from pneumo_train.samples import Sample
from pneumo_train.words import enumerated

LEAST_PATIENTS = 4
"""Of a client: some to learn from, and some to look at after each round."""

_TRIES = 200
_SHOWN = 3
_MOST_OF_A_NAME = 255
"""As in a store."""


def deal_out(samples: Sequence[Sample], config: FederationConfig, *, seed: int) -> dict[str, tuple[Sample, ...]]:
    """The samples of each client, by its name.

    Raises:
        DataError: there are too few patients, or none of many Dirichlet draws gives every client enough; or the sites of the films
            are not so many clients, each with patients of its own.
    """
    if config.partition == "site":
        return _by_site(samples, config)
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


def _by_site(samples: Sequence[Sample], config: FederationConfig) -> dict[str, tuple[Sample, ...]]:
    """Each site is a client, by the site's own name."""
    lost = [sample.image_id for sample in samples if sample.site is None]
    if lost:
        raise DataError(
            f"partition = 'site': {len(lost):,} of {len(samples):,} films have no site, as {enumerated(lost, at_most=_SHOWN)}; fill in "
            "the column of data.site_column, or leave these films out by data.subset_column"
        )
    of_sites: dict[str, list[Sample]] = defaultdict(list)
    sites: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        of_sites[sample.site or ""].append(sample)
        sites[sample.patient].add(sample.site or "")
    names = sorted(of_sites)
    if shared := sorted(patient for patient, where in sites.items() if len(where) > 1):
        where = " and ".join(map(repr, sorted(sites[shared[0]])))
        raise DataError(
            f"partition = 'site': {len(shared):,} of {len(sites):,} patients have films of several sites, as {shared[0]!r} ({where}), and "
            "a patient is at one client; mend the table, or, where they are different people, write the site into the patient's name"
        )
    if len(names) != config.num_clients:
        raise DataError(
            f"num_clients = {config.num_clients}: the films are of {len(names)} sites ({enumerated(names, at_most=_SHOWN)}), and with "
            f"partition = 'site' each is a client; "
            + (f"give num_clients = {len(names)}" if len(names) > 1 else "one is no federation")
        )
    for name in names:
        if len(name) > _MOST_OF_A_NAME or not name.isprintable():
            raise DataError(
                f"partition = 'site': the site {name[:60]!r} cannot be a client's name: it has {len(name):,} characters; give at most "
                f"{_MOST_OF_A_NAME}, all printable"
            )
        if (count := len({sample.patient for sample in of_sites[name]})) < LEAST_PATIENTS:
            raise DataError(
                f"partition = 'site': {name!r} has {count} patients to learn from, and each client needs {LEAST_PATIENTS}; leave it out by "
                "data.subset_column, or join it with another site"
            )
    return {name: tuple(of_sites[name]) for name in names}


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

"""The rounds of a federation, kept with its run: who took part, who dropped out and why, and what came of it.

>>> from runstore import open_store
>>> from runstore.rounds import ClientRound, Round, media_of, read_rounds
>>> made = Round(
...     number=1,
...     clients=(
...         ClientRound(client="st-anna", status="completed", num_examples=120, metrics={"auroc": 0.91}),
...         ClientRound(client="lyon", status="late", reason="no answer within 600 s"),
...     ),
...     metrics={"auroc": 0.91},
... )
>>> with open_store("memory://", durable=False) as store:
...     run_id = store.ensure_run(store.get_or_create_experiment("federation"))
...     artifact = media_of(made).keep(store, run_id)
...     print(artifact.name, artifact.artifact_type)
...     print(read_rounds(store, run_id) == [made])
rounds/000000001.json round
True

``docs/rounds.md`` describes the files.
"""

from runstore.rounds.files import ARTIFACT_TYPE, VERSION, media_of, read_round, read_rounds
from runstore.rounds.values import ClientRound, ClientStatus, Round

__all__ = [
    "ARTIFACT_TYPE",
    "VERSION",
    "ClientRound",
    "ClientStatus",
    "Round",
    "media_of",
    "read_round",
    "read_rounds",
]

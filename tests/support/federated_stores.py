"""A store with the rounds of a federation for the page: generated, the same each time."""

from datetime import UTC, datetime, timedelta

from runstore import open_store
from runstore.rounds import ClientRound, Round, media_of
from support.page_stores import HOSTILE

BEGUN = datetime(2026, 11, 29, 8, tzinfo=UTC)
CLIENTS = ("st-anna", "charité", "lyon", HOSTILE)


def round_of(number: int) -> Round:
    """All four take part; the third comes late in every fifth round, the fourth fails once and is away afterwards."""
    begun = BEGUN + timedelta(minutes=10 * number)
    clients = []
    for place, client in enumerate(CLIENTS):
        left = 0.8**number + 0.02 * place
        if place == 2 and number % 5 == 0:
            clients.append(ClientRound(client=client, status="late", reason="no answer within 600 s"))
        elif place == 3 and number > 3:
            status, reason = ("failed", f"CUDA out of memory on {HOSTILE}") if number == 4 else ("away", "")
            clients.append(ClientRound(client=client, status=status, reason=reason))
        else:
            clients.append(
                ClientRound(
                    client=client,
                    status="completed",
                    run_id=f"client{place}" if place < 2 else None,
                    num_examples=100 * (place + 1),
                    started_at=begun,
                    ended_at=begun + timedelta(seconds=60 + 30 * place),
                    metrics={"auroc": 0.97 - 0.3 * left, "loss": 0.1 + left},
                )
            )
    return Round(number=number, clients=tuple(clients), started_at=begun, metrics={"auroc": 0.97 - 0.3 * 0.8**number})


def fill_with_rounds(url: str, *, rounds: int = 24, run_id: str = "fedavg") -> None:
    """A run has the rounds, and ``lone`` has none."""
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("federation")
        parent = store.ensure_run(experiment, run_id=run_id, name="fedavg 4 clients")
        lone = store.ensure_run(experiment, run_id="lone", name="lone resnet18")
        for number in range(1, rounds + 1):
            media_of(round_of(number)).keep(store, parent)
        for ended in (parent, lone):
            store.finalize(ended, "completed")

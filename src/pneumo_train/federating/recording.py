"""The record of a federation: a run for all of it, a run below it for each client, and a file for each round."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pneumo_train.federating.last import Last
from pneumo_train.federating.rounds import Played
from pneumo_train.federating.values import Reply, reason_of
from pneumo_train.fitting.runs import begin_run, find_run
from runstore import MetricPoint, RunFailure, RunReader, RunStatus, RunStoreError
from runstore.rounds import ClientRound, Round, media_of
from runstore.training import RunSession, split_metric_name

_log = logging.getLogger(__name__)


class Record:
    """Writes the run of a federation and those of its clients. Clients themselves have no store."""

    def __init__(self, session: RunSession, clients: Mapping[str, Mapping[str, Any]], last: Last | None = None) -> None:
        """Writes nothing yet.

        Args:
            session: of the federation's run.
            clients: what is kept as the configuration of each client's run, by name.
            last: the round that is gone on from; its runs of the clients go on, too.
        """
        self._session = session
        self._configs = clients
        self._goes_on = last is not None
        self._again = None if last is None else last.number + 1
        self._last = {each.client: each for made in (last.rounds if last else ()) for each in made.clients}
        known = {} if last is None else last.run_ids
        self._sessions = {
            name: RunSession(
                lambda: session.store,
                experiment=session.experiment,
                run_id=known.get(name),
                training_mode="federated",
                parent_run_id=session.run_id,
                client_id=name,
                name=name,
            )
            for name in clients
        }
        self._begun: set[str] = set()

    @property
    def run_ids(self) -> dict[str, str]:
        """The run of each client, by its name."""
        return {name: session.run_id for name, session in self._sessions.items()}

    @property
    def failures(self) -> int:
        """How many calls the store did not take."""
        unbegun = len(self._sessions) - len(self._begun)
        return self._session.failures + unbegun + sum(session.failures for session in self._sessions.values())

    def begin(self) -> None:
        """Begins the runs of the clients; the federation's own is begun."""
        for name in self._sessions:
            self._client(name)

    def keep(self, played: Played) -> Round:
        """Keeps a round that is over."""
        made = told(played, {name: self._sessions[name].run_id for name in self._begun})
        self._log(self._session, made.metrics, played.number)
        self._session.log_media(media_of(made))
        for each in made.clients:
            self._last[each.client] = each
            if (session := self._client(each.client)) is not None:
                self._log(session, each.metrics, played.number)
        return made

    def end(self, error: BaseException | None) -> None:
        """Ends the runs of the clients. One whose last answer was no good has failed, for that reason."""
        for name in self._sessions:
            session, last = self._client(name), self._last.get(name)
            if session is None:
                continue
            if last is not None and last.status != "completed":
                session.end(RunStatus.FAILED, _failure_of(last))
            else:  # it did what it was asked to: what ended the federation before its time was not its doing
                session.end(RunStatus.COMPLETED if error is None else RunStatus.INTERRUPTED)

    def _log(self, session: RunSession, metrics: Mapping[str, float], number: int) -> None:
        """Keeps the figures of a round. Where it was cut off before and is played again, those of before do not count."""
        points = list(_points(metrics, number))
        if number == self._again:
            points += _withdrawn(session, points, number)
        if points:
            session.log_metrics(points)

    def _client(self, name: str) -> RunSession | None:
        """The session of a client, begun; ``None`` as long as the run above it is not in the store."""
        session = self._sessions[name]
        if name in self._begun:
            return session
        if not self._session.has_begun:
            return None
        try:
            begin_run(
                session, find_run(session) if self._goes_on else None, resume=self._goes_on, goes_on=self._goes_on
            )
            session.log_config(self._configs[name])
        except RunStoreError as error:
            _log.warning("the run of %s is not begun: %s", name, error)
            return None
        self._begun.add(name)
        return session


def told(played: Played, run_ids: Mapping[str, str] | None = None) -> Round:
    """A round in the form in which it is kept.

    Args:
        played: the round.
        run_ids: the run of each client that has one.
    """
    return Round(
        number=played.number,
        started_at=played.started_at,
        ended_at=played.ended_at,
        metrics={**played.metrics, **_spent(played.epsilons, played.epsilons)},
        clients=tuple(
            ClientRound(
                client=name,
                status=reply.status,
                reason=_reason(reply, played.looks.get(name)),
                run_id=(run_ids or {}).get(name),
                num_examples=reply.answer.num_examples if reply.status == "completed" and reply.answer else None,
                started_at=reply.started_at,
                ended_at=reply.ended_at,
                metrics=_figures(reply, played.looks.get(name)) | _spent(played.epsilons, [name]),
            )
            for name, reply in played.replies.items()
        ),
    )


def _figures(reply: Reply, look: Reply | None) -> dict[str, float]:
    """``train_`` and ``val_`` as the client had them with its own weights, ``global_val_`` with the new ones of all."""
    if reply.status != "completed" or reply.answer is None:
        return {}
    figures = {**reply.answer.metrics, "bytes": float(reply.num_bytes)}
    if look is not None and look.status == "completed" and look.answer is not None:
        figures |= {f"global_{name}": value for name, value in look.answer.metrics.items()}
    return figures


def _spent(epsilons: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    """The ε that holds for all of these clients; nothing without differential privacy."""
    return {"epsilon": max(epsilons.get(name, 0.0) for name in names)} if epsilons else {}


def _reason(reply: Reply, look: Reply | None) -> str:
    if look is not None and look.status != "completed":
        return reason_of(f"its look at the new weights: {look.status}, {look.reason}")
    return reply.reason


def _points(metrics: Mapping[str, float], step: int) -> Iterator[MetricPoint]:
    now = datetime.now(UTC)
    for key, value in metrics.items():
        local = key.removeprefix("global_")
        name, dataset_type = split_metric_name(local)
        name = name if local == key else f"global_{name}"
        yield MetricPoint(name=name, dataset_type=dataset_type, value=value, step=step, logged_at=now)


def _withdrawn(session: RunSession, points: Sequence[MetricPoint], number: int) -> list[MetricPoint]:
    """NaN in the place of each figure that a run has of this round and now has none for: a point cannot be taken back."""
    told = {(point.name, point.dataset_type) for point in points}
    try:
        store = session.store
        if not isinstance(store, RunReader):
            return []
        left = [
            series
            for series in store.get_summaries(session.run_id)
            if (series.name, series.dataset_type) not in told
            and number in store.get_history(session.run_id, series.name, series.dataset_type).steps
        ]
    except RunStoreError as error:
        _log.warning("what run %s has of round %s from before stays: %s", session.run_id, number, error)
        return []
    return [
        MetricPoint(name=series.name, dataset_type=series.dataset_type, value=math.nan, step=number) for series in left
    ]


def _failure_of(last: ClientRound) -> RunFailure:
    return RunFailure(type=f"client {last.status}", message=last.reason, traceback="")

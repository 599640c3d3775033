"""The callback: what a ``Trainer`` tells of a training, handed on to its run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

from transformers import TrainerCallback
from transformers.integrations import INTEGRATION_TO_CALLBACK

from runstore.errors import InvalidValueError
from runstore.huggingface.checkpoints import LogModel
from runstore.huggingface.led import LedRun
from runstore.huggingface.watching import listen
from runstore.model import RunStatus
from runstore.opening.opener import Opener
from runstore.protocol import RunStore
from runstore.training.hparams import config_of
from runstore.training.points import PointMaker
from runstore.training.session import RunSession, ending_of
from runstore.values.checks import check_name


class RunStoreCallback(TrainerCallback):
    """Keeps a ``Trainer``'s runs in the database at a URL.

    ``Trainer(..., callbacks=[RunStoreCallback("postgresql://me@db/runs", experiment="bert")])`` is all there is to it. The
    database is touched on rank zero only, when training begins. The run holds the training's arguments and the model's
    as its config, each number that is logged at its step, how it ended, and checkpoints where that is asked for.

    A run is one training with what is evaluated of it. It ends ``completed``; ``failed`` with the exception's type,
    message and traceback; ``interrupted`` for Ctrl-C, or where Optuna prunes the trial. Another ``train`` gets a run of
    its own, whose tag ``from_run`` names the one before. ``train(resume_from_checkpoint=...)``, in any process,
    continues the run that wrote the checkpoint as its next attempt, unless ``run_id`` is given.

    A trainer tells a callback of no exception; so the ``train`` of the trainer that it was given to, in ``callbacks=``,
    is listened to. One that was added later ends a failed run by ``with callback:``, or with the process.

    A store that is away never stops training; see :class:`runstore.training.session.RunSession`.
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own
        self,
        url: str | None = None,
        *,
        experiment: str | None = None,
        run_id: str | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        source_path: str | None = None,
        parent_run_id: str | None = None,
        log_model: LogModel = False,
        system_metrics_s: float | None = None,
        durable: bool = True,
        artifacts: str | None = None,
        store: RunStore | None = None,
    ) -> None:
        """Opens nothing and writes nothing.

        Args:
            url: the store's URL; by default it is looked for as :func:`runstore.open_store` does.
            experiment: the experiment's name; by default the ``project`` of the training's arguments.
            run_id: an existing run to continue, or the id for a new one. It wins over the one in a checkpoint.
            name: a label for the run; by default the ``run_name`` of the training's arguments.
            tags: short texts by key.
            source_path: where the data came from.
            parent_run_id: an existing run of the same store, for instance a sweep's.
            log_model: ``True`` keeps the best and the last checkpoint as artifacts when training has ended well, ``"all"``
                each one as it is written.
            system_metrics_s: seconds between readings of processor, memory, disk and GPUs; ``None`` for none.
            durable: whether calls are journaled on local disk first, as in :func:`runstore.open_store`.
            artifacts: where artifact bytes go, as in :func:`runstore.open_store`.
            store: an open store instead of a URL. It stays the caller's: it is never closed here.

        Raises:
            InvalidValueError: (a ``ValueError``) a name, the run id or ``log_model`` is not allowed, or both ``url``
                and ``store`` are given.
        """
        super().__init__()
        if log_model not in (True, False, "all"):
            raise InvalidValueError(f"log_model is {log_model!r}; give True, False or 'all'")
        self._run = LedRun(
            Opener(url, store=store, durable=durable, artifacts=artifacts),
            experiment=None if experiment is None else check_name(experiment, "experiment"),
            run_id=run_id,
            log_model=log_model,
            system_metrics_s=system_metrics_s,
            birth={"name": name, "tags": tags, "source_path": source_path, "parent_run_id": parent_run_id},
        )
        self._run.belong_to(self)
        self._is_listening = False
        self._is_heard = False
        self._trains = False

    @property
    def run_id(self) -> str:
        """The run's id. Until the training begins, a checkpoint may still name another one."""
        return self._run.run_id

    @property
    def session(self) -> RunSession | None:
        """The run's session, to log more: ``callback.session.log({"my/metric": 3})``; ``None`` before it begins."""
        return self._run.session

    # What the trainer tells

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """The trainer is there: its trainings are listened to."""
        self._is_listening = listen(self, self._training)

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """Begins the run, or goes on with the one of a checkpoint."""
        if not self._is_listening:
            self._is_listening = listen(self, self._training)
        if not state.is_world_process_zero:
            return
        if not (self._is_heard and self._trains):  # else the trainer tries again within one call, with smaller batches
            self._trains = True
            self._run.train(args, state).log_config(_config(args, state, model))
        session = self._run.session
        if session is not None:
            session.step_now = partial(getattr, state, "global_step")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """Writes what is logged, at the step where training is."""
        self._write(self._run.logged, args, state, logs)

    def on_predict(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """Writes the numbers of a test."""
        self._write(self._run.predicted, args, state, metrics)
        self.on_evaluate(args, state, control)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """Ends a run that only evaluates."""
        if not self._trains:
            self._run.end(RunStatus.COMPLETED)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """Keeps the checkpoint, if each is to be kept."""
        if state.is_world_process_zero:
            self._run.checkpoint(args, state)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the hook's face
        """The training has come to its end. Where ``train`` is listened to, it may still raise, and ends the run."""
        if state.is_world_process_zero:
            self._run.finish(args, state)
            if not self._is_heard:
                self._end(None)

    # Its end

    def __enter__(self) -> Self:
        """Begins nothing yet; the block's end is the run's, if nothing has ended it before."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block: ``completed``, or by the exception."""
        self._end(error)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same run; what is opened is closed with it."""
        self.__dict__.update(state)
        self._run.belong_to(self)

    @contextmanager
    def _training(self) -> Iterator[None]:
        """One call of ``train``, which ends the run."""
        self._is_heard, self._trains = True, False
        try:
            yield
        except BaseException as error:
            self._end(error)
            raise
        else:
            self._end(None)
        finally:
            self._is_heard = False

    def _end(self, error: BaseException | None) -> None:
        self._trains = False
        self._run.end(ending_of(error), error)

    def _write(self, maker: PointMaker, args: Any, state: Any, logged: Mapping[str, Any] | None) -> None:
        if state.is_world_process_zero and logged:
            self._run.evaluate(args).log_metrics(maker.points(logged, state.global_step))


def _config(args: Any, state: Any, model: Any) -> dict[str, Any]:
    """The training's arguments by their own names; the model's under ``model``, an adapter's under ``peft``."""
    config = {key: value for key, value in config_of(args.to_dict()).items() if not key.startswith("_")}
    of_model: Any = getattr(model, "config", None)
    parts = {
        "model": of_model.to_dict() if hasattr(of_model, "to_dict") else of_model,
        "peft": getattr(model, "peft_config", None),
        "trial": state.trial_params,
    }
    return config | {key: config_of(part) for key, part in parts.items() if part is not None}


# What `report_to` may name stands in a table of the library's own.
INTEGRATION_TO_CALLBACK["runstore"] = RunStoreCallback

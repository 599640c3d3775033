"""What follows a fitting: the decision goes into the best checkpoint, and the parts that were held out are evaluated."""

import dataclasses
import hashlib
from pathlib import Path

from torch import nn

from pneumo_train.config.settings import as_dict
from pneumo_train.evaluating.figures import Evaluation
from pneumo_train.examining.checkpoint import load_checkpoint, write_decision
from pneumo_train.examining.examining import decide_on, examine
from pneumo_train.examining.keeping import NAME, decision_points, keep_artifacts
from pneumo_train.examining.leading import PACKAGES, keep_evaluation
from pneumo_train.images.films import Films
from pneumo_train.preparing.reading import DecodedSplit, Reading
from pneumo_train.showing.keeping import keep_pictures
from runstore import DatasetType
from runstore.provenance import gather_provenance
from runstore.training import RunSession


@dataclasses.dataclass(frozen=True, slots=True)
class Examiner:
    """What is to be evaluated when a fitting is over.

    Attributes:
        reading: where the films come from.
        films: those of training and of validation.
        test: those of the test part and their hash, if there is one.
    """

    reading: Reading
    films: DecodedSplit
    test: tuple[Films, str] | None

    def examine(self, best: Path, run_id: str) -> "Examined":
        """Chooses temperature and threshold on the validation part, writes them into the checkpoint, and evaluates.

        Raises:
            PredictionError: a prediction is NaN or infinite.
        """
        reading, config = self.reading, self.reading.config
        model, _ = load_checkpoint(best.read_bytes(), called=str(best))
        decision, logits = decide_on(model, self.films.validation, config)
        write_decision(best, decision)
        about = {"run": run_id, "checkpoint_sha256": hashlib.sha256(best.read_bytes()).hexdigest()}
        evaluations = {
            "validation": examine(
                model,
                self.films.validation,
                decision,
                config,
                part="validation",
                divisions=reading.divisions(self.films.validation.samples),
                about={**about, "data_hash": self.films.data_hash},
                logits=logits,
            )
        }
        if self.test is not None:
            films, data_hash = self.test
            evaluations["test"] = examine(
                model,
                films,
                decision,
                config,
                part="test",
                divisions=reading.divisions(films.samples),
                about={**about, "data_hash": data_hash},
            )
        return Examined(
            reading=reading,
            evaluations=evaluations,
            films={"validation": self.films.validation, **({"test": self.test[0]} if self.test else {})},
            model=model,
            run_ids={"validation": run_id},
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The evaluations that follow a fitting.

    Attributes:
        evaluations: by part.
        films: by part.
        model: what looked at them.
        run_ids: by part, the run that keeps it.
    """

    reading: Reading
    evaluations: dict[str, Evaluation]
    films: dict[str, Films]
    model: nn.Module
    run_ids: dict[str, str]

    def keep(self, session: RunSession, *, step: int) -> None:
        """Keeps the validation part's with the training run: it belongs to how the model was chosen.

        Its scores are at the chosen threshold, and called so: ``decision_f1`` beside ``final_f1``, which is at 0.5.
        """
        evaluation = self.evaluations["validation"]
        session.log_metrics(decision_points(evaluation, step=step))
        keep_artifacts(session, evaluation)
        keep_pictures(session, evaluation, self.films["validation"], self.model)

    def keep_test(self, session: RunSession) -> bool:
        """Keeps the test part's, if there is one, as a child of the training run; whether the store took everything."""
        if "test" not in self.evaluations:
            return True
        config, source = self.reading.config, self.reading.source
        child = RunSession(
            session.store,
            experiment=session.experiment,
            parent_run_id=session.run_id,
            name=NAME.format(part="test"),
            source_path=str(source.path),
            tags={"purpose": "evaluation"},
            provenance=gather_provenance(packages=PACKAGES, seed=config.seed),
        )
        self.run_ids["test"] = child.run_id
        about = {"source": {"path": str(source.path), "csv": source.table_name, "part": "test"}}
        evaluation = self.evaluations["test"]
        is_kept = keep_evaluation(child, evaluation, dataset_type=DatasetType.TEST, config={**as_dict(config), **about})
        keep_pictures(child, evaluation, self.films["test"], self.model)
        return is_kept

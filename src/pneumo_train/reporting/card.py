"""The model card of a run, in Markdown: what it is for, what it learnt from, how good it is, what is not known."""

from collections.abc import Iterator

from pneumo_train.reporting import answers
from pneumo_train.reporting.facts import RunFacts, StoredEvaluation
from pneumo_train.reporting.markdown import plain, score, spelled, table
from pneumo_train.result import BEST_CHECKPOINT
from runstore import RunStatus

CARD = "reports/model-card"
"""The artifact's name, without its ending."""

WARNING = "**Not for clinical use.** No diagnosis, no triage and no treatment may rest on this model."

_SCORES = {
    "auroc": "AUROC", "auprc": "AUPRC", "sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV",
    "f1": "F1", "balanced_accuracy": "balanced accuracy", "accuracy": "accuracy", "brier": "Brier score", "ece": "ECE",
}  # fmt: skip
_PARTS = ("train", "validation", "test")


def model_card(facts: RunFacts) -> str:
    """The card; every value in it stands in the store, and what does not is said to be missing."""
    sections = (_title, _use, _run, _data, _model, _decision, _performance, _robustness, _limits, _people)
    return "\n".join(line for section in sections for line in (*section(facts), "")).rstrip() + "\n"


def _title(facts: RunFacts) -> Iterator[str]:
    yield f"# Model card: {plain(facts.run.name or facts.experiment)}"
    yield ""
    yield f"> {WARNING}"
    if facts.run.status is not RunStatus.COMPLETED:
        yield ">"
        yield f"> This run is `{facts.run.status}`: its figures are those of a training that has not come to its end."


def _use(_facts: RunFacts) -> Iterator[str]:
    yield "## Intended use"
    yield ""
    yield "Research: a classifier that tells frontal chest films with pneumonia from those without, by one probability a film."
    yield "It is meant for comparing methods and data. Outside of it are: care of patients, films of another kind or age than"
    yield "those it was trained on, other findings, and any decision about a person."


def _run(facts: RunFacts) -> Iterator[str]:
    run = facts.run
    commit = facts.origin("git.commit")
    is_dirty = " (with changes that were not committed)" if facts.origin("git.dirty") else ""
    yield "## Run"
    yield ""
    yield from table(
        ("what", "value"),
        (
            ("run", plain(run.id)),
            ("experiment", plain(facts.experiment)),
            ("status", str(run.status)),
            ("started", f"{run.start_time:%Y-%m-%d %H:%M} UTC"),
            ("duration", "not ended" if run.duration_s is None else f"{run.duration_s / 60:,.1f} minutes"),
            ("commit", f"{plain(commit)}{is_dirty}"),
            ("versions", plain(facts.origin("versions"))),
            ("machine", plain(facts.origin("host.platform"))),
            ("command", plain(_command(facts))),
            ("seed", plain(str(facts.at("seed")) if facts.at("seed") is not None else None)),
        ),
    )


def _command(facts: RunFacts) -> str | None:
    words = facts.origin("process.argv")
    return " ".join(map(str, words)) if isinstance(words, list) else None


def _data(facts: RunFacts) -> Iterator[str]:
    yield "## Data"
    yield ""
    rows = [
        ("source", plain(facts.at("source.path") or facts.run.source_path)),
        ("table", plain(facts.at("source.csv"))),
        ("images", plain(facts.at("data_set.images"))),
        ("the label", answers.elements(facts) or plain(None)),
        ("SHA-256 of images and labels", plain(facts.at("data_set.hash"))),
        ("patients are told apart by", _patients(facts)),
        ("left out as test data", plain(facts.at("data_set.left_out"))),
        ("SHA-256 of the split", plain(facts.at("split.hash"))),
        ("image size", _pixels(facts)),
    ]
    yield from table(("what", "value"), rows)
    parts = [(part, facts.at(f"split.{part}")) for part in _PARTS]
    found = [(part, counts) for part, counts in parts if isinstance(counts, dict)]
    if found:
        yield ""
        yield from table(
            ("part", "images", "patients", "with pneumonia"),
            (
                (
                    part,
                    plain(counts.get("images")),
                    plain(counts.get("patients")),
                    _with_share(counts.get("positives"), counts.get("images")),
                )
                for part, counts in found
            ),
        )


def _patients(facts: RunFacts) -> str:
    pattern = facts.at("data.patient_pattern")
    return plain(facts.at("data_set.patient_column")) + (f", of it {plain(pattern)}" if pattern else "")


def _pixels(facts: RunFacts) -> str:
    size = facts.at("data.image_size")
    return f"{size} x {size} pixels" if size else plain(None)


def _with_share(count: object, of: object) -> str:
    if isinstance(count, int) and isinstance(of, int) and of:
        return f"{count:,} ({count / of:.1%})"
    return plain(count)


def _model(facts: RunFacts) -> Iterator[str]:
    best = facts.artifacts.get(BEST_CHECKPOINT)
    chosen = best.metadata if best else {}
    yield "## Model"
    yield ""
    yield from table(
        ("what", "value"),
        (
            *((f"model.{key}", plain(spelled(value))) for key, value in (facts.at("model") or {}).items()),
            ("parameters", plain(facts.at("derived.parameters"))),
            ("weight of a positive in the loss", plain(facts.at("derived.pos_weight"))),
            (
                "chosen by",
                f"the best {plain(chosen.get('monitor'))}: {plain(chosen.get('score'))} in epoch {plain(chosen.get('epoch'))}"
                if best
                else plain(None),
            ),
            ("checkpoint", f"`{BEST_CHECKPOINT}`, {best.size or 0:,} bytes" if best else plain(None)),
            ("SHA-256 of the checkpoint", plain(best.sha256 if best else None)),
        ),
    )


def _decision(facts: RunFacts) -> Iterator[str]:
    yield "## Decision"
    yield ""
    found = next((each.figures.get("decision") for each in facts.evaluations), None)
    if not isinstance(found, dict):
        yield "The store has no threshold of this run; its counting metrics are those at 0.5."
        return
    yield from table(
        ("what", "value"),
        (
            ("threshold", plain(found.get("threshold"))),
            ("rule", plain(found.get("rule_in_words") or found.get("rule"))),
            ("temperature", plain(found.get("temperature"))),
            ("shift", plain(found.get("shift", 0.0))),
            ("chosen on", plain(found.get("chosen_on"))),
        ),
    )
    for note in found.get("notes") or ():
        yield ""
        yield f"Note: {plain(note)}"


def _performance(facts: RunFacts) -> Iterator[str]:
    yield "## Performance"
    yield ""
    if not facts.evaluations:
        finals = {name: value for (_, name), value in facts.last.items() if name.startswith("final_")}
        yield "The store has no evaluation with intervals."
        if finals:
            yield "These are the metrics of the best checkpoint on the validation part, which has chosen it; counting ones at 0.5."
            yield ""
            yield from table(
                ("metric", "value"),
                ((plain(name.removeprefix("final_")), plain(value)) for name, value in finals.items()),
            )
        return
    yield "95 % intervals are in brackets. The validation part has chosen checkpoint and threshold: its figures are too good."
    yield ""
    shown = facts.evaluations
    yield from table(
        ("metric", *(plain(_called(each)) for each in shown)),
        (
            ("images (patients)", *(_size(each) for each in shown)),
            *((words, *(score(each.scores.get(name) or {}) for each in shown)) for name, words in _SCORES.items()),
        ),
    )
    for each in shown:
        if rows := each.figures.get("subgroups"):
            yield ""
            yield f"Subgroups of {plain(_called(each))}:"
            yield ""
            yield from table(
                ("subgroup", "images", "AUROC", "sensitivity", "specificity", "note"),
                (
                    (
                        plain(f"{row.get('division')}: {row.get('level')}"),
                        plain(row.get("images")),
                        *(
                            score((row.get("by_name") or {}).get(name) or {})
                            for name in ("auroc", "sensitivity", "specificity")
                        ),
                        plain(row.get("note") or ""),
                    )
                    for row in rows
                ),
            )


def _called(evaluation: StoredEvaluation) -> str:
    return evaluation.part if evaluation.is_own else f"{evaluation.part} (run {evaluation.run.id})"


def _size(evaluation: StoredEvaluation) -> str:
    scores = evaluation.figures["scores"]
    return f"{plain(scores.get('images'))} ({plain(scores.get('patients'))})"


def _robustness(facts: RunFacts) -> Iterator[str]:
    yield "## Robustness"
    yield ""
    found = [each for each in facts.evaluations if each.figures.get("corruptions")]
    if not found:
        yield "Not looked at: the store has no scores on films that were made worse."
        return
    for each in found:
        yield f"Films of {plain(_called(each))}, made worse:"
        yield ""
        yield from table(
            ("corruption", "strength", "setting", "AUROC", "balanced accuracy", "ECE"),
            (
                (
                    plain(row.get("corruption")),
                    plain(row.get("strength")),
                    plain(row.get("setting")),
                    *(
                        score((row.get("by_name") or {}).get(name) or {})
                        for name in ("auroc", "balanced_accuracy", "ece")
                    ),
                )
                for row in each.figures["corruptions"]
            ),
        )


def _limits(facts: RunFacts) -> Iterator[str]:
    yield "## Limits that the store shows"
    yield ""
    seen = {each.part for each in facts.evaluations}
    elsewhere = [each for each in facts.evaluations if each.is_elsewhere]
    if not elsewhere:
        yield "* Never evaluated on another source than that of its training: nothing is known of films from elsewhere."
    if not (seen - {"validation", "train"}):
        yield "* Never evaluated on a test part: all figures are of films that have helped to choose the model."
    if not any(each.has_intervals for each in facts.evaluations):
        yield "* No intervals: how far the figures would move with other patients is not known."
    if not any(each.figures.get("subgroups") for each in facts.evaluations):
        yield "* No subgroups: whether it is worse for some people is not known."
    column, images = facts.at("data_set.patient_column"), facts.at("data.image_column")
    if column is not None and column == images and not facts.at("data.patient_pattern"):
        yield "* Each image counted as a patient of its own: children with several films may lie in both parts."
    yield from (f"* Of the data the run notes: {plain(note)}" for note in facts.data.get("notes") or ())
    yield "* One seed: the spread between trainings of this configuration is not part of this card."


def _people(_facts: RunFacts) -> Iterator[str]:
    yield "## What only a person can say"
    yield ""
    yield "Where the films come from, who may use them and under which licence; how the labels were made and by whom; whom the"
    yield "films show and whom not; what ethics board has agreed; whether the model may be passed on, to whom, and who answers"
    yield "for it."

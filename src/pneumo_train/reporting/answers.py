"""What a store tells of each item of a checklist, as Markdown; ``None`` where it does not."""

from collections.abc import Iterator
from typing import Any

from pneumo_train.reporting.facts import RunFacts, StoredEvaluation
from pneumo_train.reporting.markdown import plain, score
from pneumo_train.result import BEST_CHECKPOINT

_PARTS = ("train", "validation", "test")
_COUNTED = ("sensitivity", "specificity", "ppv", "npv")


def kind(facts: RunFacts) -> str | None:
    """The category of the method."""
    return None if facts.at("model") is None else f"deep learning: a convolutional network ({_network(facts)})"


def source(facts: RunFacts) -> str | None:
    """Where the films lay, and what they hash to."""
    if facts.at("data_set.hash") is None:
        return None
    return (
        f"{plain(facts.at('source.path'))}, table {plain(facts.at('source.csv'))}: {plain(facts.at('data_set.images'))} images; "
        f"SHA-256 of images and labels {plain(facts.at('data_set.hash'))}"
    )


def preparing(facts: RunFacts) -> str | None:
    """What was set of how films are made into what the network sees."""
    size = facts.at("data.image_size")
    return (
        None
        if size is None
        else f"squares of {plain(size)} x {plain(size)} grey pixels; settings: {plain(facts.at('data'))}"
    )


def subset(facts: RunFacts) -> str | None:
    """What part of the table was used."""
    if facts.at("data") is None:
        return None
    column, share = facts.at("data.subset_column"), facts.at("data.sample_fraction")
    chosen = f"rows with 1 in {plain(column)}" if column else "all rows of the table"
    return (
        chosen
        if share in {None, 1.0}
        else f"{chosen}; of these a share of {plain(share)} of the patients, drawn by the seed"
    )


def elements(facts: RunFacts) -> str | None:
    """Which columns count."""
    if facts.at("data.target_column") is None:
        return None
    positive = facts.at("data.positive_value")
    meaning = "1 with pneumonia, 0 without" if positive is None else f"{plain(positive)} is positive, all else negative"
    return f"{plain(facts.at('data.target_column'))}: {meaning}; images by {plain(facts.at('data.image_column'))}"


def sizes(facts: RunFacts) -> str | None:
    """How many there were."""
    return _parts(facts)


def missing(facts: RunFacts) -> str | None:
    """What is done where something is missing."""
    if not facts.data:
        return None
    empty = facts.data.get("empty_columns")
    return (
        "an image that cannot be read and a label that says nothing are refused; nothing is filled in; "
        f"columns without any value: {plain(empty) if empty else 'none'}"
    )


def assignment(facts: RunFacts) -> str | None:
    """How the parts were made."""
    parts = _parts(facts)
    return (
        None
        if parts is None
        else f"{'; '.join(_ways(facts))}: {parts}; SHA-256 of the split {plain(facts.at('split.hash'))}"
    )


def _ways(facts: RunFacts) -> Iterator[str]:
    file, column = facts.at("data.split_file"), facts.at("data.split_column")
    given, there = facts.at("data_set.given_parts"), [part for part in _PARTS if facts.at(f"split.{part}")]
    if given is None:  # of a run from before this was kept
        given = there if file or column else []
    if given:
        who = (
            f"the file {plain(file)}"
            if file
            else f"the table's column {plain(column)}"
            if column
            else "the source's folders"
        )
        yield f"{', '.join(map(plain, given))} as given by {who}"
    if set(there) <= set(given):
        return
    yield f"drawn by the seed {facts.at('seed')}, stratified by patient"
    if "test" in there and "test" not in given:
        yield f"test: a share of {plain(facts.at('data.test_fraction'))} of the patients"
    if facts.at("data.folds"):
        yield f"validation: fold {plain(facts.at('data.fold'))} (counted from 0) of {plain(facts.at('data.folds'))} of the other patients"
    else:
        yield f"validation: a share of {plain(facts.at('data.validation_fraction'))} of the patients that are not in a test part"


def level(facts: RunFacts) -> str | None:
    """What is never in two parts."""
    column, pattern = facts.at("data_set.patient_column"), facts.at("data.patient_pattern")
    if column is None:
        return None
    if pattern:
        return f"the patient, known by what {plain(pattern)} finds in {plain(column)}"
    if column == facts.at("data.image_column"):
        return f"the image ({plain(column)}): no column tells patients apart, so those with several images may lie in both parts"
    return f"the patient, known by {plain(column)}"


def model(facts: RunFacts) -> str | None:
    """The network."""
    if facts.at("model") is None:
        return None
    size = facts.at("data.image_size")
    return (
        f"{_network(facts)}; in: one grey image of {plain(size)} x {plain(size)}; out: one logit; parameters: "
        f"{plain(facts.at('derived.parameters'))}; settings: {plain(facts.at('model'))}"
    )


def software(facts: RunFacts) -> str | None:
    """Versions."""
    versions = facts.origin("versions")
    return None if not versions else plain(versions)


def first_weights(facts: RunFacts) -> str | None:
    """Where the weights began."""
    if facts.at("model") is None:
        return None
    if path := facts.at("model.weights_path"):
        return f"the backbone from the file {plain(path)}, the head drawn by the seed {facts.at('seed')}"
    if named := facts.at("model.weights"):
        return f"the backbone from {plain(named)}, the head drawn by the seed {facts.at('seed')}"
    return f"drawn by the seed {facts.at('seed')}; no transfer learning"


def training(facts: RunFacts) -> str | None:
    """The configuration of the training, whole."""
    found = {name: facts.at(name) for name in ("optimizer", "loss", "training", "augmentation") if facts.at(name)}
    return None if not found else "; ".join(f"{name}: {plain(values)}" for name, values in found.items())


def selection(facts: RunFacts) -> str | None:
    """How the checkpoint was chosen."""
    best = facts.artifacts.get(BEST_CHECKPOINT)
    if best is None or "monitor" not in best.metadata:
        return None
    about = best.metadata
    return f"the best {plain(about['monitor'])} of all epochs: {plain(about.get('score'))} in epoch {plain(about.get('epoch'))}"


def ensembles(facts: RunFacts) -> str | None:
    """One network, perhaps with several views."""
    if BEST_CHECKPOINT not in facts.artifacts:
        return None
    views = facts.at("model.tta_views")
    return "none: one network" + (
        f", its logits averaged over {plain(views)} views of an image" if views and views > 1 else ""
    )


def metrics(facts: RunFacts) -> str | None:
    """What was measured."""
    if facts.evaluations:
        return plain(sorted({name for each in facts.evaluations for name in each.scores}))
    finals = _finals(facts)
    return plain(sorted(finals)) if finals else None


def uncertainty(facts: RunFacts) -> str | None:
    """How intervals were made."""
    found = next((each for each in facts.evaluations if each.has_intervals), None)
    if found is None:
        return None
    return f"95 % intervals from {plain(found.figures['scores'].get('draws'))} draws of patients with replacement"


def robustness(facts: RunFacts) -> str | None:
    """What was looked at with films made worse."""
    found = next((each for each in facts.evaluations if each.figures.get("corruptions")), None)
    if found is None:
        return None
    rows = found.figures["corruptions"]
    worst = min(rows, key=_auroc_of)
    kinds = sorted({str(row.get("corruption")) for row in rows})
    return (
        f"{plain(kinds)} at {len({row.get('strength') for row in rows})} strengths on {plain(found.part)}; the lowest AUROC is "
        f"{_auroc_of(worst):.3f}, of {plain(worst.get('corruption'))} {plain(worst.get('strength'))}"
    )


def maps(facts: RunFacts) -> str | None:
    """Maps of what the network looked at."""
    return _artifact(facts, "plots/grad-cam", "Grad-CAM of the most and the least certain films")


def internal(facts: RunFacts) -> str | None:
    """Evaluations on the source that it was trained on, beside the training part itself."""
    own = [each for each in facts.evaluations if not each.is_elsewhere]
    if not own:
        return None
    learnt = facts.last.get(("train", "auroc"))
    return _listed(own) + ("" if learnt is None else f"; training part, last epoch: AUROC {learnt:.3f}")


def lacks_internal_test(facts: RunFacts) -> str:
    """What evaluations on films that have helped to choose the model still need."""
    tested = any(not each.is_elsewhere and each.part not in {"train", "validation"} for each in facts.evaluations)
    return "" if tested else "a test part of this source: the validation part has helped to choose the model"


def external(facts: RunFacts) -> str | None:
    """Evaluations on other sources."""
    others = [each for each in facts.evaluations if each.is_elsewhere]
    return _listed(others) if others else None


def flow(facts: RunFacts) -> str | None:
    """How many of the table were used."""
    parts = _parts(facts)
    return parts and f"{parts}; left out as test data: {plain(facts.at('data_set.left_out'))}"


def people(facts: RunFacts) -> str | None:
    """Patients of each part by sex, age and view, and the subgroups that were told apart."""
    parts = _parts(facts)
    if parts is None:
        return None
    told = [
        f"{plain(name)}: {kind} {plain(counts[kind])}"
        for name, counts in (facts.data.get("parts") or {}).items()
        for kind in ("sex", "age", "view")
        if counts.get(kind)
    ]
    groups = sorted(
        {str(row.get("division")) for each in facts.evaluations for row in each.figures.get("subgroups") or ()}
    )
    return "; ".join([parts, *told, *([f"evaluated apart by {plain(groups)}"] if groups else [])])


def performance(facts: RunFacts) -> str | None:
    """AUROC of each part."""
    if facts.evaluations:
        return _listed(list(facts.evaluations))
    finals = _finals(facts)
    return None if not finals else f"validation, best checkpoint, without intervals: {plain(finals)}"


def lacks_intervals(facts: RunFacts) -> str:
    """What performance without intervals still needs."""
    is_told = any(each.has_intervals for each in facts.evaluations)
    return "" if is_told else "its uncertainty: the store has no evaluation with intervals"


def accuracy(facts: RunFacts) -> str | None:
    """Sensitivity, specificity and predictive values with their intervals."""
    found = [each for each in facts.evaluations if each.has_intervals]
    lines = [
        f"{plain(each.part)}, threshold {plain(each.figures['scores'].get('threshold'))}: "
        + ", ".join(f"{name} {score(each.scores[name])}" for name in _COUNTED if name in each.scores)
        for each in found
    ]
    return "; ".join(lines) or None


def failures(facts: RunFacts) -> str | None:
    """The worst failures, as films, and how many there are."""
    sheet = _artifact(facts, "plots/failures", "the worst false positives and false negatives as films")
    counts = [
        f"{plain(each.part)}: {plain(each.figures['scores'].get('false_positives'))} false positives, "
        f"{plain(each.figures['scores'].get('false_negatives'))} false negatives"
        for each in facts.evaluations
    ]
    return None if sheet is None else "; ".join([sheet, *counts])


def protocol(facts: RunFacts) -> str | None:
    """What repeats the training."""
    argv, commit = facts.origin("process.argv"), facts.origin("git.commit")
    if argv is None and commit is None:
        return None
    command = " ".join(map(str, argv)) if isinstance(argv, list) else None
    return f"run {plain(facts.run.id)} with its whole configuration; commit {plain(commit)}; command {plain(command)}"


def availability(facts: RunFacts) -> str | None:
    """What the store could hand out."""
    best = facts.artifacts.get(BEST_CHECKPOINT)
    return None if best is None else f"the store keeps `{BEST_CHECKPOINT}`, SHA-256 {plain(best.sha256)}"


def _network(facts: RunFacts) -> str:
    named = facts.at("model.architecture")
    if named in {None, "resnet"}:
        return f"ResNet-{plain(facts.at('model.depth'))}"
    return plain(named)


def _parts(facts: RunFacts) -> str | None:
    found = [(name, facts.at(f"split.{name}")) for name in _PARTS]
    lines = [
        f"{name} {plain(counts.get('images'))} images of {plain(counts.get('patients'))} patients, "
        f"{plain(counts.get('positives'))} with pneumonia"
        for name, counts in found
        if isinstance(counts, dict)
    ]
    return "; ".join(lines) or None


def _finals(facts: RunFacts) -> dict[str, float]:
    return {name.removeprefix("final_"): value for (_, name), value in facts.last.items() if name.startswith("final_")}


def _listed(evaluations: list[StoredEvaluation]) -> str:
    return "; ".join(
        f"{plain(each.part)} ({plain(each.figures['scores'].get('images'))} images, run {plain(each.run.id)}): AUROC "
        f"{score(each.scores.get('auroc') or {})}"
        for each in evaluations
    )


def _artifact(facts: RunFacts, stem: str, words: str) -> str | None:
    names = [name for name in (*facts.artifacts, *facts.artifacts_of_evaluations) if name.startswith(stem)]
    return f"{words}: artifact `{names[0]}`" if names else None


def _auroc_of(row: dict[str, Any]) -> float:
    value = ((row.get("by_name") or {}).get("auroc") or {}).get("value")
    return float("inf") if value is None else float(value)

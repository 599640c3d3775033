"""The figures of an evaluation: right by hand, by scikit-learn, by MLstatkit and by torchmetrics; honest where little is known."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from pneumo_train.config.evaluation import EvaluationConfig
from pneumo_train.errors import ConfigError, PredictionError
from pneumo_train.evaluating.calibration import cross_entropy, fit_shifted, fit_temperature, sigmoid
from pneumo_train.evaluating.corruptions import STRENGTHS, corrupted
from pneumo_train.evaluating.deciding import UNDECIDED, calibrated, decide, evaluate, evaluated_of
from pneumo_train.evaluating.delong import compare
from pneumo_train.evaluating.figures import Decision, Floats, Labels
from pneumo_train.evaluating.scores import calibration_bins, mean_scores, score
from pneumo_train.evaluating.tables import as_json, decision_as_dict, decision_from_dict
from pneumo_train.evaluating.thresholds import Rule, Thresholds
from support.tools import made_by, tool


def drawn(count: int, *, seed: int = 0, gap: float = 1.5, of_each: int = 1) -> tuple[Labels, Floats, list[str]]:
    """Targets, logits with ties, and patients with so many images each."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(rng.integers(0, 2, -(-count // of_each)), of_each)[:count].astype(np.int8)
    logits = np.round(rng.normal(0, 1, count) + gap * (targets.astype(np.float64) - 0.5), 2)
    return targets, logits, [f"P{number // of_each}" for number in range(count)]


@pytest.mark.packaging
def test_scores_are_those_of_scikit_learn_and_delongs_test_is_that_of_mlstatkit(tmp_path: Path) -> None:
    targets, logits, patients = drawn(400)
    first, second = sigmoid(logits), sigmoid(np.random.default_rng(5).normal(logits, 0.8).round(1))
    given = {"targets": targets.tolist(), "first": first.tolist(), "second": second.tolist(), "threshold": 0.6}
    (tmp_path / "given.json").write_text(json.dumps(given))

    python = tool("mlstatkit", "MLstatkit==0.1.91", "scikit-learn")
    theirs = json.loads(made_by(python, "delong_values.py", "given.json", folder=tmp_path))

    ours = score(targets, first, patients, threshold=0.6, draws=0)
    compared = compare(targets, first, second, patients, draws=0)
    for name in ("auroc", "auprc", "brier", "f1", "balanced_accuracy"):
        assert ours.by_name[name].value == pytest.approx(theirs[name], abs=1e-12), name
    assert (compared.auroc, compared.other) == pytest.approx((theirs["auroc"], theirs["other"]), abs=1e-12)
    assert abs(compared.z) == pytest.approx(abs(theirs["z"]), rel=1e-9)
    assert compared.p == pytest.approx(theirs["p"], rel=1e-6)


def test_models_that_were_trained_several_times_are_compared_by_the_means_of_their_aurocs() -> None:
    targets, logits, patients = drawn(300, of_each=2)
    rng = np.random.default_rng(8)
    first, second = (sigmoid(rng.normal(logits, spread, (3, 300))) for spread in (0.5, 1.5))

    alone = [compare(targets, one, other, patients, draws=0) for one, other in zip(first, second, strict=True)]
    found = compare(targets, first, second, patients, draws=200)
    twice = compare(targets, first[:1].repeat(2, axis=0), second[0], patients, draws=200)
    once = compare(targets, first[0], second[0], patients, draws=200)
    uneven = compare(targets, first, second[0], patients, draws=0)

    assert found.difference == pytest.approx(np.mean([each.difference for each in alone]), abs=1e-12)
    assert (found.auroc, found.other) == pytest.approx(
        [np.mean([getattr(each, name) for each in alone]) for name in ("auroc", "other")], abs=1e-12
    )
    assert found.high - found.low < np.mean([each.high - each.low for each in alone])  # a mean is steadier
    assert found.low_by_patient < found.difference < found.high_by_patient
    assert dataclasses.astuple(twice) == pytest.approx(dataclasses.astuple(once), abs=1e-12)
    assert uneven.difference == pytest.approx(found.auroc - alone[0].other, abs=1e-12)


def test_a_difference_without_any_variance_has_no_p() -> None:
    targets = np.repeat(np.array([1, 0], np.int8), 20)
    perfect, constant = targets.astype(np.float64), np.full(40, 0.5)
    patients = [str(number) for number in range(40)]

    differing = compare(targets, perfect, constant, patients, draws=0)
    alike = compare(targets, perfect, perfect, patients, draws=0)

    assert differing.difference == 0.5
    assert math.isnan(differing.p)
    assert alike.p == 1


def test_the_variance_of_a_mean_is_that_of_draws_of_single_images() -> None:
    targets, logits, patients = drawn(400)  # each image a patient of its own, as DeLong takes them
    rng = np.random.default_rng(2)
    first, second = (sigmoid(rng.normal(logits, spread, (3, 400))) for spread in (0.5, 1.5))

    found = compare(targets, first, second, patients, draws=4000)

    assert found.high - found.low == pytest.approx(found.high_by_patient - found.low_by_patient, rel=0.1)


def test_means_of_scores_are_those_of_each_model_and_of_the_same_draws() -> None:
    targets, logits, patients = drawn(200, of_each=2)
    models = sigmoid(np.random.default_rng(4).normal(logits, 0.7, (2, 200)))

    single = [
        score(targets, each, patients, threshold=threshold, draws=100).by_name
        for each, threshold in zip(models, (0.4, 0.6), strict=True)
    ]
    one = mean_scores(targets, models[:1], patients, thresholds=[0.4], draws=100)
    both = mean_scores(targets, models, patients, thresholds=[0.4, 0.6], draws=100)

    assert one == single[0]
    for name, found in both.items():
        assert found.value == pytest.approx(np.mean([each[name].value for each in single]), abs=1e-12), name
        assert found.low <= found.value <= found.high, name
    assert both["auroc"].high - both["auroc"].low <= max(each["auroc"].high - each["auroc"].low for each in single)


@pytest.mark.training
def test_auroc_and_calibration_error_are_those_of_torchmetrics() -> None:
    import torch  # noqa: PLC0415
    from torchmetrics.functional.classification import binary_auroc, binary_calibration_error  # noqa: PLC0415

    targets, logits, patients = drawn(500, seed=3)
    probabilities = sigmoid(logits)

    ours = score(targets, probabilities, patients, threshold=0.5, draws=0)

    preds, target = torch.from_numpy(probabilities), torch.from_numpy(targets.astype(np.int64))
    assert ours.by_name["auroc"].value == pytest.approx(float(binary_auroc(preds, target)), abs=1e-6)
    assert ours.by_name["ece"].value == pytest.approx(
        float(binary_calibration_error(preds, target, n_bins=10)), abs=1e-6
    )


def test_each_score_of_a_few_images_is_right_by_hand() -> None:
    targets = np.array([1, 1, 1, 0, 0], np.int8)
    probabilities = np.array([0.9, 0.6, 0.2, 0.6, 0.1])

    found = score(targets, probabilities, list("abcde"), threshold=0.6, draws=0)

    values = {name: each.value for name, each in found.by_name.items()}
    assert (found.true_positives, found.false_positives, found.true_negatives, found.false_negatives) == (2, 1, 1, 1)
    assert values == pytest.approx(
        {
            "auroc": (2 + 1.5 + 1) / 6,
            "auprc": (1 + 2 / 3 + 3 / 4) / 3,
            "sensitivity": 2 / 3,
            "specificity": 1 / 2,
            "ppv": 2 / 3,
            "npv": 1 / 2,
            "f1": 2 / 3,
            "balanced_accuracy": 7 / 12,
            "accuracy": 3 / 5,
            "brier": (0.01 + 0.16 + 0.64 + 0.36 + 0.01) / 5,
            "ece": (0.1 + abs(1.2 - 1) + 0.8 + 0.1) / 5,
        }
    )


def test_images_of_one_patient_are_drawn_together_so_that_copies_make_no_interval_narrower() -> None:
    targets, logits, patients = drawn(120)
    once = score(targets, sigmoid(logits), patients, threshold=0.5, draws=400)
    copies = 4
    often = score(
        np.repeat(targets, copies), np.repeat(sigmoid(logits), copies), np.repeat(patients, copies).tolist(),
        threshold=0.5, draws=400,
    )  # fmt: skip

    assert often.patients == once.patients
    for name in ("auroc", "sensitivity", "specificity", "brier"):
        assert often.by_name[name].low == pytest.approx(once.by_name[name].low)
        assert often.by_name[name].high == pytest.approx(once.by_name[name].high)


def test_the_interval_of_an_auroc_holds_the_truth_in_some_95_of_100_samples() -> None:
    truth = 0.5 * (1 + math.erf(1.5 / 2))
    held = 0
    for seed in range(200):
        targets, logits, patients = drawn(150, seed=seed)
        found = score(targets, sigmoid(logits), patients, threshold=0.5, draws=200).by_name["auroc"]
        held += found.low <= truth <= found.high

    assert 180 <= held <= 199


def test_a_sensitivity_of_one_has_the_exact_interval_for_as_many_patients() -> None:
    targets = np.array([1] * 20 + [0] * 20, np.int8)

    found = score(targets, np.where(targets == 1, 0.9, 0.1), [f"P{i // 2}" for i in range(40)], threshold=0.5, draws=50)

    assert found.by_name["sensitivity"].value == 1
    assert found.by_name["sensitivity"].low == pytest.approx(0.025 ** (1 / 10))
    assert found.by_name["auroc"].low == 1


def test_what_has_no_value_is_nan_and_null_in_json() -> None:
    targets = np.ones(3, np.int8)
    decision = Decision(
        threshold=0.5, rule="fixed", rule_in_words="fixed at 0.5", temperature=1.0, chosen_on="validation"
    )
    evaluated = evaluated_of(
        part="test", ids="abc", patients="abc", targets=targets, logits=np.zeros(3), decision=decision, divisions={}
    )

    document = as_json(evaluate(evaluated, decision, draws=20, seed=0))

    assert document["scores"]["by_name"]["auroc"] == {"value": None, "low": None, "high": None}
    assert document["scores"]["by_name"]["sensitivity"]["value"] == 1
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("ruined", [math.nan, math.inf])
def test_predictions_that_are_nan_or_infinite_are_refused_with_their_number(ruined: float) -> None:
    targets, logits, patients = drawn(30)
    logits[:7] = ruined

    with pytest.raises(PredictionError, match="7 of 30 predictions are NaN or infinite"):
        decide(logits, targets, patients, EvaluationConfig(), seed=0)


@pytest.mark.parametrize("rule", ["sensitivity_bound", "sensitivity", "youden", "f1"])
def test_each_rule_chooses_the_best_threshold_there_is(rule: Rule) -> None:
    targets, logits, patients = drawn(300, of_each=2)
    thresholds = Thresholds(targets, sigmoid(logits), patients, draws=300)

    chosen, taken, notes = thresholds.choose(rule, sensitivity=0.8, fixed=0.5)

    table = thresholds.table(chosen)
    (point,) = [each for each in table if each.threshold == chosen]
    above = [each for each in table if each.threshold > chosen]
    assert (taken, notes) == (rule, ())
    match rule:
        case "sensitivity_bound":
            assert point.sensitivity_low >= 0.8 > max(each.sensitivity_low for each in above)
            assert point.sensitivity > point.sensitivity_low
        case "sensitivity":
            assert point.sensitivity >= 0.8 > max(each.sensitivity for each in above)
        case "youden":
            assert point.balanced_accuracy == max(each.balanced_accuracy for each in table)
        case "f1":
            assert point.f1 == max(each.f1 for each in table)


def test_the_rule_of_the_bound_gives_way_where_too_few_patients_are_there_and_says_how_many_it_needs() -> None:
    targets, logits, patients = drawn(40)

    decision = decide(logits, targets, patients, EvaluationConfig(), seed=0)

    youden = decide(logits, targets, patients, EvaluationConfig(threshold_rule="youden"), seed=0)
    assert decision.threshold == youden.threshold
    assert (decision.rule, decision.rule_in_words) == ("sensitivity_bound", youden.rule_in_words)
    assert "at least 36 are needed" in decision.notes[-1]


def test_without_intervals_the_rule_of_the_bound_chooses_as_with_them() -> None:
    targets, logits, patients = drawn(400)

    without, with_them = (
        decide(logits, targets, patients, EvaluationConfig(bootstrap_draws=draws), seed=0) for draws in (0, 1000)
    )

    assert (without.threshold, without.notes) == (with_them.threshold, ())


@pytest.mark.parametrize("seed", range(4))
def test_a_bound_that_is_exactly_what_is_wanted_is_kept(seed: int) -> None:
    targets = np.repeat(np.array([1, 0], np.int8), 50)  # 45 of 50 is 0.9
    probabilities = sigmoid(np.random.default_rng(seed).normal(0, 2, 100) + 4 * (targets - 0.5))
    patients = [str(number) for number in range(100)]

    chosen, rule, _ = Thresholds(targets, probabilities, patients, draws=1000, seed=seed).choose(
        "sensitivity_bound", sensitivity=0.9, fixed=0.5
    )

    kept = [
        threshold
        for threshold in (np.sort(probabilities)[1:] + np.sort(probabilities)[:-1]) / 2
        if score(targets, probabilities, patients, threshold=threshold, draws=1000, seed=seed).by_name["sensitivity"].low >= 0.9
    ]  # fmt: skip
    assert (rule, chosen) == ("sensitivity_bound", max(kept))


def test_a_threshold_lies_halfway_between_the_images_that_it_tells_apart() -> None:
    targets, probabilities = np.array([0, 0, 1, 1], np.int8), np.array([0.1, 0.2, 0.8, 0.9])

    chosen, _, _ = Thresholds(targets, probabilities, list("abcd"), draws=0).choose(
        "youden", sensitivity=0.9, fixed=0.5
    )

    assert chosen == 0.5


def test_a_decision_comes_back_out_of_plain_values_as_it_was() -> None:
    targets, logits, patients = drawn(200)
    decision = decide(logits, targets, patients, EvaluationConfig(bootstrap_draws=100), seed=0)

    assert len(decision.table) > 100
    assert repr(decision_from_dict(json.loads(json.dumps(decision_as_dict(decision))))) == repr(decision)


def test_temperature_and_shift_undo_logits_that_were_made_too_great_and_all_too_low() -> None:
    rng = np.random.default_rng(4)
    honest = rng.normal(0, 2, 20_000)
    targets = (rng.random(len(honest)) < sigmoid(honest)).astype(np.int8)

    temperature, shift, notes = fit_shifted(2 * honest - 3, targets)

    assert temperature == pytest.approx(2, rel=0.05)
    assert shift == pytest.approx(1.5, abs=0.05)
    assert notes == ()


def test_a_shift_mends_a_calibration_error_that_no_temperature_does() -> None:
    rng = np.random.default_rng(5)
    honest = rng.normal(0, 2, 2_000)
    targets = (rng.random(len(honest)) < sigmoid(honest)).astype(np.int8)
    patients = [str(number) for number in range(len(honest))]

    def ece(*, with_shift: bool) -> float:
        config = EvaluationConfig(bootstrap_draws=0, calibration_shift=with_shift)
        decision = decide(honest - 2, targets, patients, config, seed=1)
        probabilities = sigmoid(calibrated(honest - 2, decision))
        return score(targets, probabilities, patients, threshold=0.5, draws=0).by_name["ece"].value

    assert ece(with_shift=True) < 0.03
    assert ece(with_shift=False) > 0.1


@pytest.mark.parametrize(("logits", "targets"), [([-2.0, 1.0, 3.0], [1, 1, 1]), ([-2.0, 1.0, 3.0], [0, 0, 1])])
def test_there_is_no_shift_where_there_is_no_temperature(logits: list[float], targets: list[int]) -> None:
    temperature, shift, (note,) = fit_shifted(np.array(logits), np.array(targets, np.int8))

    assert (temperature, shift) == (1, 0)
    assert note.startswith("the temperature stays 1")


def test_a_checkpoint_of_before_has_no_shift() -> None:
    plain = decision_as_dict(UNDECIDED)
    del plain["shift"]

    assert decision_from_dict(plain) == UNDECIDED


def test_a_shift_without_a_temperature_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"evaluation\.calibration_shift = True: is fitted with the temperature"):
        EvaluationConfig(calibration_shift=True, temperature_scaling=False)


def test_the_temperature_undoes_logits_that_were_made_too_great() -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, 4000)
    targets = (rng.random(4000) < sigmoid(honest)).astype(np.int8)

    found, notes = fit_temperature(3 * honest, targets)

    assert notes == ()
    assert found == pytest.approx(3, rel=0.1)
    assert cross_entropy(3 * honest / found, targets) <= cross_entropy(honest, targets)


@pytest.mark.parametrize(
    ("targets", "logits", "said"),
    [
        ([0, 0, 1, 1], [-9.0, -1.0, 1.0, 9.0], "no mistake was made"),
        ([1, 1, 1, 1], [1.0, 2.0, 3.0, 4.0], "only one class"),
        ([0, 1, 0, 1], [1.0, -1.0, 2.0, -2.0], "not between"),
    ],
)
def test_the_temperature_stays_one_where_the_data_do_not_speak_for_another(
    targets: list[int], logits: list[float], said: str
) -> None:
    found, (note,) = fit_temperature(np.array(logits), np.array(targets, np.int8))

    assert found == 1
    assert said in note


def test_the_bins_of_the_reliability_diagram_hold_every_image_once() -> None:
    targets, logits, _ = drawn(300)
    probabilities = np.r_[sigmoid(logits[:298]), 0.0, 1.0]

    bins = calibration_bins(targets, probabilities)

    assert sum(each.images for each in bins) == 300
    assert all(each.low <= each.mean_probability <= each.high for each in bins if each.images)


def test_small_subgroups_and_those_of_one_class_are_said_to_be() -> None:
    targets, logits, patients = drawn(300)
    levels = tuple("F" if i < 200 else "M" if i < 240 else "X" if targets[i] else None for i in range(300))
    decision = decide(logits, targets, patients, EvaluationConfig(bootstrap_draws=50), seed=0)
    evaluated = evaluated_of(
        part="test", ids=patients, patients=patients, targets=targets, logits=logits, decision=decision,
        divisions={"sex": levels},
    )  # fmt: skip

    rows = evaluate(evaluated, decision, draws=50, seed=0).subgroups

    notes = {row.level: row.note.partition(":")[0] for row in rows}
    assert notes == {"F": "", "M": "few", "X": "one class only", "not known": "one class only"}
    assert sum(row.scores.images for row in rows) == 300


def test_a_stronger_corruption_changes_films_more_and_none_changes_the_films_given() -> None:
    films = np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)
    before = films.copy()

    for corruption in STRENGTHS:
        changes = [
            np.abs(corrupted(films, corruption, strength, rng=np.random.default_rng(1)).astype(int) - films).mean()
            for strength in range(1, 6)
        ]
        assert changes[0] > 0, corruption
        assert changes == sorted(changes), corruption
    assert (films == before).all()

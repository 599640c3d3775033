"""Pictures of an evaluation: what the curves say, which films are shown, where a network looked."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torchmetrics.functional.classification import binary_auroc
from torchvision import models

from pneumo_train.evaluating.figures import CalibrationBin, Decision, Evaluated, Evaluation, Score, Scores
from pneumo_train.images.films import Films
from pneumo_train.samples import Sample
from pneumo_train.showing.attention import grad_cam
from pneumo_train.showing.curves import plot_roc
from pneumo_train.showing.keeping import keep_pictures
from pneumo_train.showing.pictures import plots_of, sheets_of
from pneumo_train.showing.sheets import certain, overlay, shortened, worst
from runstore import open_store
from runstore.training import RunSession

pytestmark = pytest.mark.training

SIDE = 32


def evaluation_of(true: Any, said: Any, threshold: float = 0.5) -> Evaluation:
    targets, probabilities = np.array(true, np.int8), np.array(said, float)

    def count(*, decided: bool, target: int) -> int:
        return int((((probabilities >= threshold) == decided) & (targets == target)).sum())

    names = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "ece", "brier")
    scores = Scores(
        images=len(targets), patients=len(targets), positives=int(targets.sum()), threshold=threshold,
        true_positives=count(decided=True, target=1), false_positives=count(decided=True, target=0), true_negatives=count(decided=False, target=0),
        false_negatives=count(decided=False, target=1), draws=0, by_name={name: Score(value=0.5, low=0.4, high=0.6) for name in names},
    )  # fmt: skip
    evaluated = Evaluated(
        part="validation $1", ids=tuple(f"film-{index}" for index in range(len(targets))),
        patients=tuple(f"child {index}" for index in range(len(targets))), targets=targets,
        logits=np.log(probabilities / (1 - probabilities)), probabilities=probabilities,
    )  # fmt: skip
    bins = (
        CalibrationBin(low=0.0, high=0.5, images=0, mean_probability=float("nan"), positive_share=float("nan")),
        CalibrationBin(low=0.5, high=1.0, images=2, mean_probability=0.7, positive_share=1.0),
    )
    decision = Decision(threshold=threshold, rule="fixed", rule_in_words="", temperature=1.0, chosen_on="nothing")
    return Evaluation(evaluated=evaluated, decision=decision, scores=scores, scores_at_half=scores, bins=bins)


def films_of(count: int) -> Films:
    pixels = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    samples = tuple(Sample(image_id=f"film-{i}", path=Path(), target=0, patient=str(i)) for i in range(count))
    return Films(samples=samples, size=SIDE, pixels=pixels, hashes=("",) * count)


class Bright(torch.nn.Module):
    """One logit: how bright an image is on the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = torch.nn.Conv2d(1, 1, 1, bias=False)
        torch.nn.init.ones_(self.maps.weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.maps(images - 0.5).mean(dim=(1, 2, 3))
        return logits


def lines_of(figure: Figure) -> dict[str, Any]:
    (axes,) = figure.axes
    return {str(line.get_label()): line for line in axes.lines}


def test_the_area_under_the_drawn_curve_is_the_auroc_also_where_probabilities_are_equal() -> None:
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, 200)
    probabilities = np.round(np.clip(0.3 * targets + rng.random(200) * 0.69, 0.01, 0.98), 1)
    lines = lines_of(plot_roc(evaluation_of(targets, probabilities.clip(0.05, 0.95)), draws=0))
    (curve,) = (line for label, line in lines.items() if label.startswith("AUROC"))

    area = np.trapezoid(curve.get_ydata(), curve.get_xdata())

    assert area == pytest.approx(float(binary_auroc(torch.tensor(probabilities), torch.tensor(targets))), abs=1e-6)


def test_the_marked_point_lies_where_the_threshold_cuts() -> None:
    lines = lines_of(plot_roc(evaluation_of([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.2, 0.6, 0.1]), draws=10))
    (point,) = (line for label, line in lines.items() if label.startswith("threshold"))
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (0.5, 0.75)


@pytest.mark.parametrize("targets", [[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]])
def test_every_plot_of_a_part_can_be_read_at_800_pixels_also_of_one_class(targets: list[int]) -> None:
    for name, figure in plots_of(evaluation_of(targets, [0.2, 0.7, 0.6, 0.9])):
        file = io.BytesIO()
        figure.savefig(file)
        width, height = Image.open(file).size
        assert 680 <= width <= 820, name
        assert height <= 820, name


def test_a_part_of_one_class_says_that_it_has_no_curve() -> None:
    (axes,) = plot_roc(evaluation_of([1, 1], [0.2, 0.7])).axes
    assert "one class only" in axes.texts[0].get_text()


def test_the_worst_failures_are_those_that_were_most_certain() -> None:
    evaluated = evaluation_of([0, 0, 0, 1, 1, 1], [0.6, 0.9, 0.1, 0.4, 0.2, 0.9]).evaluated
    assert worst(evaluated, threshold=0.5) == ([1, 0], [4, 3])
    assert worst(evaluated, threshold=0.5, most=1) == ([1], [4])


def test_the_most_certain_lie_at_the_ends_and_the_least_certain_at_the_threshold() -> None:
    evaluated = evaluation_of([0, 0, 0, 1, 1], [0.05, 0.31, 0.29, 0.97, 0.5]).evaluated
    assert certain(evaluated, threshold=0.3, most=2) == ([3, 4], [0, 2], [1, 2])


def test_a_map_is_where_the_network_looked() -> None:
    image = torch.full((1, 1, SIDE, SIDE), 0.2)
    image[..., 4:12, 20:28] = 1.0

    logits, maps = grad_cam(Bright(), image)

    assert maps.shape == (1, SIDE, SIDE)
    assert maps[0, 4:12, 20:28].min() == 1.0
    assert maps[0, 16:].max() == 0.0
    assert logits[0] == pytest.approx(float(Bright()(image)[0].detach()))


def test_the_other_sign_shows_what_spoke_against_it() -> None:
    image = torch.full((1, 1, SIDE, SIDE), 0.2)
    image[..., 4:12, 20:28] = 1.0
    _, maps = grad_cam(Bright(), image, signs=torch.tensor([-1.0]))
    assert maps[0, 4:12, 20:28].max() == 0.0
    assert maps[0, 16:].min() == 1.0


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "squeezenet1_1"])
def test_any_network_has_maps_also_a_frozen_one_and_stays_in_its_mode(name: str) -> None:
    torch.manual_seed(0)
    net = getattr(models, name)(weights=None, num_classes=2)
    net.requires_grad_(requires_grad=False).train()
    network = torch.nn.Sequential(net, torch.nn.Linear(2, 1), torch.nn.Flatten(0)).train()

    logits, maps = grad_cam(network, torch.rand(2, 3, 64, 64))

    assert network.training
    assert logits.shape == (2,)
    assert maps.shape == (2, 64, 64)
    assert 0 <= maps.min() <= maps.max() <= 1
    assert not any(module._forward_hooks for module in network.modules())  # noqa: SLF001 - nothing stays behind


def test_a_network_without_maps_is_refused() -> None:
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDE * SIDE, 1), torch.nn.Flatten(0))
    with pytest.raises(ValueError, match="no feature maps"):
        grad_cam(flat, torch.rand(1, 1, SIDE, SIDE))


def test_an_overlay_leaves_a_film_as_it_is_where_the_map_is_nothing() -> None:
    film = np.arange(SIDE * SIDE, dtype=np.uint32).reshape(SIDE, SIDE).astype(np.uint8)
    cam = np.zeros((SIDE, SIDE), np.float32)
    cam[:4] = 1.0
    mixed = overlay(film, cam)
    assert (mixed[4:] == film[4:, :, None]).all()
    assert (mixed[:4] != film[:4, :, None]).any(axis=-1).all()


def test_the_sheets_name_each_film_with_its_probability() -> None:
    evaluation = evaluation_of([0, 1, 1, 0], [0.8, 0.3, 0.9, 0.1])
    texts = {}
    for name, figure in sheets_of(evaluation, films_of(4), Bright()):
        figure.canvas.draw()
        texts[name] = [axes.get_title() for axes in figure.get_axes() if axes.get_title()]
    assert texts["plots/failures"] == ["0.800 · film-0", "0.300 · film-1"]
    assert texts["plots/grad-cam"][:2] == ["0.900 · film-2", "0.800 · film-0"]


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert shortened("film-1") == "film-1"
    assert shortened("a" * 40 + "-17.png").endswith("-17.png"[-8:])
    assert len(shortened("x" * 200)) <= 18


def test_all_pictures_are_kept_with_the_run_and_one_that_fails_costs_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDE * SIDE, 1), torch.nn.Flatten(0))
    evaluation, films = evaluation_of([0, 1, 1, 0], [0.8, 0.3, 0.9, 0.1]), films_of(4)
    names: list[set[str]] = []
    with open_store("memory://", durable=False) as store:
        for model in (Bright(), flat):
            session = RunSession(store, experiment="pneumonia")
            session.begin()
            keep_pictures(session, evaluation, films, model)
            session.end_with(None)
            kept = store.list_artifacts(session.run_id)
            assert {artifact.artifact_type for artifact in kept} == {"figure"}
            names.append({artifact.name for artifact in kept})
    shown = ("roc", "precision-recall", "confusion", "reliability", "failures", "grad-cam")
    assert names[0] == {f"plots/{name}-validation--1.png" for name in shown}
    assert names[0] - names[1] == {"plots/grad-cam-validation--1.png"}
    assert "no feature maps" in caplog.text

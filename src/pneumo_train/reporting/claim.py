"""The items of CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, and what of each a store can tell.

The numbers are those of the 2024 update (Tejani and others, Radiology: Artificial Intelligence 2024;6(4):e240300,
doi:10.1148/ryai.240300) and of the first edition (Mongan, Moy and Kahn, Radiology: Artificial Intelligence
2020;2(2):e200029, doi:10.1148/ryai.2020200029). All numbers of both were held against the published lists. What an item asks for is said in our own words: before you submit, read it there.
"""

import dataclasses
from collections.abc import Callable

from pneumo_train.reporting import answers
from pneumo_train.reporting.facts import RunFacts

Fill = Callable[[RunFacts], str | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item.

    Attributes:
        of_2024: its number in the update of 2024, or ``None``.
        of_2020: its number in the edition of 2020, or ``None``.
        asks: what it asks for.
        fill: what a store tells of it as Markdown, ``None`` when it does not; without it only a person can tell.
        source: what the store would need in order to tell.
        person: what a person has to add to what the store tells.
        also: what this run's answer still lacks, or an empty text.
    """

    of_2024: int | None
    of_2020: int | None
    asks: str
    fill: Fill | None = None
    source: str = ""
    person: str = ""
    also: Callable[[RunFacts], str] | None = None


def _item(  # noqa: PLR0913, PLR0917 - a row of the table below
    of_2024: int | None,
    of_2020: int | None,
    asks: str,
    fill: Fill | None = None,
    source: str = "",
    person: str = "",
    also: Callable[[RunFacts], str] | None = None,
) -> Item:
    return Item(of_2024=of_2024, of_2020=of_2020, asks=asks, fill=fill, source=source, person=person, also=also)


_EVALUATION = "an evaluation of this run"

ITEMS: tuple[Item, ...] = (
    _item(1, 1, "the title says that it is about AI, and of which kind", answers.kind, "its configuration", "the title"),
    _item(2, 2, "a summary of design, methods, results and conclusions"),
    _item(3, 3, "the background, the intended use and the role in care"),
    _item(4, 4, "aims, objectives and hypotheses"),
    _item(5, 5, "prospective or retrospective"),
    _item(6, 6, "the goal of the study"),
    _item(7, 7, "where the data come from", answers.source, "its data set", "institutions, dates, licence"),
    _item(8, 8, "who was included and excluded"),
    _item(9, 9, "how images were prepared", answers.preparing, "its data section", "what was done before"),
    _item(10, 10, "how subsets were chosen", answers.subset, "its data section", "why"),
    _item(None, 11, "what the data elements mean", answers.elements, "its data section", "what each label means"),
    _item(11, 12, "how films were de-identified"),
    _item(12, 13, "what was done where data were missing", answers.missing, "the data report", "what was done before"),
    _item(13, None, "how the images were acquired"),
    _item(14, 14, "how the reference standard was obtained"),
    _item(15, 15, "why this reference standard"),
    _item(16, 16, "where the labels come from: who labelled, and with which training"),
    _item(None, 17, "with which tools it was labelled"),
    _item(17, None, "how the test set was labelled"),
    _item(18, 18, "how far those who labelled agree"),
    _item(21, 19, "the intended sample size, of the test set above all, and why", answers.sizes, "the split", "which size was intended, and why"),
    _item(19, 20, "how data were assigned to parts", answers.assignment, "the split"),
    _item(20, 21, "at which level the parts are disjoint", answers.level, "the column of patients"),
    _item(22, 22, "the model in detail", answers.model, "its model section"),
    _item(23, 23, "software and its versions", answers.software, "versions in its provenance"),
    _item(24, 24, "the first weights", answers.first_weights, "its model section"),
    _item(25, 25, "how it was trained", answers.training, "its training section", "how many models were trained in all"),
    _item(26, 26, "how the final model was chosen", answers.selection, "the best checkpoint"),
    _item(27, 27, "ensembles", answers.ensembles, "the best checkpoint"),
    _item(28, 28, "which metrics", answers.metrics, "final metrics or an evaluation", "why these"),
    _item(29, 29, "significance and uncertainty", answers.uncertainty, "an evaluation with intervals"),
    _item(30, 30, "robustness", answers.robustness, "an evaluation with evaluation.corruptions"),
    _item(31, 31, "explanations, and how they were validated", answers.maps, "Grad-CAM of an evaluation", "whether they were validated"),
    _item(32, None, "evaluation on data of the same source, held against that on the training part", answers.internal, _EVALUATION, "how its films and labels differ from those of training", answers.lacks_internal_test),
    _item(33, 32, "testing on data from elsewhere", answers.external, "an evaluation as a child run", "whether that set is from elsewhere"),
    _item(34, 40, "registration of a trial"),
    _item(35, 33, "how many were included and excluded", answers.flow, "the split", "who was excluded before, and why; the diagram"),
    _item(36, 34, "who they are, in each part", answers.people, "the split", "what else is known of them, clinical data above all"),
    _item(37, 35, "performance on each part", answers.performance, "final metrics or an evaluation", also=answers.lacks_intervals),
    _item(38, 36, "diagnostic accuracy with its precision", answers.accuracy, "an evaluation with intervals"),
    _item(39, 37, "an analysis of the failures", answers.failures, "the sheet of failures of an evaluation", "what they have in common"),
    _item(40, 38, "limits of the study"),
    _item(41, 39, "what it means for practice"),
    _item(42, 41, "where the protocol, or more technical details, can be read", answers.protocol, "its provenance", "where the protocol lies"),
    _item(43, None, "whether software, model and data can be had", answers.availability, "its checkpoint", "where they can be had"),
    _item(44, 42, "who paid, and what they decided"),
)  # fmt: skip

"""What is answered to a filter or an order in the words of another tool: what was meant."""

import pytest

from runstore.errors import QueryError
from runstore.query.parser import parse_filter, parse_order


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("loss < 1", "did you mean metric.validation.loss (or another of train, validation, test, other), config.loss"),
        ("metric.val.loss < 1", "did you mean metric.validation.loss?"),
        ("metric.training.loss.min < 1", "did you mean metric.train.loss.min?"),
        ("metric.loss < 1", "did you mean metric.validation.loss (or another of train"),
        ("metrics.loss < 1", "did you mean metric.validation.loss"),
        ("metrics.train.loss < 1", "did you mean metric.train.loss?"),
        ("metrics.val.loss < 1", "did you mean metric.validation.loss?"),
        ("metric.train.loss.maximum > 1", "did you mean metric.train.loss.max, or"),
        ("metric.train.loss.mean > 1", "Statistics are last, first, min, max, count"),
        ("metric.train > 1", "metric.train.loss"),
        ("params.lr = 1", "did you mean config.lr?"),
        ("hparams.model.depth = 1", "did you mean config.model.depth?"),
        ("conifg.lr = 1", "did you mean config.lr?"),
        ("tags.owner = 'me'", "did you mean tag.owner?"),
        ("state = 'failed'", "did you mean status?"),
        ("satus = 'failed'", "did you mean status?"),
        ("created_at > '2026-01-01'", "did you mean start_time?"),
        ("starttime > '2026-01-01'", "did you mean start_time?"),
        ("run_id = 'x'", "did you mean id?"),
        ("project = 'lungs'", "did you mean experiment?"),
        ("state == 'x'", "did you mean status?"),
        ("attributes.status = 'failed'", "did you mean status?"),
        ("attributes.run_id = 'x'", "did you mean id?"),
        ("run.start_time > '2026-01-01'", "did you mean start_time?"),
        ("lifecycle_stage = 'deleted'", "did you mean archived?"),
        ("tags.mlflow.runName = 'x'", 'did you mean tag."mlflow.runName"?'),
        ("tag.mlflow.runName = 'x'", 'did you mean tag."mlflow.runName"?'),
        ("tag = 'x'", "write tag.KEY"),
        ("config = 'x'", "write config.KEY"),
        ("summary_metrics.loss < 1", "did you mean metric.validation.loss"),
        ("params['lr'] = 1", "did you mean config.lr?"),
        ('config["lr"] = 1', "did you mean config.lr?"),
        ("val_loss < 1", "did you mean metric.validation.loss?"),
        ("val/loss < 1", "did you mean metric.validation.loss?"),
        ("metrics.val_loss < 1", "did you mean metric.validation.loss?"),
        ("metrics.train/loss < 1", "did you mean metric.train.loss?"),
        ("metric.val/loss < 1", "did you mean metric.validation.loss?"),
        ("val.loss < 1", "did you mean metric.validation.loss?"),
        ("optimizer.lr < 1", "did you mean config.optimizer.lr"),
        ("status = 'FINISHED'", "did you mean 'completed'?"),
        ("status = 'running'", "did you mean 'in_progress'?"),
        ("status in ('killed')", "did you mean 'interrupted'?"),
        ("status = 'complted'", "did you mean 'completed'?"),
        ("'unet' = name", "a test begins with its field"),
        ("config.lr = 0.1 and", "something is missing at the end"),
        ("name like *unet*", "name like 'unet%'"),
        ("name like unet%", "in single quotes"),
        ("{'status': 'failed'}", "a filter is a text"),
        ("name is 'x'", "compare values by ="),
        ("start_time > yesterday", "a time is a text"),
        ("config.lr gte 1", "write >="),
        ("config.lr = nan", "is null"),
        ("config.lr = 1 @ 2", "there are fields, the operators"),
        ("run.config['lr'] > 1", "did you mean config.lr?"),
        ("metrics.`val loss` < 1", "stands in double ones"),
        ("duration > 1h", "a duration is in seconds"),
        ("duration > '1h'", "a duration is in seconds"),
        ("config.lr", "config.lr is not null"),
        ("archived", "write archived = true"),
        ("config.lr = 1,5", "a decimal number with a point"),
        ("config.lr > 1)", "no parenthesis is open"),
        ("config.lr >= 1 <= 2", "write two tests"),
        ("min(loss) < 1", "metric.validation.loss.min"),
        ("now() > 1", "there are no functions"),
        ("tags = 'me'", "write tag.KEY"),
        ("tag.owner in 'me'", "in parentheses"),
        ("name like unet", "name like 'unet%'"),
        ("name regexp 'u'", "like with a pattern"),
        ("artifact.name = 'x'", "write artifact = 'name'"),
        ("status == 'completed'", "write = once"),
        ("status = completed", "'completed'"),
        ('status = "completed"', "single quotes"),
        ("name = \N{LEFT SINGLE QUOTATION MARK}x\N{RIGHT SINGLE QUOTATION MARK}", "straight single quotes"),
        ("config.lr <> 1", "write !="),
        ("config.lr = 1 && status = 'failed'", "write and"),
        ("config.lr = 1 || status = 'failed'", "write or"),
        ("!status = 'failed'", "write not"),
        ("end_time = null", "is null"),
        ("start_time > 2026", "a time is a text"),
        ("config.depth in [18, 34]", "between parentheses"),
        ("name contains 'x'", "like '%text%'"),
        ("name =~ 'x'", "like"),
    ],
)
def test_a_filter_in_other_words_is_answered_with_ours(text: str, advice: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_filter(text)

    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("-start_time", "'start_time desc'"),
        ("- metric.train.loss", "'metric.train.loss desc'"),
        ("+created_at", "'start_time asc'"),
        ("name sideways", "expected 'asc', 'desc' or the end"),
        ("name, start_time", "give several orders one by one"),
        ("name desc nulls last", "in both directions"),
        ("start_time descending", "write desc"),
        ("start_time:desc", "start_time desc"),
        ("loss desc", "metric.validation.loss"),
    ],
)
def test_an_order_in_other_words_is_answered_with_ours(text: str, advice: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_order([text])

    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("tag.my tag = 'y'", 'write tag."my tag"'),
        ("config.weight decay = 1", 'write config."weight decay"'),
        ("tag.fold = 3", "put texts in single quotes: '3'"),
        ("start_time > 3", "a time is a text"),
    ],
)
def test_what_a_key_or_its_value_lacks_is_said(text: str, advice: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_filter(text)

    assert advice in str(caught.value)


def test_an_unknown_field_is_answered_with_all_that_there_are() -> None:
    with pytest.raises(
        QueryError, match=r"\? Fields are id, name, note, status, .*attempt, start_time, .*artifact, tag\.KEY"
    ):
        parse_filter("nonsense = 1")

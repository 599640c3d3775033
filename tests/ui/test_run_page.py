"""The page of a run, as it is without a browser."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from runstore_ui.run import recorders_of
from support.asgi import ask


def facts(text: str) -> dict[str, str]:
    found = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", text, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", name).strip(): re.sub(r"<[^>]+>", "", value).strip() for name, value in found}


def test_a_run_says_first_how_it_ended_its_best_values_and_its_settings(app: Any) -> None:
    text = ask(app, "/run?id=run00").text

    found = facts(text)
    assert "completed after" in text
    assert found["auroc validation, best"].endswith("at step 19")
    assert found["points"] == "80"
    assert found["learning_rate"] == "0.001"


def test_a_failed_run_says_why_with_the_last_line_of_its_traceback(app: Any) -> None:
    text = ask(app, "/run?id=failed").text

    assert re.search(r"failed after [\d.]+s: MemoryError: out of memory", text)
    assert '<p class="last-line"><code>line 2</code></p>' in text


def test_a_run_leads_to_its_parent_its_children_and_its_experiment(app: Any) -> None:
    parent, child = ask(app, "/run?id=fedavg").text, ask(app, "/run?id=client1").text

    assert re.findall(r'id="child-([^"]+)"', parent) == ["client0", "client1", "client2"]
    assert 'href="run?id=fedavg"' in child
    assert 'href="./?experiment=chest%20x-ray"' in child


def test_a_run_that_is_not_there_is_said_so(app: Any) -> None:
    assert ask(app, "/run?id=nobody").status == 404


def test_each_link_of_the_table_to_a_run_leads_there(app: Any) -> None:
    links = re.findall(r'href="(run\?id=[^"]+)"', ask(app).text)

    assert len(links) > 10
    assert {ask(app, f"/{link}").status for link in links} == {200}


def test_settings_are_found_by_a_part_of_their_name_or_value(app: Any) -> None:
    by_name = facts(ask(app, "/run?id=run00&setting=RATE").text)
    by_value = facts(ask(app, "/run?id=run00&setting=resnet18").text)
    nothing = ask(app, "/run?id=run00&setting=nothing").text

    assert by_name["learning_rate"] == "0.001"
    assert "batch_size" not in by_name
    assert by_value["name"] == "resnet18"
    assert "No setting has “nothing”" in nothing


def test_a_recorded_run_says_that_nothing_was_lost_and_lists_its_files_by_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    kept = tmp_path / "kept.txt"
    kept.write_text("words")
    with open_store(url) as store:
        run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r")
        store.log_metrics(run, [MetricPoint("loss", 0.5, step) for step in range(3)])
        for name in ("a/b/one.txt", "a/b/two.png", "plain.txt"):
            store.log_artifact(run, kept, name=name)
        store.finalize(run, "completed")
    with open_reader(url) as reader:
        text = ask(make_app(reader, Options(shown_url=url)), "/run?id=r").text

    assert facts(text)["recorder"] == "0 lost"
    assert facts(text)["lost"] == "0 calls, 0 points"
    assert re.sub(r"<[^>]+>", "", text.partition("<summary>a/b")[2].partition("</summary>")[0]) == "/ 2 files, 10 bytes"
    assert 'href="artifact?id=r&amp;name=a/b/one.txt"' in text
    assert '<img src="file?id=r&amp;name=a/b/two.png&amp;shown=yes"' in text
    assert "runstore.health" not in text


def test_no_page_shows_the_password_of_a_url_in_settings_and_provenance(tmp_path: Path) -> None:
    address = "postgresql://me:hunter2@lab.example/runs"
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url, durable=False) as store:
        run = store.ensure_run(
            store.get_or_create_experiment("e"), run_id="r", provenance={"process": {"argv": ["train", address]}}
        )
        store.log_config(run, {"data": {"url": address}})
        store.finalize(run, "completed")
        app = make_app(store, Options(shown_url=url))
        texts = [
            ask(app, f"/{view}").text
            for view in ("run?id=r", "?column=config.data.url", "compare?run=r&equal=yes", "run?id=r&setting=hunter2")
        ]

    assert all("hunter2" not in text.replace('value="hunter2"', "").replace("“hunter2”", "") for text in texts)
    assert all("me:***@lab.example" in text for text in texts[:3])


def test_the_head_says_the_best_value_of_each_metric_on_validation_data(app: Any) -> None:
    text = ask(app, "/run?id=run00").text

    assert re.findall(r"<dt>(\w+) <small>([^<]*)</small></dt>", text) == [
        ("auroc", "validation, best"),
        ("loss", "validation, best"),
    ]


def test_a_run_that_was_resumed_lists_its_writers_the_newest_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    before = datetime.now(UTC)
    for points in (1, 2):
        with open_store(url) as store:
            run = store.ensure_run(store.get_or_create_experiment("e"), run_id="r", resume=points > 1)
            store.log_metrics(run, [MetricPoint("loss", 0.5, step) for step in range(points)])
            store.finalize(run, "failed" if points == 1 else "completed")
    with open_reader(url) as reader:
        app = make_app(reader, Options(shown_url=url))
        text = ask(app, "/run?id=r").text
        writers = recorders_of("r", reader.list_artifacts("r")).writers

    assert "This is attempt 2; the store keeps no end of those before." in text
    assert text.partition('id="writers"')[2].partition("</table>")[0].count("<tr>") == 3
    assert [(each.points, each.lost, each.error) for each in writers] == [(2, 0, ""), (1, 0, "")]
    newer, older = writers
    assert newer.began is not None
    assert older.began is not None
    assert before - timedelta(seconds=1) <= older.began <= older.reported <= newer.reported
    assert older.began < newer.began

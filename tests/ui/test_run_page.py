"""The page of a run, as it is without a browser."""

import re
from typing import Any

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

"""Several databases opened at the same moment by the threads of one process, as recorders of two stores do."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runstore.opening.stores import open_store


def test_threads_that_open_different_new_databases_at_once_each_get_theirs(fast_path: Path) -> None:
    urls = [f"sqlite:///{fast_path}/{number}.db" for number in range(8)]

    def write(url: str) -> str:
        with open_store(url, durable=False) as store:
            return store.get_or_create_experiment(url)

    with ThreadPoolExecutor(len(urls)) as threads:
        list(threads.map(write, urls))

    found = []
    for url in urls:
        with open_store(url, durable=False) as store:
            found.append([experiment.name for experiment in store.list_experiments().items])
    assert found == [[url] for url in urls]

"""A URL's secret is in nothing that leaves the process, however the URL is written (OPEN.6)."""

import pytest

from hiding.saying import all_of, everything_said
from hiding.urls import REFUSED_URLS, SECRET, SECRET_OPTIONS, SPLITTABLE_URLS
from runstore import open_reader, open_store
from runstore.errors import RunStoreError, SettingsError
from runstore.hookspecs import OpenOptions
from runstore.opening.stores import check_url
from runstore.plugins.registry import find_backends
from runstore.provenance import gather_provenance
from runstore.recording.opening import Recipe
from runstore.recording.places import identity_of
from runstore.secrets import Secrets, redact, redact_word
from runstore.settings import Settings, load_settings

_ALL = SPLITTABLE_URLS | SECRET_OPTIONS


@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS)
def test_a_url_that_cannot_be_cut_safely_is_refused_and_nothing_of_it_is_shown(url: str) -> None:
    for attempt in (
        lambda: open_store(url),
        lambda: open_store(url, durable=False),
        lambda: open_reader(url),
        lambda: load_settings(url=url),
        lambda: check_url(url),
    ):
        with everything_said() as said, pytest.raises(SettingsError) as caught:
            attempt()

        assert SECRET not in all_of(caught.value) + said.getvalue()
        assert "***" not in str(caught.value)  # refused, not merely hidden


@pytest.mark.parametrize("url", _ALL.values(), ids=_ALL)
def test_no_secret_is_in_an_error_a_log_line_or_a_warning(url: str) -> None:
    with everything_said() as said:
        try:
            open_store(url, durable=False).close()
        except RunStoreError as error:
            said.write(all_of(error))

    assert SECRET not in said.getvalue()


@pytest.mark.parametrize("url", _ALL.values(), ids=_ALL)
def test_no_secret_is_in_a_repr_a_journal_s_note_or_the_provenance(url: str) -> None:
    backend = find_backends().backends[0].backend
    arguments = ["train.py", "--store", url, f"--store={url}", f'{{"store": "{url}"}}', f"a {url} b"]

    shown = [
        repr(Settings(url=url, artifacts=url)),
        repr(OpenOptions(artifacts=url)),
        repr(Recipe(url, backend, OpenOptions(artifacts=url))),
        repr(Secrets(url)),
        identity_of(url),
        redact(f"could not open {url}: it is away"),
        redact_word(url),
        repr(gather_provenance(argv=arguments)),
    ]

    assert [text for text in shown if SECRET in text] == []

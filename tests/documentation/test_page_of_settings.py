"""The page about settings names each of them, and each default."""

import re

from documentation.pages import PAGES, ROOT
from runstore.recording import RecorderOptions
from runstore.settings import Settings

PAGE = PAGES["docs/configuration.md"].read_text(encoding="utf-8")


def test_each_variable_that_the_code_reads_is_named_and_no_other() -> None:
    read = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"\bRUNSTORE_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }

    assert set(re.findall(r"\bRUNSTORE_[A-Z_]+\b", PAGE)) == read


def test_each_key_of_a_settings_file_has_its_line() -> None:
    keys = re.findall(r"^\|[^|\n]*\|[^|\n]*\|[^|\n]*\|[^|\n]*\| `(\w+)` \|", PAGE, re.MULTILINE)

    assert keys == list(Settings.__dataclass_fields__)


def test_each_option_of_the_recorder_has_its_line_with_its_default() -> None:
    shown = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ", PAGE, re.MULTILINE)
    options = RecorderOptions()

    assert [(name, value.replace('"', "'")) for name, value in shown] == [
        (name, repr(getattr(options, name))) for name in RecorderOptions.__struct_fields__
    ]

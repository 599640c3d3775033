"""Without PyTorch or Lightning the import says what to install."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["torch", "pytorch_lightning"])
def test_the_import_names_what_to_install(missing: str) -> None:
    code = (
        "import sys\n"
        f"sys.modules[{missing!r}] = sys.modules['lightning'] = sys.modules['lightning.pytorch'] = None\n"
        "if 'torch' not in sys.modules:\n"
        "    from importlib.util import find_spec\n"
        "    if find_spec('torch') is None: sys.modules['torch'] = None\n"
        "try:\n"
        "    from runstore.lightning import RunStoreLogger\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert 'pip install "runstore[lightning]"' in told
    assert "PyTorch" in told

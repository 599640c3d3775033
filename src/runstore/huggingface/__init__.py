"""A Hugging Face ``Trainer``'s runs in your own database: ``Trainer(..., callbacks=[RunStoreCallback(url)])``.

Once this is imported, ``TrainingArguments(report_to="runstore")`` works as well.
"""

from importlib.util import find_spec

if find_spec("transformers") is None:
    raise ImportError(
        'runstore.huggingface needs transformers, which is not installed; do: pip install "runstore[huggingface]"'
    )

from runstore.huggingface.callback import RunStoreCallback

__all__ = ["RunStoreCallback"]

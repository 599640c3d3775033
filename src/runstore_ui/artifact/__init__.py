"""What the page shows of a file that was kept with a run, and how its bytes are handed out."""

from runstore_ui.artifact.folders import Folder, Kept, folders_of
from runstore_ui.artifact.kept import KeptFiles
from runstore_ui.artifact.parquet import can_read_parquet, parquet_preview
from runstore_ui.artifact.pixels import MOST_PIXELS, size_of
from runstore_ui.artifact.preview import PARQUET, PICTURES, Preview, ending_of, is_picture, preview_of, too_large
from runstore_ui.artifact.sending import Part, Streamed, chunks_of, disposition, part_of
from runstore_ui.artifact.steps import Steps, steps_of

__all__ = [
    "MOST_PIXELS",
    "PARQUET",
    "PICTURES",
    "Folder",
    "Kept",
    "KeptFiles",
    "Part",
    "Preview",
    "Steps",
    "Streamed",
    "can_read_parquet",
    "chunks_of",
    "disposition",
    "ending_of",
    "folders_of",
    "is_picture",
    "parquet_preview",
    "part_of",
    "preview_of",
    "size_of",
    "steps_of",
    "too_large",
]

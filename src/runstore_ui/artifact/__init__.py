"""What the page shows of a file that was kept with a run, and how its bytes are handed out."""

from runstore_ui.artifact.folders import Folder, Kept, folders_of
from runstore_ui.artifact.preview import PICTURES, Preview, ending_of, is_picture, preview_of, too_large
from runstore_ui.artifact.sending import Part, Streamed, chunks_of, disposition, part_of
from runstore_ui.artifact.steps import Steps, steps_of

__all__ = [
    "PICTURES",
    "Folder",
    "Kept",
    "Part",
    "Preview",
    "Steps",
    "Streamed",
    "chunks_of",
    "disposition",
    "ending_of",
    "folders_of",
    "is_picture",
    "part_of",
    "preview_of",
    "steps_of",
    "too_large",
]

"""Artifacts: which local files a call means, where bytes are kept, and how they are checked when read."""

from runstore.artifacts.blobs import (
    Blob,
    Blobs,
    LocalBlobs,
    hashed,
    hashed_chunks,
)
from runstore.artifacts.requests import ArtifactFile, ArtifactRequest, check_artifact, records_of
from runstore.artifacts.roots import absolute_place, blobs_at

__all__ = [
    "ArtifactFile",
    "ArtifactRequest",
    "Blob",
    "Blobs",
    "LocalBlobs",
    "absolute_place",
    "blobs_at",
    "check_artifact",
    "hashed",
    "hashed_chunks",
    "records_of",
]

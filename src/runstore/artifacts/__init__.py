"""Artifacts: which local files a call means, where bytes are kept, and how they are checked when read."""

from runstore.artifacts.blobs import (
    Blob,
    Blobs,
    LocalBlobs,
    absolute_place,
    blobs_at,
    check_place,
    hashed,
    hashed_chunks,
)
from runstore.artifacts.requests import ArtifactFile, ArtifactRequest, check_artifact, records_of
from runstore.artifacts.verifying import open_verified

__all__ = [
    "ArtifactFile",
    "ArtifactRequest",
    "Blob",
    "Blobs",
    "LocalBlobs",
    "absolute_place",
    "blobs_at",
    "check_artifact",
    "check_place",
    "hashed",
    "hashed_chunks",
    "open_verified",
    "records_of",
]

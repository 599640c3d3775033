"""``artifact?id=…&name=…``: a file of a run; ``file?…``: its bytes. A name is looked up in the store, and never a path."""

import math
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import ArtifactNotFoundError, InvalidValueError
from runstore.model import Artifact
from runstore.secrets import redact
from runstore.texts import size_text
from runstore_ui.artifact import (
    MOST_PIXELS,
    PARQUET,
    PICTURES,
    Part,
    Preview,
    Streamed,
    can_read_parquet,
    chunks_of,
    disposition,
    ending_of,
    is_picture,
    parquet_preview,
    part_of,
    preview_of,
    size_of,
    steps_of,
    too_large,
)
from runstore_ui.pages import render
from runstore_ui.site import site_of
from runstore_ui.state import link


def show(request: Request) -> Response:
    """The file: what can be shown of it, what is told of it, and the way to its bytes."""
    reader = site_of(request).reader
    artifact = _artifact(request)
    run = reader.get_run(artifact.run_id)
    pairs = [("id", artifact.run_id), ("name", artifact.name)]
    return render(
        request,
        "artifact.html",
        run=run,
        run_link=link("run", [("id", run.id)]),
        artifact=artifact,
        uri=redact(artifact.uri),
        size="" if artifact.size is None else size_text(artifact.size),
        file=link("file", pairs),
        picture=link("file", [*pairs, ("shown", "yes")]),
        preview=_preview(request, artifact),
        steps=steps_of(reader, artifact),
        page=lambda name: link("artifact", [("id", run.id), ("name", name)]),
    )


def send(request: Request) -> Response:
    """The bytes, all of them or the part that a ``Range`` names. A browser keeps them as a file and runs nothing of it.

    With ``shown=yes`` in the address they are for a picture in a page, and not sent where it would stop the browser.
    """
    artifact = _artifact(request)
    size = artifact.size or 0
    tag = f'"{artifact.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(artifact.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if artifact.is_stored and request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    is_same = request.headers.get("if-range", tag) == tag
    asked = part_of(request.headers.get("range") if is_same else None, size)
    part = asked or Part(start=0, end=size)
    if asked is not None and not len(asked):
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    if asked is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    headers["Content-Length"] = str(len(part))
    kind = PICTURES.get(ending_of(artifact.name), "application/octet-stream")
    file = site_of(request).files.open(site_of(request).reader, artifact)
    if request.query_params.get("shown") and math.prod(size_of(file)) > MOST_PIXELS:
        file.close()
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    status = HTTPStatus.OK if asked is None else HTTPStatus.PARTIAL_CONTENT
    return Streamed(chunks_of(file, part), close=file.close, kind=kind, headers=headers, status=status)


def _artifact(request: Request) -> Artifact:
    """The record that the address names.

    Raises:
        ArtifactNotFoundError: the run has no file of this name.
        InvalidValueError: the address names no run, or no file.
    """
    run_id, name = request.query_params.get("id", ""), request.query_params.get("name", "")
    if not run_id or not name:
        raise InvalidValueError("the address names no run or no file; give id=RUN&name=FILE")
    for each in site_of(request).reader.list_artifacts(run_id):
        if each.name == name:
            return each
    raise ArtifactNotFoundError(f"run {run_id} has no artifact called {name!r}; the page of the run lists them")


def _preview(request: Request, artifact: Artifact) -> Preview:
    if not artifact.is_stored:
        return Preview(remark="The store keeps where this file lies, and not its bytes.")
    if is_picture(artifact):
        return _picture(request, artifact)
    if (refusal := too_large(artifact)) is not None:
        return refusal
    if ending_of(artifact.name) == PARQUET:
        if not can_read_parquet():
            return Preview(
                remark="Download this Parquet file to look at it; with pyarrow beside the page it is shown here."
            )
        # A copy of its own: another process reads it.
        with site_of(request).reader.open_artifact(artifact.run_id, artifact.name) as file:
            return parquet_preview(file)
    with site_of(request).files.open(site_of(request).reader, artifact) as file:
        return preview_of(artifact, file)


def _picture(request: Request, artifact: Artifact) -> Preview:
    with site_of(request).files.open(site_of(request).reader, artifact) as file:
        width, height = size_of(file)
    if width * height > MOST_PIXELS:
        return Preview(remark=f"Of {width:,} × {height:,} pixels nothing is shown here; download it to look at it.")
    return Preview(is_picture=True)

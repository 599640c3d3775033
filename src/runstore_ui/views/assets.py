"""``assets/NAME``: styles and scripts."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore_ui.assets import find_asset


async def show(request: Request) -> Response:  # where all threads wait for the database, a page still has its looks
    """The file; it is kept by browsers as long as its address has its digest."""
    asset = find_asset(request.path_params["name"])
    if asset is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    lasts = "public, max-age=31536000, immutable" if request.query_params.get("v") == asset.digest else "no-cache"
    return Response(asset.content, media_type=asset.kind, headers={"Cache-Control": lasts})

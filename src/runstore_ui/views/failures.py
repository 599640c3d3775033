"""What is shown where a view cannot answer: what was asked, what was found, and what to do."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import NotFoundError, RunStoreError
from runstore_ui.pages import render


def of_store(request: Request, error: Exception) -> Response:
    """For an error of the store: not there, away, or refused."""
    if isinstance(error, NotFoundError):
        return _failure(request, HTTPStatus.NOT_FOUND, "Not in this store", str(error))
    if isinstance(error, RunStoreError) and error.is_transient:
        return _failure(request, HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer", str(error))
    if isinstance(error, RunStoreError) and error.is_mistake:
        return _failure(request, HTTPStatus.BAD_REQUEST, "This cannot be understood", str(error))
    return _failure(request, HTTPStatus.BAD_GATEWAY, "The database refused", str(error))


def of_address(request: Request, error: Exception) -> Response:
    """For an address that is none of this page."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    return _failure(request, status, "There is no such page", f"{request.url.path}: {status.phrase.lower()}")


def _failure(request: Request, status: HTTPStatus, title: str, message: str) -> Response:
    return render(request, "failure.html", status=status, title=title, message=message)

"""What is shown where a view cannot answer: what was asked, what was found, and what to do."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runstore.errors import NotFoundError, RunStoreError
from runstore_ui.pages import render
from runstore_ui.security import lasting, nonce_of
from runstore_ui.site import site_of

_LONGEST = 200


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
    title = "There is no such page" if status is HTTPStatus.NOT_FOUND else "This cannot be answered"
    return _failure(request, status, title, f"{request.url.path[:_LONGEST]}: {status.phrase.lower()}")


def of_fault(request: Request, error: Exception) -> Response:
    """For an error that nobody has foreseen: it is told where the page was started, and not to who looks at it."""
    message = f"An error of the kind {type(error).__name__}. Where `runstore ui` was started its traceback was printed; please report it."
    answer = _failure(request, HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of this page", message)
    # It is answered outside of what gives all others their headers.
    answer.headers.update(lasting(nonce_of(request), site_of(request).options.framed_by))
    return answer


def _failure(request: Request, status: HTTPStatus, title: str, message: str) -> Response:
    return render(request, "failure.html", status=status, title=title, message=message)

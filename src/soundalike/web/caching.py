"""How long answers may be kept."""

from flask import Response
from werkzeug.exceptions import PreconditionFailed


def revalidate(response: Response) -> Response:
    """Let a browser keep an answer, and ask each time whether it is still current."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def refuse_other_versions(response: Response) -> Response:
    """Raise where a request with ``If-Match`` wants another version, for which Werkzeug sends this one whole.

    Raises
    ------
    PreconditionFailed
        With status 412.
    """
    if response.status_code == PreconditionFailed.code:
        response.close()
        raise PreconditionFailed
    return response


def no_store(response: Response) -> Response:
    """Let no cache and no browser keep an answer that is about a user."""
    response.headers["Cache-Control"] = "private, no-store"
    return response

"""How long answers may be kept."""

from flask import Response


def revalidate(response: Response) -> Response:
    """Let a browser keep an answer, and ask each time whether it is still current."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def no_store(response: Response) -> Response:
    """Let no cache and no browser keep an answer that is about a user."""
    response.headers["Cache-Control"] = "private, no-store"
    return response

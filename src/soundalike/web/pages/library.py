"""Pages for people: the library, a track with what sounds like it, and covers."""

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, url_for

from soundalike.domain.errors import (
    DamagedArtefactError,
    NoArtefactError,
    NoCoverError,
    NotAnalysedError,
    QueryError,
    SchemaMismatchError,
    TrackGoneError,
)
from soundalike.domain.similarity.space import Neighbour
from soundalike.domain.tracks import Position, Sort
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.api.cursors import decode_cursor, encode_cursor
from soundalike.web.pages.covers import cover_response, drawn_cover_response
from soundalike.wire import track_body

PAGE_LIMIT = 50
SIMILAR_LIMIT = 24
SORTS = (
    ("title", "Title"),
    ("artist", "Artist"),
    ("album", "Album"),
    ("-year", "Newest first"),
    ("year", "Oldest first"),
    ("-added", "Recently added"),
)


@dataclass(frozen=True, slots=True)
class Nearby:
    """What a track page says of the tracks around one: some, or why there are none."""

    neighbours: tuple[Neighbour, ...] = ()
    missing: str | None = None


def make_pages(services: Services) -> Blueprint:
    """Return the routes of pages over some services."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def library() -> str:
        query, sort, after = _asked()
        page = services.library.page(query, sort=sort, limit=PAGE_LIMIT, after=after)
        more = page.next and url_for(
            "pages.library",
            query=query or None,
            sort=None if sort == Sort() else str(sort),
            cursor=encode_cursor(page.next, sort=sort, query=query),
        )
        is_empty = not page.total and not services.library.count()
        return render_template(
            "library.html", page=page, query=query, sort=str(sort), sorts=SORTS, more=more, is_empty=is_empty
        )

    @pages.get("/tracks/<track_id>")
    def track(track_id: str) -> str:
        track = services.library.track(TrackId(track_id))
        return render_template("track.html", track=track, nearby=_nearby(services, track.id))

    @pages.get("/tracks/<track_id>/cover")
    def cover(track_id: str) -> Response:
        try:
            return cover_response(services.listening.cover(TrackId(track_id)), request)
        except (NoCoverError, TrackGoneError):
            return drawn_cover_response(services.library.track(TrackId(track_id)), request)

    @pages.app_template_filter()
    def clock(duration_ms: int) -> str:
        minutes, seconds = divmod(round(duration_ms / 1000), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    @pages.app_template_filter()
    def nearness(distance: float, farthest: float) -> int:
        """Return how long a bar is, in percent: full for the same sound, a stub for the farthest shown."""
        return round(100 - 90 * distance / farthest) if farthest > 0 else 100

    pages.add_app_template_filter(track_body, "body")

    @pages.after_request
    def revalidate(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return pages


def _asked() -> tuple[str, Sort, Position | None]:
    """Read a page's address kindly: what is malformed, as old bookmarks may be, is left out."""
    query = request.args.get("query", "")
    try:
        sort = Sort.parse(request.args.get("sort", str(Sort())))
        cursor = request.args.get("cursor")
        after = None if cursor is None else decode_cursor(cursor, sort=sort, query=query)
    except QueryError:
        return query, Sort(), None
    return query, sort, after


def _nearby(services: Services, track_id: TrackId) -> Nearby:
    try:
        return Nearby(services.neighbours.similar(track_id, limit=SIMILAR_LIMIT).neighbours)
    except NotAnalysedError:
        return Nearby(missing="not_analysed")
    except (NoArtefactError, DamagedArtefactError, SchemaMismatchError):
        return Nearby(missing="no_artefact")

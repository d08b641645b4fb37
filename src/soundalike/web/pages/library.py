"""The pages of the library and of a track with what sounds like it."""

from dataclasses import dataclass

from flask import render_template, request, url_for

from soundalike.domain.errors import (
    DamagedArtefactError,
    NoArtefactError,
    NotAnalysedError,
    QueryError,
    SchemaMismatchError,
)
from soundalike.domain.similarity.space import Neighbour
from soundalike.domain.tracks import Position, Sort, Track, TrackFilter
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.cursors import TrackCursors
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.wire.tracks import track_body

PAGE_LIMIT = 50
SIMILAR_LIMIT = 24
SHOWN = TrackFilter(hides_duplicates=True)
"""What pages list: an album in two formats has each of its tracks once."""
SORTS = (
    ("title", "Title"),
    ("artist", "Artist"),
    ("album", "Album"),
    ("-year", "Newest first"),
    ("year", "Oldest first"),
    ("-added", "Recently added"),
)

_FORMATS = {"mpeg": "MP3", "mp4": "AAC", "ogg": "Ogg Vorbis", "webm": "WebM", "basic": "AU"}
"""Names that are not in the media type."""


@dataclass(frozen=True, slots=True)
class SimilarTracks:
    """What a track's page shows of similar tracks: some of them, or why there are none."""

    neighbours: tuple[Neighbour, ...] = ()
    missing: str | None = None


def library_blueprint(services: Services, protocol: WebProtocol) -> RouteBlueprint:
    """Return the routes of the library's pages, with the filters of their templates.

    Parameters
    ----------
    services : Services
        The use cases.
    protocol : WebProtocol
        That of pages.
    """
    pages = RouteBlueprint("pages", protocol)

    @pages.handler
    def library() -> str:
        query, sort, after = _parse_address()
        page = services.library.page(query, sort=sort, limit=PAGE_LIMIT, after=after, only=SHOWN)
        cursor = TrackCursors(sort=sort, query=query, only=SHOWN).encode(page.next)
        more = cursor and url_for(
            "pages.library",
            query=query or None,
            sort=None if sort == Sort() else str(sort),
            cursor=cursor,
        )
        is_empty = not page.total and not services.library.count()
        return render_template(
            "library.html", page=page, query=query, sort=str(sort), sorts=SORTS, more=more, is_empty=is_empty
        )

    @pages.handler
    def track(track_id: str) -> str:
        track = services.library.track(TrackId(track_id))
        copies = services.library.copies(track)
        return render_template("track.html", track=track, copies=copies, similar=_similar(services, track))

    @pages.app_template_filter()
    def clock(duration_ms: int) -> str:
        minutes, seconds = divmod(round(duration_ms / 1000), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    @pages.app_template_filter()
    def format_name(media_type: str) -> str:
        kind, _, codec = media_type.removeprefix("audio/").partition("; codecs=")
        name = (codec or kind).removeprefix("x-").removeprefix("ms-")
        return _FORMATS.get(name, name.upper())

    @pages.app_template_filter()
    def nearness(distance: float, farthest: float) -> int:
        """Return the length of a bar in percent: 100 for the same sound, 10 for the farthest shown."""
        return round(100 - 90 * distance / farthest) if farthest > 0 else 100

    pages.add_app_template_filter(track_body, "body")
    pages.after_request(revalidate)
    return pages


def _parse_address() -> tuple[str, Sort, Position | None]:
    """Read the query of a page's address; malformed parts, as in old bookmarks, are ignored."""
    query = request.args.get("query", "")
    try:
        sort = Sort.parse(request.args.get("sort", str(Sort())))
        cursors = TrackCursors(sort=sort, query=query, only=SHOWN)
        after = cursors.decode(request.args.get("cursor"))
    except QueryError:
        return query, Sort(), None
    return query, sort, after


def _similar(services: Services, track: Track) -> SimilarTracks:
    try:
        found = services.neighbours.similar(track.id, limit=SIMILAR_LIMIT, hides_duplicates=True)
        return SimilarTracks(found.neighbours)
    except NotAnalysedError:
        return SimilarTracks(missing="silent" if services.library.is_silent(track) else "not_analysed")
    except (NoArtefactError, DamagedArtefactError, SchemaMismatchError):
        return SimilarTracks(missing="no_artefact")

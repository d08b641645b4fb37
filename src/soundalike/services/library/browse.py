"""Browsing the library: pages, search, one track by id, path or words."""

import os
from dataclasses import replace
from pathlib import Path

from soundalike.domain.errors import AmbiguousTrackError, QueryError, UnknownTrackError
from soundalike.domain.files import Location, ProblemReason
from soundalike.domain.ports.library import CataloguedStore
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, SortField, Track, TrackFilter, TrackPage
from soundalike.domain.types import RelativePath, TrackId
from soundalike.domain.words import fold_letters, words
from soundalike.services.library.roots import RootMap

MAX_LIMIT = 100
DEFAULT_LIMIT = 20
_SHOWN_MATCHES = 20
_PLAYABLE = TrackFilter(is_playable=True)


def check_limit(limit: int) -> int:
    """Return a limit of 1 to 100.

    Raises
    ------
    QueryError
        If it is out of that range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        msg = f"limit must be from 1 to {MAX_LIMIT}, not {limit}"
        raise QueryError(msg)
    return limit


class Library:
    """The tracks of the library that have not vanished."""

    def __init__(self, store: CataloguedStore, roots: RootMap) -> None:
        self._store = store
        self._roots = roots

    def page(
        self,
        query: str = "",
        *,
        sort: Sort,
        limit: int = DEFAULT_LIMIT,
        after: Position | None = None,
        offset: int = 0,
        only: TrackFilter = EVERY_TRACK,
    ) -> TrackPage:
        """Return a page of the tracks that match every word of a query, and a filter.

        Parameters
        ----------
        query : str
            Words that begin words of title, artist or album; empty matches all.
        sort : Sort
            Order of the tracks.
        limit : int
            1 to 100.
        after : Position or None
            Where the page before ended.
        offset : int
            How many to leave out, counted from `after` or from the first.
        only : TrackFilter
            Ids in it that have given way to others mean those.

        Raises
        ------
        QueryError
            If `limit` is not 1 to 100.
        """
        check_limit(limit)

        def find(only: TrackFilter) -> TrackPage:
            return self._store.find_tracks(
                words(query), sort=sort, limit=limit, after=after, offset=offset, only=only
            )

        page = find(only)
        # Only an id without tracks may be one that a retagging ended.
        if not page.total and (succeeding := self._succeeding(only)) != only:
            page = find(succeeding)
        return page

    def _succeeding(self, only: TrackFilter) -> TrackFilter:
        album = only.album and self._store.album(only.album)
        artist = only.artist and self._store.artist(only.artist)
        genre = only.genre and self._store.genre(only.genre)
        return replace(
            only,
            album=album.id if album else only.album,
            artist=artist.id if artist else only.artist,
            genre=genre.id if genre else only.genre,
        )

    def count(self) -> int:
        """Count the tracks that have not vanished."""
        return self._store.count_tracks()

    def has_audio(self) -> bool:
        """Whether any track can be played."""
        return self._store.find_tracks([], sort=Sort(), limit=1, only=_PLAYABLE).total > 0

    def track(self, track_id: TrackId) -> Track:
        """Return a track, vanished or not.

        Raises
        ------
        UnknownTrackError
            If no track has this id.
        """
        track = self._store.track(track_id)
        if track is None:
            msg = f"no track has the id {track_id!r}"
            raise UnknownTrackError(msg)
        return track

    def copies(self, track: Track) -> tuple[Track, ...]:
        """Return the other tracks that are the same recording on the same album, such as other formats."""
        if track.entry.recording is None:
            return ()
        on_album = self._store.find_tracks(
            words(track.title),
            sort=Sort(SortField.ALBUM),
            limit=MAX_LIMIT,
            only=TrackFilter(album=track.entry.album_id),
        )
        same = (other for other in on_album.tracks if other.entry.recording == track.entry.recording)
        return tuple(other for other in same if other.id != track.id)

    def is_silent(self, track: Track) -> bool:
        """Whether a track's file has no sound, so that it has no features."""
        if track.file is None:
            return False
        location = track.file.location
        problems = self._store.problems_under(location.root, location.path)
        return any(one.place == track.file.place and one.reason is ProblemReason.SILENT for one in problems)

    def match(self, text: str) -> Track:
        """Return the one track with this id or path, or with these words in its title.

        Raises
        ------
        UnknownTrackError
            If nothing matches.
        AmbiguousTrackError
            If the words match several, which it lists.
        """
        track = self._store.track(TrackId(text)) or self._at_path(text)
        if track is not None:
            return track
        titled = [found for found in self._matching(text) if _fits_title(found, text)]
        exact = [found for found in titled if fold_letters(found.title).split() == fold_letters(text).split()]
        candidates = exact or titled
        if not candidates:
            raise _unknown(text)
        if len(candidates) > 1:
            raise self._ambiguous(text, candidates)
        return candidates[0]

    def _ambiguous(self, text: str, candidates: list[Track]) -> AmbiguousTrackError:
        """List tracks by all that people know them by, and those that share all of it by their paths too."""
        names = [_described(track) for track in candidates]
        items = [
            f"{track.id}  {name}{self._path_in_words(track) if names.count(name) > 1 else ''}"
            for track, name in zip(candidates[:_SHOWN_MATCHES], names, strict=False)
        ]
        more = len(candidates) - _SHOWN_MATCHES
        rest = [f"and {more} more; add words of the title to see fewer"] if more > 0 else []
        msg = f"{text!r} matches {len(candidates)} tracks; give the id of one:"
        return AmbiguousTrackError(msg, [*items, *rest])

    def _path_in_words(self, track: Track) -> str:
        path = track.file and self._roots.path_of(track.file.location)
        return f", {bytes(path).decode(errors='backslashreplace')}" if path else ""

    def _at_path(self, text: str) -> Track | None:
        # Links above a root are resolved; those below it are part of a track's path.
        given = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 - "~~~" may be a title
        for above in given.parents:
            place, below = Path(os.path.realpath(above)), RelativePath(bytes(given.relative_to(above)))
            for root in self._roots.roots():
                if root.location == place and (track := self._store.track_at(Location(root.name, below))):
                    return track
        return None

    def _matching(self, text: str) -> list[Track]:
        query = words(text)
        if not query:
            return []
        page = self._store.find_tracks(query, sort=Sort(SortField.TITLE), limit=MAX_LIMIT)
        return list(page.tracks)


def _fits_title(track: Track, text: str) -> bool:
    in_title = words(track.title)
    return all(any(have.startswith(want) for have in in_title) for want in words(text))


def _unknown(text: str) -> UnknownTrackError:
    if os.path.isdir(os.path.expanduser(text)):  # noqa: PTH111, PTH112 - the text may be no path at all
        return UnknownTrackError(f"{text!r} is a folder, not a track; give one of the files in it")
    msg = f"no track has the id, path or title {text!r}; try fewer words, or run 'soundalike extract'"
    return UnknownTrackError(msg)


def _described(track: Track) -> str:
    album = f", {track.album}" if track.album else ""
    year = f" ({track.year})" if track.year else ""
    minutes, seconds = divmod(round(track.duration_ms / 1000), 60)
    return f"{track.title} by {track.artist or 'an unknown artist'}{album}{year}, {minutes}:{seconds:02}"

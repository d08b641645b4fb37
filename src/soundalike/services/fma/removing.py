"""Taking out what an import of FMA gave."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from soundalike.domain.batches import batched
from soundalike.domain.catalogue import own_entry
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import Location
from soundalike.domain.fma import FMA_SETS
from soundalike.domain.ports.library import OnProgress, Store
from soundalike.domain.tags import ExternalIdKind
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import RelativePath, TrackId
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.identity import title_from_path

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FmaRemoval:
    """What a removal does, or has done.

    Parameters
    ----------
    removed : int
        Tracks without audio of which nobody has a listen.
    vanished : int
        Tracks without audio that somebody heard, liked or disliked: they keep their id.
    kept : int
        Tracks with audio, which stay without FMA's metadata.
    feature_sets : tuple of str
        The keys of the feature sets that go.
    folders : tuple of Location
        Where the files of those with audio are: their tags are to be read again.
    """

    removed: int = 0
    vanished: int = 0
    kept: int = 0
    feature_sets: tuple[str, ...] = ()
    folders: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    without_listens: list[TrackId]
    with_listens: list[TrackId]
    with_audio: list[TrackId]


class FmaRemover:
    """Takes out what FMA's files said, and nothing else.

    Parameters
    ----------
    store : Store
        Of the library.
    clock : callable
        Returns the time, UTC.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def plan(self) -> FmaRemoval:
        """Return what `remove` would do; nothing is changed."""
        found = self._find()
        return self._removal(found, len(found.without_listens), len(found.with_listens))

    def remove(self, *, progress: OnProgress) -> FmaRemoval:
        """Take out tracks, FMA's metadata of tracks with audio, and its features; no listen is deleted.

        Interrupted, it is continued by the next.

        Parameters
        ----------
        progress : callable
            Called with (done, total) tracks.
        """
        found = self._find()
        total = len(found.without_listens) + len(found.with_listens) + len(found.with_audio)
        vanished = self._store.mark_vanished(found.with_listens, to_ms(self._clock()))
        done = len(found.with_listens)
        for batch in batched(found.with_audio, _BATCH):
            self._forget_metadata(batch)
            done += len(batch)
            progress(done, total)
        removed = 0
        removal = self._removal(found, 0, vanished)
        for batch in batched(found.without_listens, _BATCH):
            # A scan may have found the audio of one meanwhile.
            now = self._store.tracks(batch).values()
            removed += self._store.remove_tracks([track.id for track in now if not track.has_audio])
            done += len(batch)
            progress(done, total)
        for key in removal.feature_sets:
            self._store.forget_set(key)
        settle_catalogue(self._store)
        return replace(removal, removed=removed)

    def _find(self) -> _Found:
        tracks = [(track.id, track.has_audio, track.is_vanished) for track in self._imported()]
        without = {track_id for track_id, has_audio, _ in tracks if not has_audio}
        heard = {
            listen.track_id
            for user_id in self._store.listen_counts()
            for listen in self._store.listens_of(user_id)
            if listen.track_id in without
        }
        return _Found(
            [track_id for track_id, has_audio, _ in tracks if not has_audio and track_id not in heard],
            [track_id for track_id, _, is_vanished in tracks if track_id in heard and not is_vanished],
            [track_id for track_id, has_audio, _ in tracks if has_audio],
        )

    def _imported(self) -> Iterator[Track]:
        for track in self._store.stored_tracks():
            if track.imported is not None and track.imported.ids(ExternalIdKind.FMA):
                yield track

    def _removal(self, found: _Found, removed: int, vanished: int) -> FmaRemoval:
        ours = {schema.key for schema in FMA_SETS}
        folders = {
            _above(track.file.location)
            for batch in batched(found.with_audio, _BATCH)
            for track in self._store.tracks(batch).values()
            if track.file is not None
        }
        return FmaRemoval(
            removed=removed,
            vanished=vanished,
            kept=len(found.with_audio),
            feature_sets=tuple(one.key for one in self._store.feature_sets() if one.key in ours),
            folders=tuple(sorted(folders)),
        )

    def _forget_metadata(self, track_ids: list[TrackId]) -> None:
        for track in self._store.tracks(track_ids).values():
            if track.file is None or track.imported is None:
                continue
            tags = track.tags.without(track.imported)
            bare = replace(
                track,
                tags=tags,
                imported=None,
                tags_version=0,  # what the file says as well is read again
                entry=own_entry(tags),
                title=tags.title or title_from_path(track.file.location),
            )
            try:
                self._store.save_track(bare, moved_from=track.file.location)
            except TrackConflictError:
                continue  # its file has moved meanwhile: the next removal finds it


def _above(location: Location) -> Location:
    """Return the folder of FMA's audio in which a file is: two above, by its folder rule."""
    *above, _, _ = [b"", *location.path.rsplit(b"/", 2)]
    return replace(location, path=RelativePath(above[-1] if above else b""))

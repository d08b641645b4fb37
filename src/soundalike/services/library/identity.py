"""Which track a file is: the one whose audio it has, if that moved; else of its place or an external id.

Which one an import of metadata describes is known by external ids alone.
"""

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from soundalike.domain.catalogue import own_entry
from soundalike.domain.files import Analysis, FoundFile, Location, Part, Place, TrackFile
from soundalike.domain.fma import fma_id_at
from soundalike.domain.ports.library import CataloguedStore
from soundalike.domain.tags import ExternalId, Tags
from soundalike.domain.tracks import Track
from soundalike.domain.types import AudioHash, DurationMs, TrackId
from soundalike.services.library.roots import RootMap

_MOSTLY = 0.5


class Identity:
    """Decides which track an analysed file is.

    Parameters
    ----------
    store : CataloguedStore
        Has the tracks.
    roots : RootMap
        Locates roots on this machine.
    is_gone : callable
        Returns whether nothing, not even a dangling link, is at a path.
    new_id : callable
        Returns a new id.
    """

    def __init__(
        self,
        store: CataloguedStore,
        roots: RootMap,
        *,
        is_gone: Callable[[Path], bool],
        new_id: Callable[[], TrackId],
    ) -> None:
        self._store = store
        self._roots = roots
        self._is_gone = is_gone
        self._new_id = new_id

    def is_open(self, file: FoundFile, analysis: Analysis, changed: Collection[Place]) -> bool:
        """Whether other files that changed have to be read before it can be said which track one is.

        It is if it has other audio than before, or audio that was in one of them.

        Parameters
        ----------
        file : FoundFile
            As scanned.
        analysis : Analysis
            Of the file as it is now.
        changed : collection of Place
            Where files of stored tracks have changed.
        """
        if not changed or file.stored is not None:
            return False
        if file.place in changed:
            own = self._store.track_at(file.location, file.part)
            return own is not None and own.audio_hash != analysis.audio_hash
        twins = self._store.tracks_with_hash(analysis.audio_hash)
        return any(track.file is not None and track.file.place in changed for track in twins)

    def displaced(self, files: Sequence[FoundFile]) -> set[TrackId]:
        """Return the tracks at the places of files, whose audio is there no more."""
        found = (self._store.track_at(file.location, file.part) for file in files)
        return {track.id for track in found if track is not None}

    def settle(
        self, file: FoundFile, analysis: Analysis, *, now: datetime, moved: TrackId | None = None
    ) -> tuple[Track | None, Track]:
        """Return the stored track that this file is, if any, and the track as it is from now on.

        Parameters
        ----------
        file : FoundFile
            As scanned.
        analysis : Analysis
            Of the file.
        now : datetime
            When a new track was added.
        moved : TrackId or None
            The track that it is, if that is known.
        """
        former = (
            (self._store.track(moved) if moved else None)
            or self._store.track_at(file.location, file.part)
            or self._shifted(file, analysis.duration_ms)
            or self.moved(file.location, analysis.audio_hash)
            or self._awaited(file.location, analysis.tags)
        )
        imported = former.imported if former else None
        tags = analysis.tags if imported is None else analysis.tags.over(imported)
        track = Track(
            id=former.id if former else self._new_id(),
            file=TrackFile(
                location=file.location,
                target=file.target,
                stamp=file.stamp,
                tags_stamp=file.tags_stamp,
                audio_hash=analysis.audio_hash,
                media_type=analysis.media_type,
                part=file.part,
            ),
            tags=tags,
            imported=imported,
            entry=former.entry if former and former.tags == tags else own_entry(tags),
            title=tags.title or title_from_path(file.location),
            duration_ms=analysis.duration_ms,
            added_at=former.added_at if former else now,
        )
        return former, track

    def settle_import(
        self,
        imported: Tags,
        *,
        duration_ms: DurationMs,
        now: datetime,
        found: Sequence[Track] | None = None,
    ) -> tuple[Track | None, Track]:
        """Return the stored track that an import describes, if any, and the track as it is from now on.

        It is the one that an import with one of these ids has described before, else the first that bears
        one: with audio first or metadata first, there is one track, with the same tags.

        Parameters
        ----------
        imported : Tags
            What the import says; without an id of the track it is a new one.
        duration_ms : DurationMs
            As the import says; that of audio counts more.
        now : datetime
            When a new track was added.
        found : sequence of Track, optional
            Those that bear one of its ids, by (added_at, id), if they have been read already.
        """
        ids = imported.track_ids
        if found is None:
            found = self._store.tracks_with_ids(ids) if ids else ()
        former = min(found, key=lambda track: not _was_imported(track, ids), default=None)
        if former is None:
            return None, Track(
                id=self._new_id(),
                file=None,
                tags=imported,
                imported=imported,
                entry=own_entry(imported),
                title=imported.title or "",
                duration_ms=duration_ms,
                added_at=now,
            )
        tags = former.tags.over(imported) if former.has_audio else imported
        was_other = former.has_audio and former.imported not in (None, imported)
        track = replace(
            former,
            tags=tags,
            imported=imported,
            # What an import said before is among the tags: the file says again what is its own.
            tags_version=0 if was_other else former.tags_version,
            entry=former.entry if former.tags == tags else own_entry(tags),
            title=tags.title or former.title,
            duration_ms=former.duration_ms if former.has_audio else duration_ms,
            vanished_at=former.vanished_at if former.has_audio else None,
        )
        return former, track

    def _shifted(self, file: FoundFile, duration_ms: DurationMs) -> Track | None:
        """Return the part of the same file that this one is by another sheet, which bounds it otherwise.

        Parts of one sheet do not overlap, so what overlaps a new one is of the sheet before.
        """
        if file.part is None:
            return None
        of_file = self._store.tracks_under(file.location.root, file.location.path)
        others = [(track, track.file.part) for track in of_file if track.file and track.file.part]
        shared = [(_shared(part, track.duration_ms, file.part, duration_ms), track) for track, part in others]
        found, track = max(shared, key=lambda one: one[0], default=(0.0, None))
        return track if found > _MOSTLY else None

    def moved(
        self,
        location: Location,
        audio_hash: AudioHash,
        *,
        displaced: Container[TrackId] = (),
        claimed: Container[TrackId] = (),
    ) -> Track | None:
        """Return the track whose audio a file has, if it is where it was no more.

        Parameters
        ----------
        location : Location
            Where the file is.
        audio_hash : AudioHash
            Of its audio.
        displaced : container of TrackId
            Tracks at whose places other audio is.
        claimed : container of TrackId
            Tracks that other files are.
        """
        name = _file_name(location)
        found = [(track, track.file) for track in self._store.tracks_with_hash(audio_hash)]
        gone = [
            (track, file)
            for track, file in found
            if file is not None
            and track.id not in claimed
            and (track.id in displaced or self._has_left(file))
        ]

        def is_unlikely(one: tuple[Track, TrackFile]) -> tuple[bool, bool]:
            """Of several lost copies, first one that was there until now, then one of the same name."""
            track, file = one
            return track.is_vanished, _file_name(file.location) != name

        return min(gone, key=is_unlikely, default=(None, None))[0]

    def _awaited(self, location: Location, tags: Tags) -> Track | None:
        """Return the track without a file that has one of the tags' external ids, or FMA's of the file."""
        by_name = fma_id_at(location)
        ids = tags.track_ids | ({by_name} if by_name else set())
        found = self._store.tracks_with_ids(ids) if ids else ()
        return next((track for track in found if track.file is None), None)

    def _has_left(self, file: TrackFile) -> bool:
        path = self._roots.path_of(file.location)
        return path is not None and self._is_gone(path)


def _shared(one: Part, one_ms: int, other: Part, other_ms: int) -> float:
    """Return which share of the longer of two parts is in the other, too; their lengths are given."""
    start, end = max(one.start_ms, other.start_ms), min(one.start_ms + one_ms, other.start_ms + other_ms)
    return max(0, end - start) / max(one_ms, other_ms, 1)


def _was_imported(track: Track, ids: Collection[ExternalId]) -> bool:
    return track.imported is not None and not track.imported.track_ids.isdisjoint(ids)


def title_from_path(location: Location) -> str:
    """Return a file's name without its ending, for a track whose tags have no title."""
    return PurePosixPath(_file_name(location)).stem


def _file_name(location: Location) -> str:
    return location.path.rsplit(b"/", 1)[-1].decode(errors="replace")

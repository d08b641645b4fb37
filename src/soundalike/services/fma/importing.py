"""Importing FMA's metadata and features: run twice, it changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar

import numpy as np

from soundalike.domain.batches import batched
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.features import FeatureSchema, Patch, PatchRole
from soundalike.domain.files import NOWHERE
from soundalike.domain.fma import BadRow, FmaTrack, Trouble, fma_id, fma_id_at
from soundalike.domain.ports.fma import FmaMetadata
from soundalike.domain.ports.library import CataloguedStore, OnProgress
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tags import ExternalId, ExternalIdKind
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, RelativePath, TrackId
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap

MOST_NAMED = 1_000
"""So many rows of each trouble are named; all are counted."""

_BATCH = 500

_CLIP = Patch(PatchRole.WHOLE, 0, 30_000)
"""What FMA's features describe: one of its clips."""


@dataclass(slots=True)
class FmaReport:
    """Result of an import.

    Parameters
    ----------
    files, missing : sequence of str
        Files that were there, and those of FMA's that were not.
    added, changed, unchanged : int
        Tracks that are new, are described in another way now, and are as they were.
    feature_set : str or None
        The key of the feature set.
    featured, refeatured : int
        Tracks that have features of it, and how many of them got new ones.
    subsets : mapping of str to list of int
        FMA's ids of the tracks in each of its subsets.
    troubles : Counter
        How many rows had each trouble.
    named : mapping of Trouble to list of BadRow
        The first of them.
    """

    files: Sequence[str]
    missing: Sequence[str]
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    feature_set: str | None = None
    featured: int = 0
    refeatured: int = 0
    subsets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    troubles: Counter[Trouble] = field(default_factory=Counter)
    named: dict[Trouble, list[BadRow]] = field(default_factory=lambda: defaultdict(list))

    @property
    def tracks(self) -> int:
        """How many tracks the files describe."""
        return self.added + self.changed + self.unchanged

    def note(self, row: BadRow) -> None:
        """Count a bad row, and name it unless there are very many."""
        self.troubles[row.trouble] += 1
        if len(self.named[row.trouble]) < MOST_NAMED:
            self.named[row.trouble].append(row)


class FmaImporter:
    """Imports FMA's files into a store.

    Parameters
    ----------
    store : CataloguedStore
        Where to.
    roots : RootMap
        Locates folders of audio.
    identity : Identity
        Decides which track an import describes.
    clock : callable
        Returns the time, UTC.
    """

    def __init__(
        self,
        store: CataloguedStore,
        *,
        roots: RootMap,
        identity: Identity,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._roots = roots
        self._identity = identity
        self._clock = clock

    def take(self, metadata: FmaMetadata, *, progress: OnProgress) -> FmaReport:
        """Import tracks, then their features, and settle the catalogue.

        Some hundred tracks are stored at a time: an interrupted import is continued by the next.

        Parameters
        ----------
        metadata : FmaMetadata
            What to import.
        progress : callable
            Called with (done, 0) tracks, then (done, total) features.

        Raises
        ------
        FmaError
            If a file cannot be read, or is not FMA's; what was imported before it stays.
        """
        schema = metadata.feature_set()  # first: a wrong file is found before anything is stored
        report = FmaReport(
            metadata.files, metadata.missing, feature_set=None if schema is None else schema.key
        )
        track_ids = self._take_tracks(metadata, self._with_audio(), report, progress)
        if schema is not None:
            self._take_features(metadata, schema, track_ids, report, progress)
        settle_catalogue(self._store)
        return report

    def _with_audio(self) -> dict[ExternalId, TrackId]:
        """Return the tracks whose audio lies by FMA's rule, wherever that is."""
        found: dict[ExternalId, TrackId] = {}
        for root in self._roots.roots():
            for track in self._store.tracks_under(root.name, RelativePath(b"")):
                one = track.file and fma_id_at(track.file.location)
                if one:
                    found.setdefault(one, track.id)
        return found

    def _take_tracks(
        self,
        metadata: FmaMetadata,
        with_audio: Mapping[ExternalId, TrackId],
        report: FmaReport,
        progress: OnProgress,
    ) -> dict[int, TrackId]:
        """Store the tracks; return FMA's ids of all of them with ours."""
        track_ids: dict[int, TrackId] = {}
        for batch in batched(_good(metadata.tracks(), report), _BATCH):
            found = self._found([fma_id(one.number) for one in batch], with_audio)
            new: list[Track] = []
            for one in batch:
                former, track = self._settled(one, found[fma_id(one.number)])
                track_ids[one.number] = track.id
                report.subsets[(one.tags.dataset or {}).get("subset", "")].append(one.number)
                if former is None:
                    new.append(track)
                    report.added += 1
                elif former == track:
                    report.unchanged += 1
                else:
                    track_ids[one.number] = self._change(one, former, track)
                    report.changed += 1
            self._store.save_stored_tracks(new)
            progress(len(track_ids), 0)
        return track_ids

    def _found(
        self, ids: Sequence[ExternalId], with_audio: Mapping[ExternalId, TrackId]
    ) -> defaultdict[ExternalId, list[Track]]:
        """Return the stored tracks by FMA's id: those that bear it, else the one with its audio."""
        found: defaultdict[ExternalId, list[Track]] = defaultdict(list)
        for track in self._store.tracks_with_ids(ids):
            for value in track.tags.ids(ExternalIdKind.FMA):
                found[ExternalId(ExternalIdKind.FMA, value)].append(track)
        heard = {one: with_audio[one] for one in ids if one in with_audio and one not in found}
        tracks = self._store.tracks(heard.values()) if heard else {}
        for one, track_id in heard.items():
            if track_id in tracks:
                found[one].append(tracks[track_id])
        return found

    def _settled(self, one: FmaTrack, found: Sequence[Track] | None) -> tuple[Track | None, Track]:
        return self._identity.settle_import(
            one.tags, duration_ms=one.duration_ms, now=self._clock(), found=found
        )

    def _change(self, one: FmaTrack, former: Track, track: Track) -> TrackId:
        """Store a track that was there; if a scan has given it a file meanwhile, what it is by now."""
        for _ in range(_ATTEMPTS):
            place = NOWHERE if former.file is None else former.file.location
            try:
                self._store.save_track(track, moved_from=place)
            except TrackConflictError:
                stored = self._store.track(former.id)
                again, track = self._settled(one, None if stored is None else [stored])
                former = again or track
            else:
                break
        return track.id

    def _take_features(
        self,
        metadata: FmaMetadata,
        schema: FeatureSchema,
        track_ids: Mapping[int, TrackId],
        report: FmaReport,
        progress: OnProgress,
    ) -> None:
        known = self._store.ids_with_vectors(schema)
        stored = {one.track_id: _digest(one.vectors.summary) for one in self._store.track_vectors(schema)}
        first = StoredVectors(  # its fingerprint is over 518 names: it is computed once
            track_id=TrackId(""),
            feature_set=schema.name,
            version=schema.version,
            fingerprint=schema.fingerprint,
            patches=(_CLIP,),
            values=np.zeros((1, len(schema)), np.float32),
        )
        seen: set[int] = set()
        for numbers, values in _good(metadata.features(schema), report):
            new = []
            for number, row in zip(numbers.tolist(), values, strict=True):
                track_id = track_ids.get(number)
                if track_id is None:
                    report.note(BadRow("", 0, Trouble.NO_TRACK, number))
                    continue
                if number in seen:
                    report.note(BadRow("", 0, Trouble.TWICE, number))
                    continue
                seen.add(number)
                report.featured += 1
                digest = stored.get(track_id) or (track_id in known and self._stored(track_id, schema))
                if digest != _digest(row):
                    new.append(replace(first, track_id=track_id, values=row[np.newaxis].copy()))
            report.refeatured += len(new)
            self._store.save_stored_vectors(new)
            progress(report.featured, len(track_ids))

    def _stored(self, track_id: TrackId, schema: FeatureSchema) -> bytes | None:
        """Return the digest of what is stored of a track that has vanished, which is read with no others."""
        found = self._store.vectors_of(track_id, schema)
        return None if found is None else _digest(found.summary)


def _digest(row: FloatArray) -> bytes:
    return blake2b(row.astype("<f4").tobytes(), digest_size=16).digest()


_ATTEMPTS = 5

_T = TypeVar("_T")


def _good(found: Iterable[_T | BadRow], report: FmaReport) -> Iterator[_T]:
    """Yield all but the bad rows, which are noted."""
    for each in found:
        if isinstance(each, BadRow):
            report.note(each)
        else:
            yield each

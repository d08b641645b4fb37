"""Analysing files, and storing the tracks that they are."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from soundalike.domain.errors import TrackConflictError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import (
    NOWHERE,
    Analysis,
    AnalysisFailure,
    FileProblem,
    FoundFile,
    Location,
    OwnParts,
    Place,
    ProblemReason,
    TrackFile,
)
from soundalike.domain.ports.audio import Analysed, Analyser, KnownAudio
from soundalike.domain.ports.library import CataloguedStore, OnProgress
from soundalike.domain.tracks import Track, set_aside
from soundalike.domain.types import RelativePath, TrackId
from soundalike.services.library.identity import Identity
from soundalike.services.library.roots import RootMap

_MOST_OPEN = 2_000
"""Files whose track is not known yet that are kept in memory, with their features."""


@dataclass(slots=True)
class Tally:
    """What was done in one run, as a `SyncReport` counts it; whose problem is over; what has parts.

    Tracks were set aside if another's file is in their place; those whose file was not found have vanished.
    """

    analysed: set[Place] = field(default_factory=set)
    failed: set[Place] = field(default_factory=set)
    healed: list[Place] = field(default_factory=list)
    own_parts: dict[Place, list[FoundFile]] = field(default_factory=dict)
    set_aside: set[TrackId] = field(default_factory=set)
    added: int = 0
    moved: int = 0
    returned: int = 0
    unchanged: int = 0
    vanished: int = 0
    vanished_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the store had of the scanned folder before."""

    tracks: dict[Place, tuple[Track, TrackFile]]
    problems: dict[Place, FileProblem]
    sets: Sequence[FeatureSchema]
    analysed: frozenset[TrackId]
    """Which tracks have vectors of all those sets."""
    anew: frozenset[Location]
    """Files, and folders of files, that are read anew."""
    versions: str
    """As `Analyser.versions`."""

    def is_anew(self, file: FoundFile) -> bool:
        """Whether a file is read anew, whatever is known of it."""
        return bool(self.anew) and not self.anew.isdisjoint(file.location.upwards())

    def has_analysed(self, file: FoundFile) -> bool:
        """Whether a file did not change since all those sets were computed, and need not be analysed."""
        track, stored = self.tracks.get(file.place, (None, None))
        if track is None or stored is None or stored.stamp != file.stamp:
            return False
        problem = self.problems.get(file.place)
        is_outdated = problem is not None and problem.is_used and problem.read_by != self.versions
        return track.id in self.analysed and not (is_outdated or self.is_anew(file))


class FileIngest:
    """Analyses files, and stores what they are.

    Parameters
    ----------
    store, analyser
        The ports it uses.
    roots : RootMap
        Locates roots on this machine.
    identity : Identity
        Decides which track a file is.
    clock : callable
        Returns the time, UTC.
    """

    def __init__(
        self,
        store: CataloguedStore,
        analyser: Analyser,
        *,
        roots: RootMap,
        identity: Identity,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._analyser = analyser
        self._roots = roots
        self._identity = identity
        self._clock = clock

    def analyse(self, files: list[FoundFile], known: Known, *, tally: Tally, progress: OnProgress) -> None:
        """Analyse files, and store each as soon as its result is there, and it is known which track it is.

        Parameters
        ----------
        files : list of FoundFile
            As scanned.
        known : Known
            What the store has, and the feature sets to compute.
        tally : Tally
            What is done is added to it.
        progress : callable
            Called with (done, total) files.
        """
        if not files:
            return
        total, done = len(files), 0
        progress(0, total)
        changed = frozenset(
            file.place for file in files if file.stored is None and file.place in known.tracks
        )
        # If files swap names, what is stored of some audio may be replaced before its turn.
        nothing: KnownAudio = {}
        for audio in (nothing,) if known.anew else (self._known_audio(known.sets), nothing):
            left: list[FoundFile] = []
            opened: list[tuple[FoundFile, Analysis]] = []
            with closing(self._analyser.analyse(files, sets=known.sets, known=audio)) as results:
                for file, result in results:
                    if isinstance(result, Analysis) and self._identity.is_open(file, result, changed):
                        opened.append((file, result))
                    elif not self._store_result(file, result, known, tally):
                        left.append(file)
                        continue
                    done += 1
                    progress(done, total)
                    if len(opened) == _MOST_OPEN:
                        left += self._store_open(opened, known, tally)
                        opened.clear()
            left += self._store_open(opened, known, tally)
            files, done = left, total - len(left)
            if not files:
                return

    def _store_open(
        self, results: Sequence[tuple[FoundFile, Analysis]], known: Known, tally: Tally
    ) -> list[FoundFile]:
        """Store files that may have each other's audio; return those that have to be analysed again.

        A track goes where its audio is. Those that do come first, since others keep the place that is left.
        """
        displaced = self._identity.displaced([file for file, _ in results])
        moved: dict[Place, TrackId] = {}
        claimed: set[TrackId] = set()
        for file, result in results:
            audio_hash = result.audio_hash
            track = self._identity.moved(file.location, audio_hash, displaced=displaced, claimed=claimed)
            if track is not None:
                moved[file.place] = track.id
                claimed.add(track.id)
        left = []
        for file, result in sorted(results, key=lambda one: one[0].place not in moved):
            analysis = self._completed(result, known.sets)
            if analysis is None:
                left.append(file)
            else:
                self._store_analysis(file, analysis, tally, moved=moved.get(file.place))
        return left

    def _store_result(self, file: FoundFile, result: Analysed, known: Known, tally: Tally) -> bool:
        """Store what a file is; False if what was known of its audio is gone: then nothing is stored."""
        if isinstance(result, OwnParts):
            tally.own_parts[file.place] = [
                replace(file, part=part, sheet=tags, stored=None) for part, tags in result.parts
            ]
            return True
        if isinstance(result, Analysis) and file.stored is not None:
            self._store_tags(file, result, known, tally)
            return True
        if isinstance(result, AnalysisFailure):
            self._store_failure(file, result, tally)
            tally.analysed.add(file.place)
        elif (analysis := self._completed(result, known.sets)) is not None:
            self._store_analysis(file, analysis, tally)
        else:
            return False
        return True

    def _known_audio(self, sets: Sequence[FeatureSchema]) -> KnownAudio:
        """Return the audio that need not be analysed again, since nothing of it was missing."""
        marked = {
            track.audio_hash
            for root in self._roots.roots()
            for problem in self._store.problems_under(root.name, RelativePath(b""))
            if problem.is_used and (track := self._store.track_at(problem.location, problem.part))
        }
        return {each.key: self._store.hashes_with_vectors(each) - marked for each in sets}

    def _completed(self, analysis: Analysis, sets: Sequence[FeatureSchema]) -> Analysis | None:
        """Add what is known of audio that was not analysed again; None where it is no longer known."""
        vectors = list(analysis.vectors)
        computed = {each.schema for each in vectors}
        for schema in sets:
            if schema not in computed:
                known = self._store.vectors_with_hash(analysis.audio_hash, schema)
                if known is None:
                    return None
                vectors.append(known)
        analysis = replace(analysis, vectors=tuple(vectors))
        if computed:
            return analysis
        twins = self._store.tracks_with_hash(analysis.audio_hash)
        return replace(analysis, duration_ms=twins[0].duration_ms) if twins else None

    def _store_analysis(
        self, file: FoundFile, analysis: Analysis, tally: Tally, *, moved: TrackId | None = None
    ) -> None:
        if moved is not None:
            self._make_way(file, tally)
        former, track = self._save(file, analysis, moved)
        tally.analysed.add(file.place)
        tally.set_aside.discard(track.id)
        if analysis.is_truncated:
            cut = AnalysisFailure(
                reason=ProblemReason.HEADER_TOO_LONG, analysed_ms=analysis.analysed_ms, detail="used anyway"
            )
            self._save_problem(file, cut, is_used=True)
        tally.added += former is None
        if former is not None:
            tally.moved += _has_moved(former, track)
            tally.returned += former.is_vanished and not _has_moved(former, track)

    def _store_tags(self, file: FoundFile, analysis: Analysis, known: Known, tally: Tally) -> None:
        """Store the tags of a file whose audio did not change; its vectors and what is wrong with it stay."""
        former, _ = self._save(file, analysis)
        problem = known.problems.get(file.place)
        if problem is not None and problem.reason is not ProblemReason.UNREADABLE:
            self._store.save_problem(problem)
        is_back = former is not None and former.is_vanished
        tally.returned += is_back
        tally.unchanged += not is_back

    def _make_way(self, file: FoundFile, tally: Tally) -> None:
        """Set aside the track at a place that is another's; it has vanished unless its audio is found."""
        other = self._store.track_at(file.location, file.part)
        if other is not None:
            self._store.save_track(replace(set_aside(other), vanished_at=other.vanished_at or self._clock()))
            if not other.is_vanished:
                tally.set_aside.add(other.id)

    def _save(
        self, file: FoundFile, analysis: Analysis, moved: TrackId | None = None
    ) -> tuple[Track | None, Track]:
        """Store the track that a file is; return the track as it was, if there was one, and as it is."""
        try:
            return self._save_once(file, analysis, moved)
        except TrackConflictError:
            # Another process has stored the same file meanwhile: the second attempt finds its track.
            return self._save_once(file, analysis, None)

    def _save_once(
        self, file: FoundFile, analysis: Analysis, moved: TrackId | None
    ) -> tuple[Track | None, Track]:
        former, track = self._identity.settle(file, analysis, now=self._clock(), moved=moved)
        moved_from = _place_before(former, track)
        self._store.save_track(track, *analysis.vectors, moved_from=moved_from)
        return former, track

    def _store_failure(self, file: FoundFile, result: AnalysisFailure, tally: Tally) -> None:
        track = self._store.track_at(file.location, file.part)
        stored = track.file if track else None
        # What other sets have of the same audio is still right.
        is_used = bool(track and stored and stored.stamp == file.stamp and self._has_vectors(track))
        if track and stored and not is_used and result.reason is not ProblemReason.UNREADABLE:
            self._store.drop_vectors(track.id)
            present = replace(stored, stamp=file.stamp, target=file.target)
            self._store.save_track(replace(track, file=present, vanished_at=None))
        if result.listed is not None and not is_used:
            former, _ = self._save(file, result.listed)
            tally.added += former is None
        self._save_problem(file, result, is_used=is_used)
        if not is_used:
            tally.failed.add(file.place)

    def _save_problem(self, file: FoundFile, failure: AnalysisFailure, *, is_used: bool) -> None:
        problem = FileProblem(
            location=file.location,
            part=file.part,
            reason=failure.reason,
            analysed_ms=failure.analysed_ms,
            detail=failure.detail,
            is_used=is_used,
            stamp=file.stamp,
            read_by=self._analyser.versions,
        )
        self._store.save_problem(problem)

    def _has_vectors(self, track: Track) -> bool:
        sets = (schema for sets in self._analyser.passes for schema in sets)
        return any(self._store.vectors_of(track.id, schema) is not None for schema in sets)


def _place_before(former: Track | None, track: Track) -> Location | None:
    """Return where a track's file must still be for the track to be given the file that it has now."""
    if former is None:
        return None
    if former.file is None:
        return NOWHERE
    return former.file.location if _has_moved(former, track) else None


def _has_moved(former: Track, track: Track) -> bool:
    """Whether a track's file is at another place than before; one that had no file has not moved."""
    return bool(former.file and track.file and former.file.place != track.file.place)

"""Bringing the store in step with a folder of music; what was done is not done again."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Self

from soundalike.domain.counts import counted
from soundalike.domain.errors import RootMissingError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import (
    FileProblem,
    FoundFile,
    LeftOutReason,
    Location,
    Place,
    ProblemReason,
    StoredAudio,
)
from soundalike.domain.ports.audio import Analyser, FileScanner, Scanned
from soundalike.domain.ports.library import CataloguedStore, OnProgress
from soundalike.domain.tags import TAGS_VERSION
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.identity import Identity
from soundalike.services.library.ingest import FileIngest, Known, Tally
from soundalike.services.library.own_parts import as_known_parts
from soundalike.services.library.roots import RootMap


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """Result of one run over a folder.

    Parameters
    ----------
    directory : Path
        The folder.
    found : int
        Audio files in it, usable or not.
    analysed, failed : int
        Files, and parts of files, that were read, and those of them that cannot be used.
    analysed_files : int
        Files that were read and can be used, as a whole or in all their parts.
    added, moved, returned, unchanged, vanished : int
        Tracks that are new, have another path, came back, did not change, and are missing.
    problems : tuple of FileProblem
        Every stored problem with files of the folder, by location.
    left_out : mapping of LeftOutReason to int
        How many files and folders were left out, with all that is in them.
    vanished_left_out : int
        How many of the vanished tracks are in what was left out.
    """

    directory: Path
    found: int
    analysed: int
    failed: int
    analysed_files: int
    added: int
    moved: int
    returned: int
    unchanged: int
    vanished: int
    problems: tuple[FileProblem, ...]
    left_out: Mapping[LeftOutReason, int]
    vanished_left_out: int

    @property
    def unusable(self) -> int:
        """How many of the files cannot be used, whenever that was found out."""
        return len(_unusable(self.problems))

    def counts(self) -> dict[ProblemReason, int]:
        """Count the problems by reason."""
        reasons = [problem.reason for problem in self.problems]
        return {reason: reasons.count(reason) for reason in ProblemReason if reason in reasons}


@dataclass(frozen=True, slots=True)
class _Scan:
    """What is in the folder now."""

    files: list[FoundFile]
    problems: list[FileProblem]
    unreadable: frozenset[Location]
    left_out: Mapping[Location, LeftOutReason]

    @classmethod
    def of(cls, found: Iterable[Scanned]) -> Self:
        """Gather what a scanner found."""
        files, problems, left_out = [], [], {}
        for each in found:
            if isinstance(each, FoundFile):
                files.append(each)
            elif isinstance(each, FileProblem):
                problems.append(each)
            else:
                left_out[each.location] = each.reason
        unreadable = (each.location for each in problems if each.reason is ProblemReason.UNREADABLE)
        return cls(files, problems, frozenset(unreadable), left_out)

    @property
    def unusable(self) -> list[FileProblem]:
        """What is no file that can be used; a broken sheet is beside one."""
        return [one for one in self.problems if one.reason is not ProblemReason.BROKEN_SHEET]

    def places(self) -> set[Place]:
        """Return every file, and part of one, that the scan found."""
        return {file.place for file in self.files} | {problem.place for problem in self.problems}

    def hides(self, location: Location) -> bool:
        """Whether it, or a folder above, could not be read, so that nothing is known of it."""
        return bool(self.unreadable) and any(each in self.unreadable for each in location.upwards())

    def leaves_out(self, location: Location) -> bool:
        """Whether it, or a folder above, is left out."""
        return bool(self.left_out) and any(each in self.left_out for each in location.upwards())


class LibrarySync:
    """Keeps the store in step with folders of music.

    Parameters
    ----------
    store, scanner, analyser
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
        scanner: FileScanner,
        analyser: Analyser,
        *,
        roots: RootMap,
        identity: Identity,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._scanner = scanner
        self._analyser = analyser
        self._roots = roots
        self._ingest = FileIngest(store, analyser, roots=roots, identity=identity, clock=clock)
        self._clock = clock

    def sync(
        self,
        directory: Path,
        *,
        progress: OnProgress,
        is_emptying_allowed: bool = False,
        again: Path | None = None,
    ) -> SyncReport:
        """Bring the store in step with a folder.

        Each file is stored as soon as it has been analysed, so that an interrupted run continues where
        it stopped. Feature sets that can wait are computed for all files after the more urgent ones.
        Tracks are marked as vanished only after the whole folder has been scanned.

        Parameters
        ----------
        directory : Path
            Absolute and without links.
        progress : callable
            Called with (done, total) files.
        is_emptying_allowed : bool
            Accept that a folder which had tracks has none any more.
        again : Path or None
            The file, or the folder of files, of which everything is read anew, whatever is known of it.

        Raises
        ------
        RootMissingError
            If the folder is missing, or has no audio although it had tracks: perhaps its disk is not
            mounted. Nothing is changed then.
        """
        scan = self._scan(directory)
        urgent, *later = self._analyser.passes
        anew = frozenset(self._roots.scope(again)) if again else frozenset()
        known = self._known(directory, urgent, anew)
        if not is_emptying_allowed:
            self._refuse_emptied(directory, scan, known)
        tally = Tally()
        for problem in scan.problems:
            self._store.save_problem(problem)
        scan = replace(scan, files=list(as_known_parts(scan.files, known)))
        self._analyse(scan.files, known, tally=tally, progress=progress)
        self._analyse(chain.from_iterable(tally.own_parts.values()), known, tally=tally, progress=progress)
        files = (tally.own_parts.get(file.place, [file]) for file in scan.files)
        scan = replace(scan, files=list(chain.from_iterable(files)))
        self._settle_missing(scan, known, tally)
        settle_catalogue(self._store)
        for sets in later:  # which can take hours: all else is done
            self._analyse_later(scan, self._known(directory, sets, anew), tally=tally, progress=progress)
            settle_catalogue(self._store)
        return self._report(directory, scan, tally)

    def _analyse(
        self, files: Iterable[FoundFile], known: Known, *, tally: Tally, progress: OnProgress
    ) -> None:
        waiting = [_to_read(file, known) for file in files if not self._is_done(file, known, tally)]
        self._ingest.analyse(waiting, known, tally=tally, progress=progress)

    def adopt(self, directory: Path) -> None:
        """Make a folder a root, unless it is below one already.

        Parameters
        ----------
        directory : Path
            Absolute and without links.

        Raises
        ------
        RootMissingError
            If the folder is missing.
        """
        _check_folder(directory)
        if not self._roots.holds(directory):
            self._roots.adopt(directory)

    def _scan(self, directory: Path) -> _Scan:
        if not self._roots.holds(directory):
            self.adopt(directory)
        return _Scan.of(self._scanner.scan(directory, self._roots.roots()))

    def _known(self, directory: Path, sets: Sequence[FeatureSchema], anew: frozenset[Location]) -> Known:
        return Known(
            tracks={
                track.file.place: (track, track.file)
                for folder in self._roots.scope(directory)
                for track in self._store.tracks_under(folder.root, folder.path)
                if track.file is not None
            },
            problems={problem.place: problem for problem in self._problems(directory)},
            sets=sets,
            analysed=self._with_all(sets),
            anew=anew,
            versions=self._analyser.versions,
        )

    def _with_all(self, sets: Sequence[FeatureSchema]) -> frozenset[TrackId]:
        return frozenset.intersection(*(self._store.ids_with_vectors(each) for each in sets))

    def _refuse_emptied(self, directory: Path, scan: _Scan, known: Known) -> None:
        """Raise if the folder, or a root below it, had tracks and now has no audio at all."""
        before = Counter(
            file.location.root
            for track, file in known.tracks.values()
            if not (track.is_vanished or scan.leaves_out(file.location))
        )
        found = {file.location.root for file in scan.files}
        unread = (one.detail for one in scan.problems if one.reason is ProblemReason.UNREADABLE)
        why = next((f" ({detail})" for detail in unread if detail), "")
        if before and not found:
            raise _emptied(directory, before.total(), why)
        for root in self._roots.roots():
            if directory in root.location.parents and root.name in before and root.name not in found:
                raise _emptied(root.location, before[root.name], why)

    def _is_done(self, file: FoundFile, known: Known, tally: Tally) -> bool:
        """Whether the file did not change; a track that came back is marked as present."""
        track, stored = known.tracks.get(file.place, (None, None))
        if track and stored and known.has_analysed(file):
            if _are_tags_old(track, file):
                return False
            if track.is_vanished or stored.target != file.target:
                present = replace(stored, target=file.target)
                self._store.save_track(replace(track, vanished_at=None, file=present))
            tally.returned += track.is_vanished
            tally.unchanged += not track.is_vanished
            problem = known.problems.get(file.place)
            if problem is not None and not problem.is_used:  # it could not be read for a while
                tally.healed.append(file.place)
            return True
        is_hopeless = _fails_again(file, known, is_used=False)
        if track and is_hopeless and known.problems[file.place].reason is ProblemReason.SILENT:
            is_hopeless = not _are_tags_old(track, file)  # it is listed all the same
        tally.unchanged += is_hopeless
        return is_hopeless

    def _analyse_later(self, scan: _Scan, known: Known, *, tally: Tally, progress: OnProgress) -> None:
        """Compute feature sets for the tracks that have all more urgent ones."""
        ready = self._with_all(self._analyser.passes[0])
        places = {place for place, (track, _) in known.tracks.items() if track.id in ready}
        waiting = [
            file
            for file in scan.files
            if file.place in places
            and not known.has_analysed(file)
            and not _fails_again(file, known, is_used=True)
        ]
        self._ingest.analyse(waiting, known, tally=tally, progress=progress)

    def _settle_missing(self, scan: _Scan, known: Known, tally: Tally) -> None:
        seen = {file.place for file in scan.files}
        missing = [
            track.id
            for place, (track, _) in known.tracks.items()
            if not track.is_vanished and place not in seen and not scan.hides(place.location)
        ]
        # A track that was found at another path is not missing.
        now = {track.id: track.file for track in self._store.tracks(missing).values()}
        gone = [track_id for track_id in missing if (file := now[track_id]) and file.place not in seen]
        tally.vanished = len(tally.set_aside) + self._store.mark_vanished(gone, to_ms(self._clock()))
        tally.vanished_left_out = sum(
            1 for one in gone if (file := now[one]) and scan.leaves_out(file.location)
        )
        stale = known.problems.keys() - scan.places()
        self._store.remove_problems(
            [*tally.healed, *(place for place in stale if not scan.hides(place.location))]
        )

    def _problems(self, directory: Path) -> Iterator[FileProblem]:
        """Yield every stored problem with files of a folder."""
        for folder in self._roots.scope(directory):
            yield from self._store.problems_under(folder.root, folder.path)

    def _report(self, directory: Path, scan: _Scan, tally: Tally) -> SyncReport:
        problems = sorted(self._problems(directory), key=lambda problem: problem.location)
        unusable = _unusable(problems)
        return SyncReport(
            directory=directory,
            found=len({file.location for file in scan.files} | {one.location for one in scan.unusable}),
            analysed=len(tally.analysed),
            failed=len(tally.failed),
            analysed_files=len({place.location for place in tally.analysed} - unusable),
            added=tally.added,
            moved=tally.moved,
            returned=tally.returned,
            unchanged=tally.unchanged,
            vanished=tally.vanished,
            problems=tuple(problems),
            left_out=Counter(scan.left_out.values()),
            vanished_left_out=tally.vanished_left_out,
        )


def _unusable(problems: Iterable[FileProblem]) -> set[Location]:
    return {one.location for one in problems if not (one.is_used or one.reason.is_listed)}


def _check_folder(directory: Path) -> None:
    try:
        is_folder = directory.is_dir()
    except OSError as error:
        msg = f"the folder {directory} cannot be reached: {error.strerror}; is its disk mounted?"
        raise RootMissingError(msg) from error
    if not is_folder:
        msg = f"{str(directory)!r} is not a folder; give the folder with the music"
        raise RootMissingError(msg)


def _are_tags_old(track: Track, file: FoundFile) -> bool:
    """Whether the tags of a track's file are to be read again."""
    return track.tags_version < TAGS_VERSION or (
        track.file is not None and track.file.tags_stamp != file.tags_stamp
    )


def _fails_again(file: FoundFile, known: Known, *, is_used: bool) -> bool:
    """Whether nothing changed since the file failed, in all feature sets or, if used, in some."""
    problem = known.problems.get(file.place)
    return (
        problem is not None
        and not known.is_anew(file)
        and (problem.stamp, problem.is_used, problem.read_by) == (file.stamp, is_used, known.versions)
        and not problem.reason.is_worth_retrying
        and problem.reason is not ProblemReason.HEADER_TOO_LONG  # whose track has been analysed
    )


def _to_read(file: FoundFile, known: Known) -> FoundFile:
    """Return the file, marked if only its tags have to be read."""
    track, stored = known.tracks.get(file.place, (None, None))
    if track is None or stored is None or not known.has_analysed(file):
        return file
    return replace(file, stored=StoredAudio(stored.audio_hash, stored.media_type, track.duration_ms))


def _emptied(place: Path, track_count: int, why: str) -> RootMissingError:
    return RootMissingError(
        f"{str(place)!r} has no audio{why}, but had {counted(track_count, 'track')}: is its disk mounted? "
        "Nothing was changed; if they are gone for good, run 'soundalike extract' with --emptied"
    )

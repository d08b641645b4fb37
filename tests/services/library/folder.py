"""A folder of pretended music: text files with the title in the first line and the audio in the rest."""

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

from making import make_schema, make_vectors
from soundalike.domain.errors import RootMissingError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import (
    Analysis,
    AnalysisFailure,
    FileProblem,
    FileStamp,
    FoundFile,
    LeftOut,
    LeftOutReason,
    Location,
    OwnParts,
    Part,
    ProblemReason,
    Root,
)
from soundalike.domain.ports.audio import Analysed, KnownAudio, Scanned
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.types import AudioHash, DurationMs, RelativePath

SCHEMA = make_schema()


def write_song(path: Path, *, audio: str, title: str | None = None) -> Path:
    """Write a file for `HonestAnalyser`; the audio decides hash and vectors; `title` may end with #ISRC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{title or ''}\n{audio}", encoding="utf-8")
    return path


class FolderScanner:
    """Every file is audio; names that end in .fifo are not regular, .locked folders cannot be listed.

    What is in `failing` cannot be read for now, what is in `ignored` is left out.
    """

    def __init__(self) -> None:
        self.parts: dict[str, list[Part]] = {}
        self.failing: set[str] = set()
        self.ignored: set[str] = set()
        self.tags_stamp = ""

    def scan(self, directory: Path, roots: Sequence[Root]) -> Iterator[Scanned]:
        if not directory.is_dir():
            msg = f"{directory} is not a folder"
            raise RootMissingError(msg)
        for folder, folders, names in os.walk(directory):
            for name in self.ignored & {*folders, *names}:
                (folders if name in folders else names).remove(name)
                yield LeftOut(_locate(Path(folder, name), roots), LeftOutReason.IGNORED)
            for name in [each for each in folders if each.endswith(".locked") or each in self.failing]:
                folders.remove(name)
                yield FileProblem(
                    location=_locate(Path(folder, name), roots), reason=ProblemReason.UNREADABLE
                )
            for name in names:
                path = Path(folder, name)
                if name in self.failing:
                    yield FileProblem(
                        location=_locate(path, roots), reason=ProblemReason.UNREADABLE, detail="it fails"
                    )
                    continue
                if name.endswith(".fifo"):
                    yield FileProblem(location=_locate(path, roots), reason=ProblemReason.NOT_REGULAR)
                    continue
                status = path.stat()
                for part in self.parts.get(name, [None]):
                    yield FoundFile(
                        location=_locate(path, roots),
                        real_path=path.resolve(),
                        is_linked=path.is_symlink(),
                        stamp=FileStamp(status.st_size, status.st_mtime_ns),
                        tags_stamp=(self.tags_stamp or str(status.st_ctime_ns)) + " sheet" * bool(part),
                        part=part,
                    )


class HonestAnalyser:
    """Analyses such files, and remembers which."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.computed: list[str] = []
        self.passes: list[list[FeatureSchema]] = [[SCHEMA]]
        self.extracted: list[tuple[str, str]] = []
        self.stops_after: int | None = None
        self.stops_with: type[BaseException] = KeyboardInterrupt
        self.failing: set[str] = set()
        self.versions = "reader 1"
        self.own_parts: dict[str, list[Part]] = {}

    def analyse(
        self, files: Iterable[FoundFile], *, sets: Sequence[FeatureSchema], known: KnownAudio
    ) -> Generator[tuple[FoundFile, Analysed], None, None]:
        for count, file in enumerate(files):
            if count == self.stops_after:
                raise self.stops_with
            self.heard.append(file.real_path.name)
            if file.part is None and file.real_path.name in self.own_parts:
                parts = self.own_parts[file.real_path.name]
                yield file, OwnParts(tuple((part, Tags(title=str(part.start))) for part in parts))
                continue
            yield file, self._result(file, sets, known)

    def _result(
        self, file: FoundFile, sets: Sequence[FeatureSchema], known: KnownAudio
    ) -> Analysis | AnalysisFailure:
        if file.real_path.name in self.failing:
            return AnalysisFailure(reason=ProblemReason.UNREADABLE)
        title, _, audio = file.real_path.read_text(encoding="utf-8").partition("\n")
        title, _, isrc = title.partition(" #")
        tags = Tags(
            title=title or None,
            artists=("Somebody",),
            external_ids=(ExternalId(ExternalIdKind.ISRC, isrc),) if isrc else (),
        )
        if file.stored is not None:
            return Analysis(
                tags=tags,
                audio_hash=file.stored.audio_hash,
                duration_ms=file.stored.duration_ms,
                media_type=file.stored.media_type,
                analysed_ms=DurationMs(0),
                vectors=(),
            )
        if file.part is not None:
            is_bad = audio.startswith("bad part") and file.part.start == 0
            audio = "bad: shorter than 1 s" if is_bad else audio + str(file.part)
        audio_hash = AudioHash(hashlib.sha256(audio.encode()).hexdigest())
        if (failure := _failure(audio, tags, audio_hash)) is not None:
            return failure
        missing = [schema for schema in sets if audio_hash not in known.get(schema.key, ())]
        self.computed += [file.real_path.name] if missing else []
        self.extracted += [(file.real_path.name, schema.key) for schema in missing]
        for schema in missing:
            if audio.startswith(bad := f"bad for {schema.name}: "):
                return AnalysisFailure(reason=ProblemReason(audio.removeprefix(bad)), detail="died")
        return Analysis(
            tags=tags,
            audio_hash=audio_hash,
            duration_ms=_length_of(file.part),
            media_type="audio/mpeg",
            analysed_ms=DurationMs(20_000),
            vectors=tuple(make_vectors(schema, seed=int(audio_hash[:8], 16)) for schema in missing),
            is_truncated=audio.startswith("cut short"),
        )


def _length_of(part: Part | None) -> DurationMs:
    return DurationMs(30_000 if part is None or part.end_ms is None else part.end_ms - part.start_ms)


def _locate(path: Path, roots: Sequence[Root]) -> Location:
    holders = [root for root in roots if path.is_relative_to(root.location)]
    root = max(holders, key=lambda each: len(each.location.parts))
    return Location(root.name, RelativePath(bytes(path.relative_to(root.location))))


def _failure(audio: str, tags: Tags, audio_hash: AudioHash) -> AnalysisFailure | None:
    """What the whole of such audio is refused for; a rest is listed all the same."""
    if audio.startswith("bad: "):
        return AnalysisFailure(reason=ProblemReason(audio.removeprefix("bad: ")), analysed_ms=DurationMs(400))
    if not audio.startswith("rest"):
        return None
    listed = Analysis(
        tags=tags,
        audio_hash=audio_hash,
        duration_ms=DurationMs(4_000),
        media_type="audio/mpeg",
        analysed_ms=DurationMs(4_000),
        vectors=(),
    )
    return AnalysisFailure(reason=ProblemReason.SILENT, listed=listed)

"""Analysing one file: recognise it, read its tags, hash it, decode it, extract features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from soundalike.audio.cue import tags_with_sheet
from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.extent import measure
from soundalike.audio.decoders.opening import open_decoder
from soundalike.audio.decoders.part import PartDecoder
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.excerpt import Excerpt, read_excerpt
from soundalike.audio.features.extractor import Extractor, Window
from soundalike.audio.files import NotRegularError, open_regular
from soundalike.audio.formats import Format, sniff
from soundalike.audio.hashing import audio_hash, part_hash
from soundalike.audio.observed import Activity, ObservedDecoder, OpenFile, observed_file
from soundalike.audio.tags import read_tags
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import (
    NOTHING_ANALYSED,
    Analysis,
    AnalysisFailure,
    FileStamp,
    FoundFile,
    ProblemReason,
    StoredAudio,
)
from soundalike.domain.ports.audio import KnownAudio
from soundalike.domain.tags import Tags
from soundalike.domain.types import AudioHash, DurationMs

WholeHashes = dict[tuple[Path, FileStamp], AudioHash]
"""The hash of the last file of which a part was analysed."""


def analyse_file(
    found: FoundFile,
    extractors: Sequence[Extractor],
    known: KnownAudio,
    *,
    activity: Activity | None = None,
    open_file: OpenFile = open_regular,
    hashes: WholeHashes | None = None,
) -> Analysis | AnalysisFailure:
    """Analyse one file.

    Parameters
    ----------
    found : FoundFile
        As scanned.
    extractors : sequence of Extractor
        The feature sets.
    known : KnownAudio
        Audio that needs no vectors of a set; of that which needs none at all the length is measured.
    activity : Activity or None
        Counts what has been done.
    open_file : callable
        Opens it.
    hashes : WholeHashes or None
        Spares reading a file whole for each of its parts.
    """
    activity = activity or Activity()
    try:
        with observed_file(found.real_path, open_file, activity) as file:
            if found.stored is not None:
                return _read_tags(file, found, found.stored)
            return _Analysis(file, found, activity, {} if hashes is None else hashes).run(extractors, known)
    except UnusableAudioError as error:
        return error.failure
    except NotRegularError:
        return AnalysisFailure(reason=ProblemReason.NOT_REGULAR, detail="it was a regular file at the scan")
    except OSError as error:
        return AnalysisFailure(reason=ProblemReason.UNREADABLE, detail=error.strerror or str(error))


def _read_tags(file: BinaryIO, found: FoundFile, stored: StoredAudio) -> Analysis:
    return Analysis(
        tags=_tags(file, found),
        audio_hash=stored.audio_hash,
        duration_ms=stored.duration_ms,
        media_type=stored.media_type,
        analysed_ms=NOTHING_ANALYSED,
        vectors=(),
    )


def _tags(file: BinaryIO, found: FoundFile) -> Tags:
    tags = read_tags(file)
    return tags if found.sheet is None else tags_with_sheet(tags, found.sheet, is_part=found.part is not None)


class _Analysis:
    """The analysis of one open file, or of a part of it."""

    def __init__(self, file: BinaryIO, found: FoundFile, activity: Activity, hashes: WholeHashes) -> None:
        self._file, self._found, self._hashes = file, found, hashes
        self._sniffed = _sniffed(file)
        self._tags = _tags(file, found)
        # Before the hash, which reads the whole file: one that cannot be decoded needs none.
        decoder: Decoder = ObservedDecoder(open_decoder(file, self._sniffed), activity)
        self._decoder = decoder if found.part is None else PartDecoder(decoder, found.part)

    def run(self, extractors: Sequence[Extractor], known: KnownAudio) -> Analysis | AnalysisFailure:
        """Extract features where the audio is not known; a silent track has none, but is a track.

        Where nothing is known that it could be, the hash is only the audio's identity, and comes last.
        """
        may_be_known = any(known.get(one.schema.key) for one in extractors)
        digest = self._hash() if may_be_known else None
        missing = [one for one in extractors if digest not in known.get(one.schema.key, ())]
        if not missing:
            return self._measured(digest)
        try:
            return self._extracted(missing, digest)
        except UnusableAudioError as error:
            if error.failure.reason is not ProblemReason.SILENT:
                raise
            return replace(error.failure, listed=self._measured(digest))

    def _extracted(self, extractors: Sequence[Extractor], digest: AudioHash | None) -> Analysis:
        excerpts = _read_excerpts(self._decoder, extractors)
        excerpt = excerpts[min(excerpts)]
        vectors = tuple(_extract(one, excerpts[one.window]) for one in extractors)
        return Analysis(
            tags=self._tags,
            audio_hash=digest or self._hash(),
            duration_ms=excerpt.duration_ms,
            media_type=self._sniffed.media_type,
            analysed_ms=excerpt.analysed_ms,
            vectors=vectors,
            is_truncated=excerpt.is_truncated,
        )

    def _measured(self, digest: AudioHash | None) -> Analysis:
        extent = measure(self._decoder)
        duration_ms = DurationMs(extent.frames * 1_000 // self._decoder.rate)
        return Analysis(
            tags=self._tags,
            audio_hash=digest or self._hash(),
            duration_ms=duration_ms,
            media_type=self._sniffed.media_type,
            analysed_ms=DurationMs(min(duration_ms, Window.EXCERPT * 1_000)),
            vectors=(),
            is_truncated=extent.is_truncated,
        )

    def _hash(self) -> AudioHash:
        part, key = self._found.part, (self._found.real_path, self._found.stamp)
        if part is None:
            return audio_hash(self._file, self._sniffed.container)
        if key not in self._hashes:
            self._hashes.clear()  # parts of one file follow one another
            self._hashes[key] = audio_hash(self._file, self._sniffed.container)
        return part_hash(self._hashes[key], part)


def _read_excerpts(decoder: Decoder, extractors: Sequence[Extractor]) -> Mapping[Window, Excerpt]:
    """Decode once for each window, so that what a set gets does not depend on the others."""
    rates = {
        window: sorted({one.rate for one in extractors if one.window is window})
        for window in sorted({one.window for one in extractors})
    }
    return {window: read_excerpt(decoder, window, of_window) for window, of_window in rates.items()}


def _extract(extractor: Extractor, excerpt: Excerpt) -> FeatureVectors:
    return extractor.extract(excerpt.signals[extractor.rate], excerpt.start_ms)


def _sniffed(file: BinaryIO) -> Format:
    """Return what the file is.

    Raises
    ------
    UnusableAudioError
        If it is empty, or not audio; neither is a file of tags alone.
    """
    if not file.read(1):
        raise UnusableAudioError(ProblemReason.EMPTY)
    sniffed = sniff(file)
    if sniffed is None:
        raise UnusableAudioError(ProblemReason.NOT_AUDIO, "its content is not in a known audio format")
    return sniffed

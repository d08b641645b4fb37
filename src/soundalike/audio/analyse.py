"""Analysing one file: recognise it, hash it, read its tags, decode it, extract features."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from soundalike.audio.decoders.decoder import Decoder, open_decoder
from soundalike.audio.decoders.part import PartDecoder
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.excerpt import Excerpt, measure, read_excerpt
from soundalike.audio.features.extractor import Extractor, Window
from soundalike.audio.files import NotRegularError, open_regular
from soundalike.audio.formats import Format, sniff
from soundalike.audio.hashing import audio_hash, part_hash
from soundalike.audio.tags import read_tags
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import (
    NOTHING_ANALYSED,
    Analysis,
    AnalysisFailure,
    FoundFile,
    Part,
    ProblemReason,
    StoredAudio,
)
from soundalike.domain.ports.audio import KnownAudio
from soundalike.domain.types import DurationMs


def analyse_file(
    found: FoundFile, extractors: Sequence[Extractor], known: KnownAudio
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
    """
    try:
        with open_regular(found.real_path) as file:
            if found.stored is not None:
                return _read_tags(file, found.stored)
            return _analyse(file, found.part, extractors, known)
    except UnusableAudioError as error:
        return error.failure
    except NotRegularError:
        return AnalysisFailure(reason=ProblemReason.NOT_REGULAR, detail="it was a regular file at the scan")
    except OSError as error:
        return AnalysisFailure(reason=ProblemReason.UNREADABLE, detail=error.strerror or str(error))


def _read_tags(file: BinaryIO, stored: StoredAudio) -> Analysis:
    return Analysis(
        tags=read_tags(file),
        audio_hash=stored.audio_hash,
        duration_ms=stored.duration_ms,
        media_type=stored.media_type,
        analysed_ms=NOTHING_ANALYSED,
        vectors=(),
    )


def _analyse(
    file: BinaryIO, part: Part | None, extractors: Sequence[Extractor], known: KnownAudio
) -> Analysis:
    sniffed = _sniffed(file)
    digest = audio_hash(file, sniffed.container)
    tags = read_tags(file)
    decoder: Decoder = open_decoder(file, sniffed)
    if part is not None:
        digest, decoder = part_hash(digest, part), PartDecoder(decoder, part)
    missing = [one for one in extractors if digest not in known.get(one.schema.key, ())]
    if missing:
        excerpts = _read_excerpts(decoder, missing)
        excerpt = excerpts[min(excerpts)]
        duration_ms, analysed_ms = excerpt.duration_ms, excerpt.analysed_ms
        is_truncated = excerpt.is_truncated
        vectors = tuple(_extract(one, excerpts[one.window]) for one in missing)
    else:
        extent = measure(decoder)
        duration_ms = DurationMs(extent.frames * 1_000 // decoder.rate)
        analysed_ms, is_truncated = DurationMs(min(duration_ms, Window.EXCERPT * 1_000)), extent.is_truncated
        vectors = ()
    return Analysis(
        tags=tags,
        audio_hash=digest,
        duration_ms=duration_ms,
        media_type=sniffed.media_type,
        analysed_ms=analysed_ms,
        vectors=vectors,
        is_truncated=is_truncated,
    )


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

"""Analysing one file: recognise it, hash it, read its tags, decode it, extract features."""

from collections.abc import Collection
from typing import BinaryIO

from soundalike.audio.decoders.decoder import open_decoder
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.excerpt import EXCERPT_S, measure, read_excerpt
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.files import NotRegularError, open_regular
from soundalike.audio.formats import Format, sniff
from soundalike.audio.hashing import audio_hash
from soundalike.audio.tags import read_tags
from soundalike.domain.files import Analysis, AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.types import AudioHash, DurationMs


def analyse_file(
    found: FoundFile, extractor: Extractor, known: Collection[AudioHash] = frozenset()
) -> Analysis | AnalysisFailure:
    """Analyse one file.

    Parameters
    ----------
    found : FoundFile
        As scanned.
    extractor : Extractor
        The feature set.
    known : collection of AudioHash
        Audio that is measured, not decoded, and gets no vectors.
    """
    try:
        with open_regular(found.real_path) as file:
            return _analyse(file, extractor, known)
    except UnusableAudioError as error:
        return error.failure
    except NotRegularError:
        return AnalysisFailure(reason=ProblemReason.NOT_REGULAR, detail="it was a regular file at the scan")
    except OSError as error:
        return AnalysisFailure(reason=ProblemReason.UNREADABLE, detail=error.strerror or str(error))


def _analyse(file: BinaryIO, extractor: Extractor, known: Collection[AudioHash]) -> Analysis:
    sniffed = _sniffed(file)
    digest = audio_hash(file, sniffed.container)
    tags = read_tags(file)
    decoder = open_decoder(file, sniffed)
    if digest in known:
        extent = measure(decoder)
        duration_ms = DurationMs(extent.frames * 1_000 // decoder.rate)
        analysed_ms, is_truncated = DurationMs(min(duration_ms, EXCERPT_S * 1_000)), extent.is_truncated
        vectors = None
    else:
        excerpt = read_excerpt(decoder)
        duration_ms, analysed_ms = excerpt.duration_ms, excerpt.analysed_ms
        is_truncated, vectors = excerpt.is_truncated, extractor.extract_parts(excerpt.signal)
    return Analysis(
        tags=tags,
        audio_hash=digest,
        duration_ms=duration_ms,
        media_type=sniffed.media_type,
        analysed_ms=analysed_ms,
        vectors=vectors,
        is_truncated=is_truncated,
    )


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

"""A hash of the audio itself: the same after retagging, renaming and moving."""

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from soundalike.audio.containers import asf, dsd, flac, matroska, mp4, mpeg, ogg, riff
from soundalike.audio.containers.spans import Span, chunks_of, size_of
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.formats import Container
from soundalike.domain.files import Part
from soundalike.domain.types import AudioHash


def audio_hash(file: BinaryIO, container: Container) -> AudioHash:
    """Hash the encoded audio without its tags, in bounded memory.

    Parameters
    ----------
    file : BinaryIO
        Read from start to end; its position is moved.
    container : Container
        As sniffed. If its layout is unknown, or it has no audio, all behind the tags in front is
        hashed.
    """
    digest = hashlib.blake2b(digest_size=16)
    has_sound = False
    for piece in _sound_pieces(file, container):
        has_sound = has_sound or bool(piece)
        digest.update(piece)
    if not has_sound:
        for piece in chunks_of(file, Span(untagged_span(file).start, size_of(file))):
            digest.update(piece)
    return AudioHash(digest.hexdigest())


def part_hash(whole: AudioHash, part: Part) -> AudioHash:
    """Return the hash of a part of a file, whose own hash is given."""
    text = f"{whole} {part.start} {part.end} {part.rate}"
    return AudioHash(hashlib.blake2b(text.encode(), digest_size=16).hexdigest())


def _sound_pieces(file: BinaryIO, container: Container) -> Iterator[bytes]:
    if container is Container.OGG:
        yield from ogg.sound_pieces(file)
        return
    if container is Container.FOREIGN and (untagged := dsd.untagged(file)) is not None:
        head, rest = untagged
        yield head
        for span in rest:
            yield from chunks_of(file, span)
        return
    find = _SPANS.get(container)
    for span in find(file) if find is not None else ():
        yield from chunks_of(file, span)


def _frames(parse: mpeg.FrameParser) -> Callable[[BinaryIO], list[Span]]:
    def find(file: BinaryIO) -> list[Span]:
        span = mpeg.find_stream(file, parse)
        return [] if span is None else [span]

    return find


def _foreign_spans(file: BinaryIO) -> list[Span]:
    """Return where the sound is in what PyAV alone decodes; most of it has tags only in front and behind."""
    return matroska.cluster_spans(file) or asf.data_spans(file) or [untagged_span(file)]


_SPANS: dict[Container, Callable[[BinaryIO], list[Span]]] = {
    Container.MPEG: _frames(mpeg.mpeg_frame),
    Container.ADTS: _frames(mpeg.adts_frame),
    Container.FLAC: flac.flac_spans,
    Container.WAV: riff.sound_spans,
    Container.AIFF: riff.sound_spans,
    Container.MP4: mp4.media_spans,
    Container.FOREIGN: _foreign_spans,
}

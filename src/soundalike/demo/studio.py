"""Making the bytes of a file from a track of the catalogue."""

import io
from dataclasses import dataclass

import numpy as np

from soundalike.demo.catalogue import DemoTrack
from soundalike.demo.effects import finish
from soundalike.demo.instruments import SAMPLE_RATE_HZ
from soundalike.demo.score import Sketch
from soundalike.demo.tags import Picture, TrackTags
from soundalike.demo.tagwriter import DemoFormat, tag
from soundalike.domain.errors import DemoError
from soundalike.domain.types import FloatArray

_BLOCK_SAMPLES = 1 << 14
_MARGIN = 0.95
_GOLDEN_RATIO = 0.618034
_FIFTH = 7
_ENCODINGS = {
    DemoFormat.MP3: ("MP3", "MPEG_LAYER_III"),
    DemoFormat.FLAC: ("FLAC", "PCM_16"),
    DemoFormat.OGG: ("OGG", "VORBIS"),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """What is needed to make one file: the track, its own seed, its album's cover, its length."""

    track: DemoTrack
    seed: np.random.SeedSequence
    cover: Picture
    duration_s: float

    def render(self) -> bytes:
        """Return the finished file."""
        audio = encode(perform(self), self.track.album.container)
        serial = int(self.seed.generate_state(1, np.uint32)[0])
        return tag(audio, tags_of(self), container=self.track.album.container, serial=serial)


def perform(recording: Recording) -> FloatArray:
    """Play a track, shape (2, samples)."""
    track = recording.track
    fade_in_s, fade_out_s = (min(fade_s, recording.duration_s / 3) for fade_s in track.artist.fade_s)
    mix = track.artist.arrange(sketch(recording))
    return finish(mix, fade_in_s=fade_in_s, fade_out_s=fade_out_s)


def sketch(recording: Recording) -> Sketch:
    """Spread an artist's tracks over its range by steps of the golden ratio."""
    rng = np.random.default_rng(recording.seed)
    place = recording.track.place
    pace, brightness = (
        (place * ratio + 0.12 * float(rng.random())) % 1 for ratio in (_GOLDEN_RATIO, _GOLDEN_RATIO**2 * 2)
    )
    tonic = (place * _FIFTH + int(rng.integers(12))) % 12
    return Sketch(
        rng=rng,
        duration_s=recording.duration_s,
        pace=pace,
        brightness=brightness,
        tonic=tonic,
        variant=place,
    )


def tags_of(recording: Recording) -> TrackTags:
    """Return the tags of the file."""
    track = recording.track
    return TrackTags(
        title=track.title,
        artist=track.artist.name,
        album=track.album.title,
        genre=track.artist.genre,
        year=track.album.year,
        number=track.number,
        number_of=len(track.album.tracks),
        cover=recording.cover,
    )


def encode(sound: FloatArray, container: DemoFormat) -> bytes:
    """Encode a sound of shape (2, samples), softer if decoding would exceed full scale.

    Lossy codecs overshoot by some decibels at the corners of a wave.

    Raises
    ------
    DemoError
        If the installed libsndfile cannot write this format.
    """
    import soundfile  # noqa: PLC0415 - loads libsndfile, only for writing

    while True:
        try:
            encoded = _encode(sound, container)
            peak = 0.0 if container is DemoFormat.FLAC else float(np.abs(_decode(encoded)).max(initial=0))
        except (soundfile.SoundFileError, ValueError) as error:
            version = soundfile.__libsndfile_version__
            msg = f"libsndfile {version} cannot write {container} files ({error}); install 1.1 or later"
            raise DemoError(msg) from error
        if not peak > 1:
            return encoded
        sound = sound * np.float32(_MARGIN / peak)


def _encode(sound: FloatArray, container: DemoFormat) -> bytes:
    """Write in blocks: libsndfile's Vorbis encoder overflows its stack on long ones."""
    import soundfile  # noqa: PLC0415 - as above

    encoding, subtype = _ENCODINGS[container]
    frames = np.ascontiguousarray(sound.T)
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", samplerate=SAMPLE_RATE_HZ, channels=2, format=encoding, subtype=subtype
    ) as file:
        for first in range(0, len(frames), _BLOCK_SAMPLES):
            file.write(frames[first : first + _BLOCK_SAMPLES])
    return buffer.getvalue()


def _decode(encoded: bytes) -> FloatArray:
    import soundfile  # noqa: PLC0415 - as above

    return np.asarray(soundfile.read(io.BytesIO(encoded), dtype="float32")[0])

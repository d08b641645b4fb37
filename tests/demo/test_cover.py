"""Covers: pictures that any viewer reads, one for each album."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.demo.catalogue import Album, demo_tracks
from soundalike.demo.cover import SIDE_PX, draw_cover, encode_png

ALBUMS = tuple(dict.fromkeys(track.album for track in demo_tracks()))
Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def decode_png(png: bytes) -> Pixels:
    """Read a true-colour PNG whose lines are all of filter type 2 (Up), checking every checksum."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (size,), name = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (zlib.crc32(name + content),)
        chunks[name] = content
        at += 12 + size
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, 1 + width * 3)
    assert (lines[:, 0] == 2).all()
    return np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, 3)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_a_png_has_the_pixels_it_was_made_of(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode_png(encode_png(pixels)), pixels)


@pytest.mark.parametrize("album", ALBUMS, ids=lambda album: album.title)
def test_every_album_has_a_picture_with_something_on_it(album: Album) -> None:
    cover = draw_cover(album.design, np.random.default_rng(1))
    pixels = decode_png(cover.png)
    assert pixels.shape == (SIDE_PX, SIDE_PX, 3) == (cover.height_px, cover.width_px, 3)
    assert pixels.std(axis=(0, 1)).max() > 10


def test_no_two_covers_are_the_same_but_each_can_be_drawn_again() -> None:
    first, second = (
        [draw_cover(album.design, np.random.default_rng(1)).png for album in ALBUMS[:3]] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 3

"""Covers: a small picture drawn from a seed, and a PNG writer for it."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from soundalike.demo.tags import Picture
from soundalike.domain.types import FloatArray

SIDE_PX = 300

_OVERSAMPLING = 2
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR = 2
_FILTER_UP = b"\x02"


@dataclass(frozen=True, slots=True)
class Design:
    """A pattern by name, and its colours: ground, middle and light."""

    pattern: str
    colours: tuple[str, str, str]


def draw_cover(design: Design, rng: np.random.Generator) -> Picture:
    """Draw a cover; the same design and seed give the same picture."""
    side = SIDE_PX * _OVERSAMPLING
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side)
    shade = _PATTERNS[design.pattern](across, down, rng)
    ground, middle, light = (_colour(code) for code in design.colours)
    glow = np.clip(shade, 0, 1)[..., None]
    image = np.where(
        glow < 0.5,  # noqa: PLR2004 - the middle colour's place
        ground + (middle - ground) * (2 * glow),
        middle + (light - middle) * (2 * glow - 1),
    )
    vignette = 1 - 0.35 * ((across - 0.5) ** 2 + (down - 0.5) ** 2)[..., None]
    fine = (image * vignette).reshape(SIDE_PX, _OVERSAMPLING, SIDE_PX, _OVERSAMPLING, 3).mean(axis=(1, 3))
    return Picture(png=encode_png(np.rint(fine).astype(np.uint8)), width_px=SIDE_PX, height_px=SIDE_PX)


def encode_png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """Write an image of shape (height, width, 3) as PNG, each line as its difference from the one above."""
    height, width, _ = pixels.shape
    lines = np.diff(pixels.reshape(height, -1), axis=0, prepend=np.zeros((1, width * 3), dtype=np.uint8))
    data = b"".join(_FILTER_UP + line.tobytes() for line in lines)
    header = struct.pack(">IIBBBBB", width, height, 8, _TRUE_COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 6)), (b"IEND", b""))
    return _PNG_START + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _colour(code: str) -> FloatArray:
    return np.frombuffer(bytes.fromhex(code.removeprefix("#")), dtype=np.uint8).astype(np.float32)


def _strings(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw six swinging strings over a low sun."""
    sun = _disc(across, down, rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.45), 0.2)
    shade = 0.15 + 0.3 * down + 0.45 * sun
    for string in range(6):
        reach = 0.012 + 0.03 * rng.random()
        bow = reach * np.sin(np.pi * across) * np.sin(2 * np.pi * (string + 2) * across + rng.uniform(0, 6))
        distance = np.abs(down - (0.52 + 0.07 * string + bow))
        shade = shade + 0.55 * np.exp(-((distance / (0.0025 + 0.0007 * string)) ** 2))
    return shade


def _horizon(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw a setting sun behind rows of hills, each darker than the one behind."""
    sun = _disc(across, down, rng.uniform(0.3, 0.7), 0.4, rng.uniform(0.12, 0.2))
    shade = np.maximum(0.45 + 0.35 * (down - 0.2), sun * 0.98)
    for hill in range(5):
        waves = sum(
            rng.uniform(0.01, 0.05) * np.sin(2 * np.pi * (turns * across + rng.random()))
            for turns in (0.7, 1.6, 3.1)
        )
        is_below = down > 0.48 + 0.11 * hill + waves
        shade = np.where(is_below, 0.42 - 0.09 * hill + 0.12 * (down - 0.5), shade)
    return np.asarray(shade, dtype=np.float32)


def _rings(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Bend a step sequencer into a circle."""
    x, y = across - 0.5, down - 0.5
    radius, turn = np.hypot(x, y), (np.arctan2(y, x) / (2 * np.pi)) % 1
    ring = np.floor((radius - 0.08) / 0.055).astype(np.int64)
    step = np.floor(turn * 16).astype(np.int64)
    is_lit = rng.random((7, 16)) < np.linspace(0.75, 0.3, 7)[:, None]
    strength = rng.uniform(0.35, 1.0, (7, 16)) * is_lit
    is_inside = (ring >= 0) & (ring < 7)  # noqa: PLR2004 - the rings drawn
    gap = ((radius - 0.08) / 0.055 % 1 > 0.18) & (turn * 16 % 1 > 0.07 / (0.2 + radius))  # noqa: PLR2004 - of a ring
    cell = strength[np.clip(ring, 0, 6), step]
    return np.where(is_inside & gap, 0.08 + 0.9 * cell, 0.04 + 0.12 * down).astype(np.float32)


def _pixels(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw a mirrored sprite on a field of smaller ones."""
    small, large = _sprites(rng, 8, 6), _sprites(rng, 1, 10)[0]
    row, column = (down * 48).astype(np.int64), (across * 48).astype(np.int64)
    field = small[(row // 8 * 5 + column // 8 * 3) % 8, row % 8 % 6, column % 8 % 6]
    is_shown = (row % 8 < 6) & (column % 8 < 6)  # noqa: PLR2004 - two cells of space
    backdrop = 0.08 + 0.1 * down + 0.13 * (field > 0) * is_shown
    y, x = ((down - 0.18) / 0.064).astype(np.int64), ((across - 0.18) / 0.064).astype(np.int64)
    is_inside = (down > 0.18) & (across > 0.18) & (y < 10) & (x < 10)  # noqa: PLR2004 - ten cells from there
    hero = large[np.clip(y, 0, 9), np.clip(x, 0, 9)]
    return np.asarray(np.where(is_inside & (hero > 0), 0.35 + 0.65 * hero, backdrop), dtype=np.float32)


def _contours(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the isobars of a weather map."""
    height = np.zeros_like(across)
    for _ in range(7):
        x, y, width = rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), rng.uniform(0.12, 0.35)
        height += rng.choice([-1.0, 1.0]) * np.exp(-((across - x) ** 2 + (down - y) ** 2) / width**2)
    level = height * 7
    line = np.abs(level - np.rint(level))
    slope = np.hypot(*np.gradient(level)) + 1e-4
    return np.asarray(0.3 + 0.16 * height + 0.5 * np.exp(-((line / (1.6 * slope)) ** 2)), dtype=np.float32)


def _discs(across: FloatArray, down: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw overlapping discs, as on a record sleeve of the seventies."""
    shade = 0.1 + 0.15 * down
    for disc in range(9):
        x, y, radius = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.28)
        inside = _disc(across, down, x, y, radius)
        stripe = 0.5 + 0.5 * np.sign(np.sin(np.hypot(across - x, down - y) * 120)) if disc % 3 == 0 else 1.0
        shade = shade + inside * stripe * rng.uniform(0.15, 0.4)
    return np.asarray(shade, dtype=np.float32)


def _disc(across: FloatArray, down: FloatArray, x: float, y: float, radius: float) -> FloatArray:
    distance = np.hypot(across - np.float32(x), down - np.float32(y))
    return np.asarray(distance < radius, dtype=np.float32)


def _sprites(rng: np.random.Generator, count: int, side: int) -> FloatArray:
    half = rng.random((count, side, (side + 1) // 2)) * (rng.random((count, side, (side + 1) // 2)) < 0.62)  # noqa: PLR2004 - so many cells are lit
    return np.concatenate([half, half[:, :, ::-1][:, :, side % 2 :]], axis=2).astype(np.float32)


_Pattern = Callable[[FloatArray, FloatArray, np.random.Generator], FloatArray]
_PATTERNS: Mapping[str, _Pattern] = MappingProxyType(
    {
        "strings": _strings,
        "horizon": _horizon,
        "rings": _rings,
        "pixels": _pixels,
        "contours": _contours,
        "discs": _discs,
    }
)

"""Patches and their values in the form in which both stores have them."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from soundalike.domain.features import FeatureArray, Patch, PatchRole, whole_and_halves

_EXCERPT_MS = 30_000
_FLOAT_BYTES = 4


def patches_to_lists(patches: Sequence[Patch]) -> dict[str, list[Any]]:
    """Return roles, starts and lengths."""
    return {
        "roles": [str(patch.role) for patch in patches],
        "starts_ms": [patch.start_ms for patch in patches],
        "lengths_ms": [patch.length_ms for patch in patches],
    }


def patches_from_lists(stored: Mapping[str, Any]) -> tuple[Patch, ...]:
    """Undo `patches_to_lists`; other members are ignored."""
    columns = (stored["roles"], stored["starts_ms"], stored["lengths_ms"])
    return tuple(
        Patch(PatchRole(role), int(start), int(length)) for role, start, length in zip(*columns, strict=True)
    )


@lru_cache(maxsize=64)  # those of an import are all alike
def patches_to_json(patches: tuple[Patch, ...]) -> str:
    """Return `patches_to_lists` as JSON."""
    return json.dumps(patches_to_lists(patches), separators=(",", ":"))


def values_to_bytes(values: FeatureArray) -> bytes:
    """Return values row by row, little-endian."""
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def values_from_bytes(stored: bytes, *, dtype: str, shape: tuple[int, int]) -> FeatureArray:
    """Undo `values_to_bytes`.

    Parameters
    ----------
    stored : bytes
        All rows.
    dtype : str
        Of the values.
    shape : tuple of (int, int)
        How many rows there are, and how many values in each.

    Returns
    -------
    FeatureArray
        Of that shape and dtype; read-only.
    """
    if min(shape) < 0:  # NumPy would compute it from the rest
        msg = f"vectors cannot have the shape {shape}"
        raise ValueError(msg)
    native = np.dtype(dtype)
    values = np.frombuffer(stored, native.newbyteorder("<")).astype(native, copy=False).reshape(shape)
    values.setflags(write=False)
    return values


def patches_of_before(duration_ms: int) -> tuple[Patch, ...]:
    """Return the patches of a track's three vectors of earlier versions: they analysed its middle 30 s."""
    length_ms = min(max(duration_ms, 0), _EXCERPT_MS)
    return whole_and_halves((max(duration_ms, 0) - length_ms) // 2, length_ms)


def joined_of_before(vectors: Sequence[object]) -> bytes | None:
    """Return a track's three vectors of earlier versions in one; None if they are damaged.

    They are little-endian float32, of one length. What is damaged is not worth keeping from a migration:
    ``extract`` computes it again.
    """
    length, *others = {len(vector) if isinstance(vector, bytes) else 0 for vector in vectors}
    if others or not length or length % _FLOAT_BYTES:
        return None
    return b"".join(vector for vector in vectors if isinstance(vector, bytes))

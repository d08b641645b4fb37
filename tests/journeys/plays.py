"""Real plays as listens: the same lines give the same users, tracks, ids and kinds, everywhere."""

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.wire.listens import entry_body

LASTFM = Path(__file__).resolve().parents[3] / "shared" / "data" / "events" / "lastfm.tsv"
FIRST_MS = 1_577_836_800_000  # the file counts seconds from its first play; here that is the start of 2020

_RARELY = [
    ListenKind.STARTED,
    ListenKind.LIKED,
    ListenKind.LIKED,
    ListenKind.UNLIKED,
    ListenKind.DISLIKED,
    ListenKind.UNDISLIKED,
    ListenKind.LESS,
]


def read_plays(path: Path = LASTFM, most: int | None = None) -> Iterator[Listen]:
    """Yield the plays, oldest first; two of three as finished, some as skipped, some as judgements."""
    with path.open(encoding="ascii") as lines:
        for number, line in enumerate(lines):
            if number == most:
                return
            user, item, seconds = line.split()
            die = int.from_bytes(blake2b(f"{number} {line}".encode(), digest_size=4).digest())
            kind, position_ms = _did(die)
            yield Listen(
                id=EventId(str(uuid5(NAMESPACE_URL, f"play {number} {line}"))),
                user_id=UserId(f"user-{user}"),
                track_id=TrackId(str(uuid5(NAMESPACE_URL, f"item {item}"))),
                kind=kind,
                position_ms=position_ms,
                at_ms=FIRST_MS + 1000 * int(seconds),
            )


def json_line(listen: Listen) -> str:
    """Return a listen as a line of an export."""
    return json.dumps(entry_body(listen)) + "\n"


def _did(die: int) -> tuple[ListenKind, int | None]:
    """Choose what was done by a hash of the line."""
    chance, rest = die % 100, die // 100
    if chance < 66:
        return ListenKind.FINISHED, None
    if chance < 85:
        return ListenKind.SKIPPED, rest % 240_000
    return _RARELY[rest % len(_RARELY)], None

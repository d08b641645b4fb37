"""What the program of store version 2 executed, copied from it: each of its writes, and reads of every table.

Each write changes something in the store of `tests/compatibility/version-1`.
"""
# ruff: noqa: S608 - only constants are inserted into statements

import sqlite3
from collections.abc import Sequence
from typing import Any

_TRACK = {
    "id": "t000", "root": "music", "path": b"t1", "target": None, "size_bytes": 1, "mtime_ns": "1",
    "audio_hash": "hash", "title": "Title", "artist": None, "album": None, "genre": None, "year": None,
    "duration_ms": 1, "media_type": "audio/mpeg", "added_ms": 1, "vanished_ms": None,
}  # fmt: skip
_TRACK_COLUMNS = ", ".join(_TRACK)
_TRACK_ROW = {**_TRACK, "title_key": "title", "artist_key": None, "album_key": None}
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _TRACK_ROW)
_LISTEN_COLUMNS = "user, at_ms, id, track, kind, position_ms"
_ADD_LISTEN = f"INSERT INTO listens ({_LISTEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PROBLEM_COLUMNS = "root, path, reason, heard_ms, detail, is_used, size_bytes, mtime_ns"
_VECTOR_COLUMNS = "whole, first_half, second_half"
_USER_COLUMNS = "name_key, id, name, password_hash, created_ms"
_TOKEN_COLUMNS = "secret_hash, id, user, label, created_ms"  # noqa: S105 - names of columns, not a secret

Statement = tuple[str, tuple[object, ...]]

WRITES: list[Statement] = [
    ("INSERT OR REPLACE INTO roots (name, location) VALUES (?, ?)", ("music", b"/elsewhere")),
    (
        (
            f"INSERT INTO tracks ({', '.join(_TRACK_ROW)}) VALUES ({', '.join('?' * len(_TRACK_ROW))})"
            f" ON CONFLICT (id) DO UPDATE SET {_CHANGES} RETURNING n"
        ),
        tuple(_TRACK_ROW.values()),
    ),
    (
        "DELETE FROM vectors WHERE track = (SELECT n FROM tracks WHERE id = ? AND audio_hash <> ?)",
        ("t000", "another"),
    ),
    ("UPDATE tracks SET vanished_ms = ? WHERE id = ? AND vanished_ms IS NULL RETURNING n", (1, "t000")),
    ("DELETE FROM vectors WHERE track = (SELECT n FROM tracks WHERE id = ?)", ("t000",)),
    ("DELETE FROM vectors WHERE track = ?", (1,)),
    ("INSERT INTO feature_sets (name, version, fingerprint) VALUES (?, ?, ?)", ("new", 1, "print")),
    (
        f"INSERT OR REPLACE INTO vectors (feature_set, track, {_VECTOR_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        (1, 1, b"", b"", b""),
    ),
    ("INSERT INTO words (word, track) VALUES (?, ?)", (b"word", 1)),
    ("DELETE FROM words WHERE track = ?", (1,)),
    (
        f"INSERT OR REPLACE INTO problems ({_PROBLEM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ("music", b"bad/new", "empty", 0, "", False, None, None),
    ),
    ("DELETE FROM problems WHERE root = ? AND path = ?", ("music", b"bad/0")),
    (
        _ADD_LISTEN,
        ("you", 1, "00000000-0000-4000-8000-0000000007ff", "t000", "liked", None),
    ),
    ("DELETE FROM listens WHERE user = ? AND (at_ms <= ? OR ?)", ("you", 0, True)),
    (
        "INSERT OR REPLACE INTO profiles (user, fold, version, count, body) VALUES (?, ?, ?, ?, ?)",
        ("you", 2, "version", 1, b"{}"),
    ),
    ("DELETE FROM profiles WHERE user = ?", ("you",)),
    (
        (
            "DELETE FROM profiles WHERE user = ? AND fold = ? AND version = ? AND body = ? OR user = 'you'"
        ),  # only a damaged one was removed so
        ("you", 2, "version", b"{}"),
    ),
    ("INSERT OR REPLACE INTO erasures (user, at_ms) VALUES (?, ?)", ("you", 1)),
    (
        f"INSERT INTO users ({_USER_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        ("eve", "eve", "Eve", "hash", 1),
    ),
    ("UPDATE users SET password_hash = ? WHERE id = ?", ("hash", "you")),
    ("DELETE FROM users WHERE id = ?", ("you",)),
    (
        f"INSERT INTO tokens ({_TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        ("hash", "token", "you", "label", 1),
    ),
    ("DELETE FROM tokens WHERE user = ?", ("you",)),
    ("DELETE FROM tokens WHERE user = ? AND id = ?", ("you", "token0")),
]


def add_listens(connection: sqlite3.Connection, listens: Sequence[tuple[Any, ...]]) -> int:
    """Store listens as that program did, and return how many were new.

    Parameters
    ----------
    connection : sqlite3.Connection
        To the store.
    listens : sequence of tuple
        (user, at_ms, id, track, kind, position_ms) of each.
    """
    added = 0
    for user, at_ms, *rest in listens:
        erased = connection.execute("SELECT at_ms FROM erasures WHERE user = ?", (user,)).fetchone()
        if erased is None or at_ms > erased[0]:
            added += connection.execute(_ADD_LISTEN, (user, at_ms, *rest)).rowcount
    return added


READS: list[Statement] = [
    ("SELECT name, location FROM roots ORDER BY name", ()),
    ("SELECT n FROM tracks ORDER BY CAST(id AS BLOB)", ()),
    (f"SELECT {_TRACK_COLUMNS} FROM tracks WHERE id IN (?, ?)", ("t000", "t003")),
    (f"SELECT {_TRACK_COLUMNS} FROM tracks WHERE root = ? AND path = ?", ("music", b"a/\xff0.mp3")),
    ("SELECT count(*) FROM tracks WHERE vanished_ms IS NULL", ()),
    ("SELECT DISTINCT track FROM words WHERE word >= ? AND word < ? LIMIT 10001", (b"a", b"a\xff")),
    (
        (
            "SELECT n, title_key, id FROM tracks NOT INDEXED WHERE vanished_ms IS NULL"
            " AND title_key IS NOT NULL AND n IN (SELECT value FROM json_each(?))"
            " ORDER BY title_key ASC, id LIMIT ?"
        ),
        ("[1, 2, 3]", 3),
    ),
    (
        (
            f"SELECT id, audio_hash, {_VECTOR_COLUMNS} FROM tracks CROSS JOIN vectors ON track = tracks.n"
            " WHERE id > ? AND vanished_ms IS NULL AND feature_set = ? ORDER BY id LIMIT ?"
        ),
        ("", 1, 500),
    ),
    (
        (
            f"SELECT track, name, version, fingerprint, {_VECTOR_COLUMNS} FROM vectors"
            " JOIN feature_sets ON n = feature_set WHERE track IN (?, ?)"
            " ORDER BY CAST(name AS BLOB), version"
        ),
        (1, 2),
    ),
    (f"SELECT {_PROBLEM_COLUMNS} FROM problems WHERE root = ? ORDER BY root, path LIMIT ?", ("music", 500)),
    (
        (
            f"SELECT {_LISTEN_COLUMNS} FROM listens WHERE user = ? AND (at_ms, id) > (?, ?)"
            " ORDER BY at_ms, id LIMIT ?"
        ),
        ("you", 0, "", 1000),
    ),
    ("SELECT user, count(*) FROM listens GROUP BY user", ()),
    ("SELECT version, body FROM profiles WHERE user = ? AND fold = ?", ("you", 2)),
    ("SELECT user, count FROM profiles WHERE fold = ? AND typeof(count) = 'integer'", (2,)),
    ("SELECT EXISTS (SELECT 1 FROM users)", ()),
    (f"SELECT {_USER_COLUMNS} FROM users ", ()),
    (f"SELECT {_TOKEN_COLUMNS} FROM tokens WHERE user = ?", ("you",)),
]

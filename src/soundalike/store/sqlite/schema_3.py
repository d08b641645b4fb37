"""Version 3 of the SQLite store: tables with new names, so that the program of version 2 writes nothing."""

import sqlite3
from collections.abc import Callable

from soundalike.domain.library_mark import library_id_of_before
from soundalike.store.sqlite.fill_tracks import fill_tracks
from soundalike.store.vectors import joined_of_before, patches_of_before, patches_to_json

Step = str | Callable[[sqlite3.Connection], None]
"""A statement, or a function for what takes more than a statement."""

# A process of the version before may still run when a store is migrated. Every old name becomes a view, so
# that what it reads goes on (but for lists, which name an index, and for erasures), and what it writes fails:
# it answers that it is not available, and browsers keep their listens. The next version drops the views.


def _move_vectors(connection: sqlite3.Connection) -> None:
    """Move the vectors of a track into one row for each feature set, and say what each describes."""
    connection.create_function("joined", 3, lambda *vectors: joined_of_before(vectors))
    connection.create_function("patches", 1, lambda length: patches_to_json(patches_of_before(length)))
    connection.execute(
        """
        INSERT INTO feature
        SELECT feature_set, track.n, 'float32', length(joined) / 12, patches(duration_ms), joined
        FROM (SELECT feature_set, track, joined(whole, first_half, second_half) AS joined FROM vectors) AS old
        JOIN track ON track.n = old.track
        WHERE joined IS NOT NULL
        """
    )


def _name_library(connection: sqlite3.Connection) -> None:
    """Name the library after its first track."""
    first = connection.execute("SELECT CAST(id AS TEXT) FROM track ORDER BY added_ms, id LIMIT 1").fetchone()
    if first is not None:
        connection.execute("UPDATE library SET id = ?", (library_id_of_before(*first),))


_TRACKS: tuple[Step, ...] = (
    # `change` is `library.version` at the last change of the track. A track without a file has no root, path
    # and so on; `part` is empty for a whole file. Tags are JSON. Ids in one column have spaces between them.
    """
    CREATE TABLE track (
        n               INTEGER PRIMARY KEY,
        id              TEXT NOT NULL UNIQUE,
        change          INTEGER NOT NULL,
        root            TEXT,
        path            BLOB,
        part            TEXT NOT NULL,
        target          BLOB,
        size_bytes      INTEGER,
        mtime_ns        TEXT,
        tags_stamp      TEXT,
        audio_hash      TEXT,
        media_type      TEXT,
        title           TEXT NOT NULL,
        tags            TEXT NOT NULL,
        imported        TEXT,
        tags_version    INTEGER NOT NULL,
        duration_ms     INTEGER NOT NULL,
        added_ms        INTEGER NOT NULL,
        vanished_ms     INTEGER,
        artist_ids      TEXT NOT NULL,
        album_id        TEXT,
        album_artist_id TEXT,
        genre_ids       TEXT NOT NULL,
        is_compilation  INTEGER NOT NULL,
        recording       TEXT,
        is_preferred    INTEGER NOT NULL,
        preferred_for   TEXT NOT NULL,
        has_file        INTEGER NOT NULL,
        title_key       TEXT NOT NULL,
        artist_key      TEXT,
        album_key       TEXT,
        year            INTEGER,
        UNIQUE (root, path, part)
    )
    """,
    fill_tracks,
    """
    CREATE TABLE word (
        word  BLOB NOT NULL,
        track INTEGER NOT NULL REFERENCES track (n) ON DELETE CASCADE,
        PRIMARY KEY (word, track)
    ) WITHOUT ROWID
    """,
    "INSERT INTO word SELECT word, track FROM words",
    "DROP TABLE words",
    "ALTER TABLE feature_sets RENAME TO feature_set",
    """
    CREATE TABLE feature (
        feature_set INTEGER NOT NULL REFERENCES feature_set (n),
        track       INTEGER NOT NULL REFERENCES track (n) ON DELETE CASCADE,
        dtype       TEXT NOT NULL,
        width       INTEGER NOT NULL,
        patches     TEXT NOT NULL,
        vectors     BLOB NOT NULL,
        PRIMARY KEY (track, feature_set)
    )
    """,
    _move_vectors,
    "CREATE INDEX features_by_set ON feature (feature_set, track)",
    # What refers to tracks goes first: dropping a table deletes its rows, and so what refers to them.
    "DROP TABLE vectors",
    "DROP TABLE tracks",
    "CREATE INDEX tracks_by_change ON track (change)",
    "CREATE INDEX tracks_by_hash ON track (audio_hash)",
    # Lists show the tracks that are there: each order has its index, ties by id, rows unread.
    *(
        f"CREATE INDEX tracks_by_{order} ON track ({column}, id, is_preferred, has_file, vanished_ms)"
        " WHERE vanished_ms IS NULL"
        for order, column in {
            "title": "title_key",
            "artist": "artist_key",
            "album": "album_key",
            "year": "year",
            "added": "added_ms",
        }.items()
    ),
    "CREATE INDEX tracks_there ON track (is_preferred, has_file, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX words_by_track ON word (track, word)",
    """
    CREATE VIEW tracks AS
    SELECT n, id, root, path, target, size_bytes, mtime_ns, audio_hash, title,
           (SELECT group_concat(value, ', ') FROM json_each(tags, '$.artists')) AS artist,
           json_extract(tags, '$.album') AS album, json_extract(tags, '$.genres[0]') AS genre, year,
           duration_ms, media_type, added_ms, vanished_ms, title_key, artist_key, album_key
    FROM track
    WHERE root IS NOT NULL AND part = ''
    """,
    # SQLite lets UPDATE ... RETURNING on a view pass, and changes nothing: vanished tracks are marked so.
    """
    CREATE TRIGGER tracks_are_read_only INSTEAD OF UPDATE ON tracks
    BEGIN SELECT RAISE(ABORT, 'a newer soundalike has migrated it; restart this process with that one'); END
    """,
    "CREATE VIEW words AS SELECT word, track FROM word",
    "CREATE VIEW feature_sets AS SELECT n, name, version, fingerprint FROM feature_set",
    """
    CREATE VIEW vectors AS
    SELECT feature_set, track, substr(vectors, 1, 4 * width) AS whole,
           substr(vectors, 4 * width + 1, 4 * width) AS first_half,
           substr(vectors, 8 * width + 1, 4 * width) AS second_half
    FROM feature
    WHERE dtype = 'float32' AND length(vectors) = 12 * width
    """,
    "ALTER TABLE roots RENAME TO root",
    "CREATE VIEW roots AS SELECT name, location FROM root",
    """
    CREATE TABLE problem (
        root       TEXT NOT NULL,
        path       BLOB NOT NULL,
        part       TEXT NOT NULL,
        reason     TEXT NOT NULL,
        heard_ms   INTEGER NOT NULL,
        detail     TEXT NOT NULL,
        is_used    INTEGER NOT NULL,
        size_bytes INTEGER,
        mtime_ns   TEXT,
        read_by    TEXT NOT NULL,
        PRIMARY KEY (root, path, part)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO problem
    SELECT root, path, '', reason, heard_ms, detail, is_used, size_bytes, mtime_ns, '' FROM problems
    """,
    "DROP TABLE problems",
    """
    CREATE VIEW problems AS
    SELECT root, path, reason, heard_ms, detail, is_used, size_bytes, mtime_ns FROM problem WHERE part = ''
    """,
)

# Derived from the tracks at every write, and after a migration.
_CATALOGUE = (
    # The names by which tracks belong together; `mark` is NULL once the group is settled.
    """
    CREATE TABLE name_group (
        n    INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        key  BLOB NOT NULL,
        mark INTEGER,
        UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX groups_unsettled ON name_group (kind, key, mark) WHERE mark IS NOT NULL",
    """
    CREATE TABLE track_group (
        name_group INTEGER NOT NULL,
        track      INTEGER NOT NULL,
        PRIMARY KEY (name_group, track)
    ) WITHOUT ROWID
    """,
    # Under which artists, genres and albums the tracks that are there are listed; `is_preferred` is that of
    # the list, since the preferred copy of a recording may name other artists and genres.
    """
    CREATE TABLE track_entry (
        kind         INTEGER NOT NULL,
        id           TEXT NOT NULL,
        track        INTEGER NOT NULL,
        is_preferred INTEGER NOT NULL,
        has_file     INTEGER NOT NULL,
        PRIMARY KEY (kind, id, track)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE external_id (
        kind  TEXT NOT NULL,
        value TEXT NOT NULL,
        track INTEGER NOT NULL,
        PRIMARY KEY (kind, value, track)
    ) WITHOUT ROWID
    """,
    # To which id a retagging has led, for those who still have the old one.
    """
    CREATE TABLE successor (
        kind INTEGER NOT NULL,
        id   TEXT NOT NULL,
        next TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE artist (
        id          TEXT PRIMARY KEY,
        name_group  INTEGER NOT NULL,
        key         TEXT NOT NULL,
        name        TEXT NOT NULL,
        track_count INTEGER NOT NULL,
        name_key    TEXT
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE genre (
        id          TEXT PRIMARY KEY,
        name_group  INTEGER NOT NULL,
        key         TEXT NOT NULL,
        name        TEXT NOT NULL,
        parent_id   TEXT,
        track_count INTEGER NOT NULL,
        name_key    TEXT
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE album (
        id             TEXT PRIMARY KEY,
        name_group     INTEGER NOT NULL,
        key            TEXT NOT NULL,
        title          TEXT NOT NULL,
        artist_id      TEXT,
        artist         TEXT,
        is_compilation INTEGER NOT NULL,
        year           INTEGER,
        track_count    INTEGER NOT NULL,
        duration_ms    INTEGER NOT NULL,
        added_ms       INTEGER NOT NULL,
        name_key       TEXT,
        artist_key     TEXT
    ) WITHOUT ROWID
    """,
    *(f"CREATE INDEX {table}s_by_group ON {table} (name_group)" for table in ("artist", "genre", "album")),
    "CREATE INDEX albums_by_artist_id ON album (artist_id) WHERE track_count > 0",
    *(
        f"CREATE INDEX {table}s_by_{order} ON {table} ({column}, id, track_count) WHERE track_count > 0"
        for table, order, column in (
            ("artist", "name", "name_key"),
            ("artist", "tracks", "track_count"),
            ("genre", "name", "name_key"),
            ("genre", "tracks", "track_count"),
            ("album", "name", "name_key"),
            ("album", "artist", "artist_key"),
            ("album", "year", "year"),
            ("album", "added", "added_ms"),
        )
    ),
)

_PEOPLE = (
    # All are of their user's generation: those of earlier ones are deleted as it begins.
    "ALTER TABLE listens RENAME TO listen",
    "CREATE VIEW listens AS SELECT user, at_ms, id, track, kind, position_ms FROM listen",
    """
    CREATE TABLE erasure (
        user       TEXT PRIMARY KEY,
        at_ms      INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        dated_ms   INTEGER
    ) WITHOUT ROWID
    """,
    "INSERT INTO erasure SELECT user, at_ms, 0, at_ms FROM erasures",
    # No view: a consumer of the version before needs no write for a listen that is erased. It would take that
    # one for stored, so that the store works, and give up the others of its batch, which it cannot write.
    "DROP TABLE erasures",
    "ALTER TABLE profiles RENAME TO profile",
    "CREATE VIEW profiles AS SELECT n, user, fold, version, count, body FROM profile",
    """
    CREATE TABLE user (
        name_key      TEXT PRIMARY KEY,
        id            TEXT NOT NULL UNIQUE,
        name          TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        created_ms    INTEGER NOT NULL,
        is_admin      INTEGER NOT NULL,
        is_advised    INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    # Who made the first account has looked after the library so far.
    """
    INSERT INTO user
    SELECT name_key, id, name, password_hash, created_ms,
           id = (SELECT id FROM users ORDER BY created_ms, id LIMIT 1), 0
    FROM users
    """,
    "DROP TABLE users",
    "CREATE VIEW users AS SELECT name_key, id, name, password_hash, created_ms FROM user",
    # What is compared is stored as a hash; what a protocol asks for in the clear, as a ciphertext.
    """
    CREATE TABLE credential (
        n            INTEGER PRIMARY KEY,
        id           TEXT NOT NULL,
        user         TEXT NOT NULL,
        kind         TEXT NOT NULL,
        label        TEXT NOT NULL,
        created_ms   INTEGER NOT NULL,
        last_used_ms INTEGER,
        secret_hash  TEXT UNIQUE,
        ciphertext   BLOB,
        CHECK ((secret_hash IS NULL) <> (ciphertext IS NULL))
    )
    """,
    """
    INSERT INTO credential (id, user, kind, label, created_ms, secret_hash)
    SELECT id, user, 'token', label, created_ms, secret_hash FROM tokens
    """,
    "DROP TABLE tokens",
    "CREATE INDEX credentials_by_user ON credential (user)",
    """
    CREATE VIEW tokens AS
    SELECT secret_hash, id, user, label, created_ms FROM credential WHERE kind = 'token'
    """,
    """
    CREATE TABLE ended_session (
        digest     TEXT PRIMARY KEY,
        user       TEXT NOT NULL,
        expires_ms INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
)

_LIBRARY = (
    # One row. `version` counts the changes of tracks, `sequence` all transactions, from a random number of 61
    # bits on, so that no other store has the same; `erased_at` is the last one that erased something which
    # may still be in the files. A copy has the id of its source's library. `sequence` stays the last column.
    """
    CREATE TABLE library (
        n             INTEGER PRIMARY KEY CHECK (n = 1),
        id            TEXT,
        version       INTEGER NOT NULL,
        is_unfinished INTEGER NOT NULL,
        erased_at     INTEGER,
        sequence      INTEGER NOT NULL
    )
    """,
    # A store that holds something gets its id now: artefacts and keys beside it belong to it. It is random
    # where there is no track.
    """
    INSERT INTO library
    SELECT 1,
           CASE WHEN EXISTS (SELECT 1 FROM track) OR EXISTS (SELECT 1 FROM root)
                  OR EXISTS (SELECT 1 FROM problem) OR EXISTS (SELECT 1 FROM listen)
                  OR EXISTS (SELECT 1 FROM erasure) OR EXISTS (SELECT 1 FROM user)
                THEN lower(hex(randomblob(16))) END,
           1, 0, NULL, random() & 0x0fffffffffffffff | 0x1000000000000000
    """,
    _name_library,
)

# One row: who scans, how far it is, and what is wanted, as JSON.
_SCANS = (
    """
    CREATE TABLE scan (
        n        INTEGER PRIMARY KEY CHECK (n = 1),
        revision INTEGER NOT NULL,
        body     TEXT NOT NULL
    )
    """,
    "INSERT INTO scan VALUES (1, 0, '')",
)

VERSION_3 = (*_TRACKS, *_CATALOGUE, *_PEOPLE, *_LIBRARY, *_SCANS)

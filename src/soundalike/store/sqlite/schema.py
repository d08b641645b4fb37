"""The SQLite store's tables, as the steps by which they came to be."""

from soundalike.store.sqlite.schema_3 import VERSION_3, Step

APPLICATION_ID = 0x736E646C  # "sndl" in the file's header: this database is ours

# One entry for each store version, a tuple of steps; entries are only ever added.
MIGRATIONS: tuple[tuple[Step, ...], ...] = (
    (
        "CREATE TABLE roots (name TEXT PRIMARY KEY, location BLOB NOT NULL) WITHOUT ROWID",
        # mtime_ns is decimal text: it passes 2^63 in the year 2262, and files claim such dates.
        # Columns *_key and the table of words are derived from the others, at every write.
        """
        CREATE TABLE tracks (
            n           INTEGER PRIMARY KEY,
            id          TEXT NOT NULL UNIQUE,
            root        TEXT NOT NULL,
            path        BLOB NOT NULL,
            target      BLOB,
            size_bytes  INTEGER NOT NULL,
            mtime_ns    TEXT NOT NULL,
            audio_hash  TEXT NOT NULL,
            title       TEXT NOT NULL,
            artist      TEXT,
            album       TEXT,
            genre       TEXT,
            year        INTEGER,
            duration_ms INTEGER NOT NULL,
            media_type  TEXT NOT NULL,
            added_ms    INTEGER NOT NULL,
            vanished_ms INTEGER,
            title_key   TEXT NOT NULL,
            artist_key  TEXT,
            album_key   TEXT,
            UNIQUE (root, path)
        )
        """,
        "CREATE INDEX tracks_by_hash ON tracks (audio_hash)",
        # Lists show the tracks that are there: each order has its index, ties by id, rows unread.
        "CREATE INDEX tracks_by_title ON tracks (title_key, id, vanished_ms) WHERE vanished_ms IS NULL",
        "CREATE INDEX tracks_by_artist ON tracks (artist_key, id, vanished_ms) WHERE vanished_ms IS NULL",
        "CREATE INDEX tracks_by_album ON tracks (album_key, id, vanished_ms) WHERE vanished_ms IS NULL",
        "CREATE INDEX tracks_by_year ON tracks (year, id, vanished_ms) WHERE vanished_ms IS NULL",
        "CREATE INDEX tracks_by_added ON tracks (added_ms, id, vanished_ms) WHERE vanished_ms IS NULL",
        # The words of tracks that are there, as UTF-8 bytes: those that begin with w are w <= word < w + FF.
        """
        CREATE TABLE words (
            word  BLOB NOT NULL,
            track INTEGER NOT NULL REFERENCES tracks (n) ON DELETE CASCADE,
            PRIMARY KEY (word, track)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX words_by_track ON words (track, word)",
        """
        CREATE TABLE feature_sets (
            n           INTEGER PRIMARY KEY,
            name        TEXT NOT NULL,
            version     INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            UNIQUE (name, version)
        )
        """,
        # Blobs of little-endian float32.
        """
        CREATE TABLE vectors (
            feature_set INTEGER NOT NULL REFERENCES feature_sets (n),
            track       INTEGER NOT NULL REFERENCES tracks (n) ON DELETE CASCADE,
            whole       BLOB NOT NULL,
            first_half  BLOB NOT NULL,
            second_half BLOB NOT NULL,
            PRIMARY KEY (track, feature_set)
        )
        """,
        """
        CREATE TABLE problems (
            root       TEXT NOT NULL,
            path       BLOB NOT NULL,
            reason     TEXT NOT NULL,
            heard_ms   INTEGER NOT NULL,
            detail     TEXT NOT NULL,
            is_used    INTEGER NOT NULL,
            size_bytes INTEGER,
            mtime_ns   TEXT,
            PRIMARY KEY (root, path)
        ) WITHOUT ROWID
        """,
    ),
    (
        # In the order in which they are folded: one user's are read in one go, without a look-up each.
        """
        CREATE TABLE listens (
            user        TEXT NOT NULL,
            at_ms       INTEGER NOT NULL,
            id          TEXT NOT NULL,
            track       TEXT NOT NULL,
            kind        TEXT NOT NULL,
            position_ms INTEGER,
            PRIMARY KEY (user, at_ms, id)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX listens_by_id ON listens (user, id)",
        "CREATE TABLE erasures (user TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID",
        # The body is JSON in UTF-8; the columns before it, all derived from it, spare reading it.
        """
        CREATE TABLE profiles (
            n       INTEGER PRIMARY KEY,
            user    TEXT NOT NULL UNIQUE,
            fold    INTEGER NOT NULL,
            version TEXT NOT NULL,
            count   INTEGER NOT NULL,
            body    BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE users (
            name_key      TEXT PRIMARY KEY,
            id            TEXT NOT NULL UNIQUE,
            name          TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            created_ms    INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE tokens (
            secret_hash TEXT PRIMARY KEY,
            id          TEXT NOT NULL,
            user        TEXT NOT NULL,
            label       TEXT NOT NULL,
            created_ms  INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX tokens_by_user ON tokens (user)",
    ),
    VERSION_3,
)

"""Version 3 of the SQLite store: tables with new names, so that the program of version 2 writes nothing."""

# A process of the version before may still run when a store is migrated. Every old name becomes a view, so
# that what it reads goes on (but for lists, which name an index), and what it writes fails: it answers that
# it is not available, and browsers keep their listens. The next version drops the views.

_TRACKS = (
    # `change` is `library.version` at the last change of the track.
    """
    CREATE TABLE track (
        n           INTEGER PRIMARY KEY,
        id          TEXT NOT NULL UNIQUE,
        change      INTEGER NOT NULL,
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
    """
    INSERT INTO track
    SELECT n, id, 1, root, path, target, size_bytes, mtime_ns, audio_hash, title, artist, album, genre, year,
           duration_ms, media_type, added_ms, vanished_ms, title_key, artist_key, album_key
    FROM tracks
    """,
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
        whole       BLOB NOT NULL,
        first_half  BLOB NOT NULL,
        second_half BLOB NOT NULL,
        PRIMARY KEY (track, feature_set)
    )
    """,
    "INSERT INTO feature SELECT feature_set, track, whole, first_half, second_half FROM vectors",
    # What refers to tracks goes first: dropping a table deletes its rows, and so what refers to them.
    "DROP TABLE vectors",
    "DROP TABLE tracks",
    "CREATE INDEX tracks_by_change ON track (change)",
    "CREATE INDEX tracks_by_hash ON track (audio_hash)",
    "CREATE INDEX tracks_by_title ON track (title_key, id, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX tracks_by_artist ON track (artist_key, id, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX tracks_by_album ON track (album_key, id, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX tracks_by_year ON track (year, id, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX tracks_by_added ON track (added_ms, id, vanished_ms) WHERE vanished_ms IS NULL",
    "CREATE INDEX words_by_track ON word (track, word)",
    """
    CREATE VIEW tracks AS
    SELECT n, id, root, path, target, size_bytes, mtime_ns, audio_hash, title, artist, album, genre, year,
           duration_ms, media_type, added_ms, vanished_ms, title_key, artist_key, album_key
    FROM track
    """,
    # SQLite lets UPDATE ... RETURNING on a view pass, and changes nothing: vanished tracks are marked so.
    """
    CREATE TRIGGER tracks_are_read_only INSTEAD OF UPDATE ON tracks
    BEGIN SELECT RAISE(ABORT, 'a newer soundalike has migrated it; restart this process with that one'); END
    """,
    "CREATE VIEW words AS SELECT word, track FROM word",
    "CREATE VIEW feature_sets AS SELECT n, name, version, fingerprint FROM feature_set",
    "CREATE VIEW vectors AS SELECT feature_set, track, whole, first_half, second_half FROM feature",
    "ALTER TABLE roots RENAME TO root",
    "CREATE VIEW roots AS SELECT name, location FROM root",
    "ALTER TABLE problems RENAME TO problem",
    """
    CREATE VIEW problems AS
    SELECT root, path, reason, heard_ms, detail, is_used, size_bytes, mtime_ns FROM problem
    """,
)

_PEOPLE = (
    # Not copied, since there may be millions; what is written always names its generation.
    "ALTER TABLE listens RENAME TO listen",
    "ALTER TABLE listen ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    "CREATE VIEW listens AS SELECT user, at_ms, id, track, kind, position_ms FROM listen",
    """
    CREATE TABLE erasure (
        user       TEXT PRIMARY KEY,
        at_ms      INTEGER NOT NULL,
        generation INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "INSERT INTO erasure SELECT user, at_ms, 0 FROM erasures",
    "DROP TABLE erasures",
    "CREATE VIEW erasures AS SELECT user, at_ms FROM erasure",
    "ALTER TABLE profiles RENAME TO profile",
    "CREATE VIEW profiles AS SELECT n, user, fold, version, count, body FROM profile",
    """
    CREATE TABLE user (
        name_key      TEXT PRIMARY KEY,
        id            TEXT NOT NULL UNIQUE,
        name          TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        created_ms    INTEGER NOT NULL,
        is_admin      INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    # Who made the first account has looked after the library so far.
    """
    INSERT INTO user
    SELECT name_key, id, name, password_hash, created_ms,
           id = (SELECT id FROM users ORDER BY created_ms, id LIMIT 1)
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
    SELECT id, user, 'api-token', label, created_ms, secret_hash FROM tokens
    """,
    "DROP TABLE tokens",
    "CREATE INDEX credentials_by_user ON credential (user)",
    """
    CREATE VIEW tokens AS
    SELECT secret_hash, id, user, label, created_ms FROM credential WHERE kind = 'api-token'
    """,
)

_LIBRARY = (
    # One row. `version` counts the changes of tracks; a copy names its source while it is unfinished.
    """
    CREATE TABLE library (
        n             INTEGER PRIMARY KEY CHECK (n = 1),
        id            TEXT,
        version       INTEGER NOT NULL,
        copy_of       TEXT,
        is_unfinished INTEGER NOT NULL
    )
    """,
    # A store that holds something gets its id now: artefacts and keys beside it belong to it.
    """
    INSERT INTO library
    SELECT 1,
           CASE WHEN EXISTS (SELECT 1 FROM track) OR EXISTS (SELECT 1 FROM root)
                  OR EXISTS (SELECT 1 FROM problem) OR EXISTS (SELECT 1 FROM listen)
                  OR EXISTS (SELECT 1 FROM erasure) OR EXISTS (SELECT 1 FROM user)
                THEN lower(hex(randomblob(16))) END,
           1, NULL, 0
    """,
)

VERSION_3 = (*_TRACKS, *_PEOPLE, *_LIBRARY)

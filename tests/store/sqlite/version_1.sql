-- A store of version 1, as it was written before listens were kept; never to be changed.
PRAGMA application_id = 1936614508;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE feature_sets (
            n           INTEGER PRIMARY KEY,
            name        TEXT NOT NULL,
            version     INTEGER NOT NULL,
            fingerprint TEXT NOT NULL,
            UNIQUE (name, version)
        );
INSERT INTO "feature_sets" VALUES(1,'tiny',1,'17f2d5241a85ee39928686a23b28fad2');
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
        ;
INSERT INTO "problems" VALUES('music',X'6261642E6D7033','empty',0,'',0,NULL,NULL);
CREATE TABLE roots (name TEXT PRIMARY KEY, location BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "roots" VALUES('music',X'2F6D75736963');
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
        );
INSERT INTO "tracks" VALUES(1,'t1','music',X'74312E6D7033',NULL,1000,'1700000000123456789','hash of t1','Größe',NULL,'Some Album',NULL,1999,30000,'audio/mpeg',1767323045678,NULL,'grosse',NULL,'some album');
INSERT INTO "tracks" VALUES(2,'t2','music',X'74322E6D7033',NULL,1000,'1700000000123456789','hash of t2',X'476F6E6520EDA080','Some Artist',NULL,NULL,NULL,30000,'audio/mpeg',1767323045678,1767323045678,'gone','some artist',NULL);
CREATE TABLE vectors (
            feature_set INTEGER NOT NULL REFERENCES feature_sets (n),
            track       INTEGER NOT NULL REFERENCES tracks (n) ON DELETE CASCADE,
            whole       BLOB NOT NULL,
            first_half  BLOB NOT NULL,
            second_half BLOB NOT NULL,
            PRIMARY KEY (track, feature_set)
        );
INSERT INTO "vectors" VALUES(1,1,X'69F0B03E9155523F0C2FA93EDBCDA6BF',X'67C5673F358BE43EC47509BF28C4143F',X'3CA9BA3E8998963EC3D5E83C62F50B3F');
CREATE TABLE words (
            word  BLOB NOT NULL,
            track INTEGER NOT NULL REFERENCES tracks (n) ON DELETE CASCADE,
            PRIMARY KEY (word, track)
        ) WITHOUT ROWID
        ;
INSERT INTO "words" VALUES(X'616C62756D',1);
INSERT INTO "words" VALUES(X'67726F737365',1);
INSERT INTO "words" VALUES(X'736F6D65',1);
CREATE INDEX tracks_by_hash ON tracks (audio_hash);
CREATE INDEX tracks_by_title ON tracks (title_key, id, vanished_ms) WHERE vanished_ms IS NULL;
CREATE INDEX tracks_by_artist ON tracks (artist_key, id, vanished_ms) WHERE vanished_ms IS NULL;
CREATE INDEX tracks_by_album ON tracks (album_key, id, vanished_ms) WHERE vanished_ms IS NULL;
CREATE INDEX tracks_by_year ON tracks (year, id, vanished_ms) WHERE vanished_ms IS NULL;
CREATE INDEX tracks_by_added ON tracks (added_ms, id, vanished_ms) WHERE vanished_ms IS NULL;
CREATE INDEX words_by_track ON words (track, word);
COMMIT;

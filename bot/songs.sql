-- The song index: derived from song files and a bundle, so it can always be made again.

CREATE TABLE songs (
    id       INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,            -- title and artist as one person would write them another way
    title    TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    artist   TEXT NOT NULL CHECK (length(artist) BETWEEN 1 AND 200),
    year     INTEGER CHECK (year BETWEEN 1000 AND 2999),
    language TEXT NOT NULL,
    genre    TEXT,
    source   TEXT NOT NULL CHECK (source IN ('original', 'catalogue', 'import')),
    story    TEXT NOT NULL CHECK (json_valid(story)),   -- {language: our sentence on the song}
    mixture  TEXT CHECK (mixture IS NULL OR json_valid(mixture)),          -- {emotion: share} by a listener's judgement
    themes   TEXT NOT NULL CHECK (json_valid(themes)),
    links    TEXT NOT NULL CHECK (json_valid(links))
) STRICT;

-- What of a song can answer a message: a lyric line, or for a song without lyrics our sentence on it.
CREATE TABLE passages (
    id        INTEGER PRIMARY KEY,
    song_id   INTEGER NOT NULL REFERENCES songs (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL CHECK (kind IN ('line', 'story')),
    position  INTEGER NOT NULL CHECK (position >= 0),   -- 1 is the first line; 0 a story
    start_ms  INTEGER CHECK (start_ms >= 0),
    text      TEXT NOT NULL,
    label     TEXT,                                     -- as its writer labelled it
    secondary TEXT,
    feeling   BLOB NOT NULL CHECK (length(feeling) = 20),   -- five float32 that sum to 1
    meaning   BLOB NOT NULL,                                -- float16 unit vector
    UNIQUE (song_id, position)
) STRICT;

CREATE VIRTUAL TABLE lyrics USING fts5 (words, tokenize = "unicode61 remove_diacritics 0");  -- rowid: passages.id

CREATE TABLE about (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    reader   TEXT NOT NULL,      -- fingerprint of the bundle the passages were read with
    revision INTEGER NOT NULL    -- grows with every change; names the vector file that fits
) STRICT;
INSERT INTO about VALUES (1, '', 0);

-- Moving and backing up an installation.

-- +goose Up
-- How far a copy into this database has come; a row with an empty name stands for the copy as a whole, and there is none when it is whole.
CREATE TABLE transfers (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_key TEXT NOT NULL
);

-- When "muster backup" last made one; 0: never.
ALTER TABLE installation ADD COLUMN backup_at BIGINT NOT NULL DEFAULT 0;

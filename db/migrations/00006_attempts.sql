-- Requests that carried an idempotency key, so that the same one again is not done twice.

-- +goose Up
CREATE TABLE attempts (
    credential TEXT COLLATE "C" NOT NULL,
    key_digest TEXT COLLATE "C" NOT NULL,
    request    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    status     BIGINT NOT NULL,
    -- Sealed by a key that the database does not hold.
    answer     TEXT NOT NULL,
    PRIMARY KEY (credential, key_digest)
);
CREATE INDEX attempts_age ON attempts (created_at);

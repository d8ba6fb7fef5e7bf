-- What sign-in asks for: sessions that a provider renews and ends, and names of people that outlive a client id.

-- +goose Up
ALTER TABLE identities ADD COLUMN object TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX identities_object ON identities (object, provider) WHERE object <> '';

ALTER TABLE sessions ADD COLUMN token_subject TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN last_seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;
-- Tokens are sealed by a key that the database does not hold.
ALTER TABLE sessions ADD COLUMN refresh_token TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN id_token TEXT NOT NULL DEFAULT '';
-- Who is renewing the session, and until when nobody else may.
ALTER TABLE sessions ADD COLUMN lease TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET token_subject = subject, last_seen_at = created_at, ends_at = expires_at;
DROP INDEX sessions_expiry;
CREATE INDEX sessions_end ON sessions (ends_at);
DROP INDEX sessions_subject;
CREATE INDEX sessions_subject ON sessions (issuer, token_subject);

ALTER TABLE flows ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE flows ADD COLUMN claims TEXT NOT NULL DEFAULT '[]';

-- Tokens by which providers ended sessions; each is good once.
CREATE TABLE logout_tokens (
    issuer     TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, id)
);
CREATE INDEX logout_tokens_expiry ON logout_tokens (expires_at);

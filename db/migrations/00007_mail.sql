-- Mail that waits to be sent, written in the commit of what it tells of; and which expiring tokens were told of.

-- +goose Up
CREATE TABLE outbox (
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id         TEXT COLLATE "C" NOT NULL,
    recipient  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    lease      TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    dead       BOOLEAN NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE dead = FALSE;

ALTER TABLE scim_tokens ADD COLUMN warned BIGINT NOT NULL DEFAULT 0;
CREATE INDEX scim_tokens_expiry ON scim_tokens (expires_at) WHERE expires_at > 0;

-- The audit log as a chain: each committed row gets a place and a hash over itself and the row before it.
-- Nothing else about a row ever changes.

-- +goose Up
ALTER TABLE audit_log ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_log ADD COLUMN hash TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_log ADD COLUMN workspace_id TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Rows that wait for their place are few, so that finding them is one look.
CREATE INDEX audit_log_waiting ON audit_log (org_id, id) WHERE seq = 0;
CREATE UNIQUE INDEX audit_log_place ON audit_log (org_id, seq) WHERE seq > 0;

CREATE TABLE audit_heads (
    org_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES orgs (id),
    seq    BIGINT NOT NULL,
    hash   TEXT NOT NULL
);

-- How far each organization's log has been sent on, and who is sending.
CREATE TABLE feeds (
    org_id      TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id          TEXT COLLATE "C" NOT NULL,
    seq         BIGINT NOT NULL,
    lease       TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE event_hooks (
    org_id      TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id          TEXT COLLATE "C" NOT NULL,
    url         TEXT NOT NULL,
    description TEXT NOT NULL,
    types       TEXT NOT NULL,
    enabled     BOOLEAN NOT NULL,
    -- Secrets are sealed by a key that the database does not hold.
    secret      TEXT NOT NULL,
    old_secret  TEXT NOT NULL,
    old_until   BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

-- Events that could not be delivered, so that somebody can look at them and send them again.
CREATE TABLE dead_letters (
    org_id     TEXT COLLATE "C" NOT NULL,
    hook_id    TEXT COLLATE "C" NOT NULL,
    event_id   TEXT COLLATE "C" NOT NULL,
    type       TEXT NOT NULL,
    body       TEXT NOT NULL,
    last_error TEXT NOT NULL,
    failed_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, hook_id, event_id),
    FOREIGN KEY (org_id, hook_id) REFERENCES event_hooks (org_id, id) ON DELETE CASCADE
);

-- What administration asks for: custom roles, invites by workspaces, keys that can be switched off, service accounts, the deprovision guard.

-- +goose Up
CREATE TABLE roles (
    org_id           TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id               TEXT COLLATE "C" NOT NULL,
    display_name     TEXT NOT NULL,
    display_name_key TEXT COLLATE "C" NOT NULL,
    description      TEXT NOT NULL,
    permissions      TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX roles_name ON roles (org_id, display_name_key);

-- Whether somebody vouched for the address, so that it may claim invites.
ALTER TABLE users ADD COLUMN email_proved BOOLEAN NOT NULL DEFAULT FALSE;

-- The roles of workspaces that decided for themselves.
ALTER TABLE invites ADD COLUMN own_roles TEXT NOT NULL DEFAULT '';
ALTER TABLE invites ADD COLUMN from_workspace BOOLEAN NOT NULL DEFAULT FALSE;
-- A person asks for invites before the organization is known.
CREATE INDEX invites_addressee ON invites (email_key);

ALTER TABLE workspaces ADD COLUMN handle TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX workspaces_handle ON workspaces (org_id, handle) WHERE handle <> '' AND deleted_at = 0;

CREATE TABLE service_accounts (
    org_id            TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id                TEXT COLLATE "C" NOT NULL,
    name              TEXT NOT NULL,
    name_key          TEXT COLLATE "C" NOT NULL,
    workspaces        TEXT NOT NULL,
    default_workspace TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX service_accounts_name ON service_accounts (org_id, name_key);

ALTER TABLE api_keys ADD COLUMN account_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN revoked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX api_keys_account ON api_keys (org_id, account_id) WHERE account_id <> '';

CREATE TABLE guards (
    org_id      TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES orgs (id),
    enabled     BOOLEAN NOT NULL,
    max_people  BIGINT NOT NULL,
    max_percent BIGINT NOT NULL,
    window_size BIGINT NOT NULL,
    state       TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    decided_by  TEXT NOT NULL,
    base        BIGINT NOT NULL
);

-- How many people lost access when; one row for every request that passed.
CREATE TABLE guard_spent (
    org_id TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id     TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    people BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX guard_spent_at ON guard_spent (org_id, at);

CREATE TABLE guard_held (
    org_id      TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    operation   TEXT COLLATE "C" NOT NULL,
    target_id   TEXT COLLATE "C" NOT NULL,
    target_kind TEXT NOT NULL,
    target_name TEXT NOT NULL,
    token_id    TEXT NOT NULL,
    first_at    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    requests    BIGINT NOT NULL,
    PRIMARY KEY (org_id, operation, target_id)
);

-- An organization can do without the record of how people join; only the default one cannot.
ALTER TABLE sso_settings ADD COLUMN removed BOOLEAN NOT NULL DEFAULT FALSE;

-- How many members were ever removed: while it stays, what was learned about places in the list of members holds.
ALTER TABLE scim_counts ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;

-- The audit log as a chain: each committed row gets a place and a hash over itself and the row before it.
-- Nothing else about a row ever changes.

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

-- Requests that carried an idempotency key, so that the same one again is not done twice.

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

-- Mail that waits to be sent, written in the commit of what it tells of; and which expiring tokens were told of.

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

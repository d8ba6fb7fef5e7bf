-- What SCIM 2.0 asks for beyond people and groups: how a token is read, schemas and resource types of one's own,
-- values that must be unique, groups inside groups, exact totals, and what identity providers asked for.

-- +goose Up
ALTER TABLE installation ADD COLUMN signing_key TEXT NOT NULL DEFAULT '';

ALTER TABLE scim_tokens ADD COLUMN profile TEXT NOT NULL DEFAULT 'auto';

CREATE UNIQUE INDEX scim_tokens_id ON scim_tokens (id);

-- Short-lived tokens that a client fetched with a SCIM token's id and secret; they end with that token.
CREATE TABLE scim_access_tokens (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL,
    token_id   TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (org_id, token_id) REFERENCES scim_tokens (org_id, id) ON DELETE CASCADE
);
CREATE INDEX scim_access_tokens_token ON scim_access_tokens (org_id, token_id);
CREATE INDEX scim_access_tokens_expiry ON scim_access_tokens (expires_at);

-- The schemas and resource types that an organization declared; revision says whether what a process remembers still holds.
CREATE TABLE scim_definitions (
    org_id     TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES orgs (id),
    revision   BIGINT NOT NULL,
    data       TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Resources of declared types.
CREATE TABLE scim_resources (
    org_id      TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    type        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    data        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    lock_rev    BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, type, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX scim_resources_external_id ON scim_resources (org_id, type, external_id) WHERE external_id <> '';

-- Values of declared attributes that only one resource of a type may have.
CREATE TABLE scim_unique_values (
    org_id      TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    type        TEXT COLLATE "C" NOT NULL,
    path        TEXT COLLATE "C" NOT NULL,
    value_key   TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, type, path, value_key)
);
CREATE INDEX scim_unique_values_resource ON scim_unique_values (org_id, resource_id);

-- Groups inside groups are kept and answered; they give nobody anything.
CREATE TABLE group_groups (
    org_id   TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    child_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, group_id, child_id),
    FOREIGN KEY (org_id, group_id) REFERENCES scim_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, child_id) REFERENCES scim_groups (org_id, id) ON DELETE CASCADE
);
CREATE INDEX group_groups_child ON group_groups (org_id, child_id);

-- Two groups may have one name where the organization allows it: then name_slot tells them apart.
ALTER TABLE scim_groups ADD COLUMN name_slot TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX scim_groups_display_name;
CREATE UNIQUE INDEX scim_groups_display_name ON scim_groups (org_id, display_name_key, name_slot);

-- How many users there are, spread over rows so that writers need not wait for each other.
CREATE TABLE scim_counts (
    org_id TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    shard  BIGINT NOT NULL,
    users  BIGINT NOT NULL,
    PRIMARY KEY (org_id, shard)
) WITH (fillfactor = 80);
INSERT INTO scim_counts (org_id, shard, users) SELECT org_id, 0, COUNT(*) FROM scim_users GROUP BY org_id;

CREATE INDEX scim_users_updated ON scim_users (org_id, updated_at, id);

-- What identity providers asked for, besides the changes, which the audit log has: reads, refusals, and what changed nothing.
CREATE TABLE scim_activity (
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id         TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    token_id   TEXT COLLATE "C" NOT NULL,
    request_id TEXT NOT NULL,
    method     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    target_id  TEXT COLLATE "C" NOT NULL,
    status     BIGINT NOT NULL,
    scim_type  TEXT NOT NULL,
    detail     TEXT NOT NULL,
    requests   BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX scim_activity_expiry ON scim_activity (at);

-- Attributes that a provider sent and no schema declares.
CREATE TABLE scim_undeclared (
    org_id    TEXT COLLATE "C" NOT NULL,
    token_id  TEXT COLLATE "C" NOT NULL,
    resource  TEXT COLLATE "C" NOT NULL,
    path      TEXT COLLATE "C" NOT NULL,
    requests  BIGINT NOT NULL,
    example   TEXT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (org_id, token_id, resource, path),
    FOREIGN KEY (org_id, token_id) REFERENCES scim_tokens (org_id, id) ON DELETE CASCADE
);

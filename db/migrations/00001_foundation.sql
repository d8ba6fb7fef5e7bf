-- One schema for PostgreSQL and SQLite.
-- Ids are text made in Go, times are microseconds since 1970 (0: none), JSON is text, and *_key columns hold folded text.
-- Text that is ordered or compared by range says COLLATE "C"; for SQLite, which compares bytes anyway, the clause is left out.
-- Rows that are updated often leave room on their page, so that PostgreSQL need not touch their indexes; SQLite has no such thing.
-- Every tenant table has org_id first in its primary key, unique indexes and foreign keys.

-- +goose Up
CREATE TABLE installation (
    id             BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    default_org_id TEXT NOT NULL,
    initial_org_id TEXT NOT NULL,
    admin_user_id  TEXT NOT NULL
);

CREATE TABLE users (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     TEXT COLLATE "C" NOT NULL,
    full_name     TEXT NOT NULL,
    full_name_key TEXT COLLATE "C" NOT NULL,
    lock_rev      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX users_email ON users (email_key) WHERE email_key <> '';

CREATE TABLE identities (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider   TEXT NOT NULL,
    issuer     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    email      TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX identities_subject ON identities (issuer, subject);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE sessions (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider   TEXT NOT NULL,
    issuer     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    sid        TEXT COLLATE "C" NOT NULL,
    auth_time  BIGINT NOT NULL,
    acr        TEXT NOT NULL,
    amr        TEXT NOT NULL,
    ip         TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_sid ON sessions (issuer, sid) WHERE sid <> '';
CREATE INDEX sessions_subject ON sessions (issuer, subject);

CREATE TABLE flows (
    state        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    binding      TEXT NOT NULL,
    provider     TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    verifier     TEXT NOT NULL,
    next         TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX flows_expiry ON flows (expires_at);

CREATE TABLE orgs (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display_name     TEXT NOT NULL,
    display_name_key TEXT COLLATE "C" NOT NULL,
    personal         BOOLEAN NOT NULL,
    created_by       TEXT NOT NULL,
    settings         TEXT NOT NULL,
    lock_rev         BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL,
    modified_at      BIGINT NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE sso_settings (
    org_id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES orgs (id),
    id                     TEXT COLLATE "C" NOT NULL,
    provider_id            TEXT NOT NULL,
    default_workspace_role TEXT NOT NULL,
    default_workspaces     TEXT NOT NULL,
    groups_enabled         BOOLEAN NOT NULL,
    groups_claim           TEXT NOT NULL,
    groups_required        BOOLEAN NOT NULL,
    groups_role_sync       BOOLEAN NOT NULL
);

CREATE TABLE workspaces (
    org_id           TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id               TEXT COLLATE "C" NOT NULL,
    display_name     TEXT NOT NULL,
    display_name_key TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    deleted_at       BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX workspaces_name ON workspaces (org_id, display_name_key) WHERE deleted_at = 0;

CREATE TABLE members (
    org_id            TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id                TEXT COLLATE "C" NOT NULL,
    user_id           TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    status            TEXT NOT NULL,
    role_id           TEXT COLLATE "C" NOT NULL,
    grant_kind        TEXT NOT NULL,
    grant_source      TEXT NOT NULL,
    grant_source_name TEXT NOT NULL,
    granted_at        BIGINT NOT NULL,
    replaced          TEXT NOT NULL,
    lock_rev          BIGINT NOT NULL DEFAULT 0,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX members_user ON members (org_id, user_id);
CREATE INDEX members_of_user ON members (user_id);
-- Counting the Organization Admins reads them and nobody else; the literal is the role's fixed id.
CREATE INDEX members_admins ON members (org_id, status) WHERE role_id = '00000000-0000-4000-8000-000000000001';

CREATE TABLE workspace_members (
    org_id            TEXT COLLATE "C" NOT NULL,
    member_id         TEXT COLLATE "C" NOT NULL,
    workspace_id      TEXT COLLATE "C" NOT NULL,
    role_id           TEXT COLLATE "C" NOT NULL,
    grant_kind        TEXT NOT NULL,
    grant_source      TEXT NOT NULL,
    grant_source_name TEXT NOT NULL,
    granted_at        BIGINT NOT NULL,
    replaced          TEXT NOT NULL,
    PRIMARY KEY (org_id, member_id, workspace_id),
    FOREIGN KEY (org_id, member_id) REFERENCES members (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, workspace_id) REFERENCES workspaces (org_id, id)
);
CREATE INDEX workspace_members_workspace ON workspace_members (org_id, workspace_id, member_id);

CREATE TABLE invites (
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id             TEXT COLLATE "C" NOT NULL,
    email          TEXT NOT NULL,
    email_key      TEXT COLLATE "C" NOT NULL,
    role_id        TEXT COLLATE "C" NOT NULL,
    workspaces     TEXT NOT NULL,
    workspace_role TEXT NOT NULL,
    invited_by     TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX invites_email ON invites (org_id, email_key);

CREATE TABLE scim_users (
    org_id           TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    user_id          TEXT COLLATE "C" NOT NULL,
    user_name_key    TEXT COLLATE "C" NOT NULL,
    external_id      TEXT COLLATE "C" NOT NULL,
    display_name_key TEXT COLLATE "C" NOT NULL,
    full_name        TEXT NOT NULL,
    active           BOOLEAN NOT NULL,
    data             TEXT NOT NULL,
    version          BIGINT NOT NULL,
    lock_rev         BIGINT NOT NULL DEFAULT 0,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, id) REFERENCES members (org_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX scim_users_user_name ON scim_users (org_id, user_name_key);
CREATE UNIQUE INDEX scim_users_external_id ON scim_users (org_id, external_id) WHERE external_id <> '';
-- Sign-in looks for an externalId over all organizations (R9).
CREATE INDEX scim_users_subject ON scim_users (external_id) WHERE external_id <> '';
CREATE INDEX scim_users_display_name ON scim_users (org_id, display_name_key);
CREATE INDEX scim_users_inactive ON scim_users (org_id, id) WHERE active = FALSE;

CREATE TABLE scim_emails (
    org_id    TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    value_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, member_id, value_key),
    FOREIGN KEY (org_id, member_id) REFERENCES scim_users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX scim_emails_value ON scim_emails (org_id, value_key, member_id);

CREATE TABLE scim_groups (
    org_id           TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id               TEXT COLLATE "C" NOT NULL,
    display_name     TEXT NOT NULL,
    display_name_key TEXT COLLATE "C" NOT NULL,
    external_id      TEXT COLLATE "C" NOT NULL,
    data             TEXT NOT NULL,
    mapping          TEXT NOT NULL,
    unmapped         TEXT NOT NULL,
    explicit         BOOLEAN NOT NULL,
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX scim_groups_display_name ON scim_groups (org_id, display_name_key);
CREATE UNIQUE INDEX scim_groups_external_id ON scim_groups (org_id, external_id) WHERE external_id <> '';

CREATE TABLE group_members (
    org_id    TEXT COLLATE "C" NOT NULL,
    group_id  TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, group_id, member_id),
    FOREIGN KEY (org_id, group_id) REFERENCES scim_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, member_id) REFERENCES scim_users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX group_members_member ON group_members (org_id, member_id, group_id);

CREATE TABLE scim_tokens (
    org_id       TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id           TEXT COLLATE "C" NOT NULL,
    digest       TEXT COLLATE "C" NOT NULL,
    description  TEXT NOT NULL,
    short        TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- A credential is looked up before its organization is known.
CREATE UNIQUE INDEX scim_tokens_digest ON scim_tokens (digest);

CREATE TABLE api_keys (
    org_id            TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    id                TEXT COLLATE "C" NOT NULL,
    kind              TEXT NOT NULL,
    digest            TEXT COLLATE "C" NOT NULL,
    short             TEXT NOT NULL,
    user_id           TEXT COLLATE "C" NOT NULL,
    description       TEXT NOT NULL,
    role_id           TEXT COLLATE "C" NOT NULL,
    org_role_id       TEXT COLLATE "C" NOT NULL,
    workspaces        TEXT NOT NULL,
    default_workspace TEXT NOT NULL,
    created_by        TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    last_used_at      BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
CREATE INDEX api_keys_user ON api_keys (org_id, user_id);

CREATE TABLE tombstones (
    org_id    TEXT COLLATE "C" NOT NULL REFERENCES orgs (id),
    digest    TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, digest, member_id)
);
CREATE INDEX tombstones_member ON tombstones (org_id, member_id);

-- The audit log outlives what it tells of and has no foreign key.
-- (org_id, op_id, op_n) is the commit marker: whether it is there says whether a transaction whose COMMIT was not answered happened.
CREATE TABLE audit_log (
    org_id      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    op_id       TEXT COLLATE "C" NOT NULL,
    op_n        BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    operation   TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor_id    TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    credential  TEXT NOT NULL,
    ip          TEXT NOT NULL,
    user_agent  TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    target_name TEXT NOT NULL,
    before      TEXT NOT NULL,
    after       TEXT NOT NULL,
    detail      TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX audit_log_operation ON audit_log (org_id, op_id, op_n);

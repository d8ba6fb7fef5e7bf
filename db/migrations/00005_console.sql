-- What the console looks up: people by the beginning of their name, members by role, reason and status, and what was done to somebody.

-- +goose Up
CREATE INDEX users_full_name ON users (full_name_key);
-- A role, a reason or a status that most members share needs no index: they are found at once.
CREATE INDEX members_role ON members (org_id, role_id, id) WHERE role_id <> '00000000-0000-4000-8000-000000000003';
CREATE INDEX members_grant ON members (org_id, grant_kind, id) WHERE grant_kind NOT IN ('jit', 'scim', 'group');
CREATE INDEX members_disabled ON members (org_id, id) WHERE status = 'disabled';

-- The folded address of a person, by which rows about somebody who is gone are found.
ALTER TABLE audit_log ADD COLUMN target_key TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE audit_log SET target_key = LOWER(target_name) WHERE target_kind IN ('user', 'invite');
CREATE INDEX audit_log_target ON audit_log (org_id, target_id, id) WHERE target_id <> '';
CREATE INDEX audit_log_person ON audit_log (org_id, target_key, id) WHERE target_key <> '';
-- Members whom a row concerns beside its target.
CREATE TABLE audit_about (
    org_id    TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, member_id, id)
);

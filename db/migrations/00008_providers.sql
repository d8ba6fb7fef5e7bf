-- Identity providers that an operator has disabled in an emergency, whatever the configuration says; all processes read them here.

-- +goose Up
CREATE TABLE disabled_providers (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    disabled_at BIGINT NOT NULL
);

-- Which programs may run on this schema, so that servers of two releases work side by side while one replaces the other.
-- A migration that only adds leaves this table alone; one that takes something away inserts a row with its own number and
-- the oldest schema whose programs do without what it takes. docs/upgrading.md has the steps.

-- +goose Up
CREATE TABLE schema_compatible (
    schema BIGINT NOT NULL PRIMARY KEY,
    oldest BIGINT NOT NULL
);

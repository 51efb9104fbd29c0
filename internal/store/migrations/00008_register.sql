-- +goose Up

-- The register of devices: what desks may believe (package register). op: 1 add, 2 remove, 3 mark.
-- hash is that of the list up to here.
CREATE TABLE register (
    number  BIGINT NOT NULL PRIMARY KEY,
    op      BIGINT NOT NULL,
    what    BYTEA  NOT NULL,
    hash    BYTEA  NOT NULL,
    time_ms BIGINT NOT NULL
);

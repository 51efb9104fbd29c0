-- +goose Up

-- How often somebody entered, changed or deleted absences, on the last day (YYYY-MM-DD) on which that was.
CREATE TABLE absence_acts (
    actor TEXT   NOT NULL PRIMARY KEY,
    day   TEXT   NOT NULL,
    acts  BIGINT NOT NULL
);

-- The time up to which old entries are forgotten, 0 before the first time: it goes ahead no faster than twice as long as
-- gateways run, whatever their clocks say.
CREATE TABLE tidied (
    id       INTEGER NOT NULL PRIMARY KEY,
    until_ms BIGINT  NOT NULL
);
INSERT INTO tidied (id, until_ms) SELECT 1, time_ms FROM chain_head WHERE id = 1;

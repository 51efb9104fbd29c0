-- +goose Up

-- Network adapters of a desk as its agent last reported them; wake: 0 unknown, 1 allowed, 2 forbidden. Prefixes with commas.
CREATE TABLE desk_adapters (
    desk_id  TEXT   NOT NULL REFERENCES desks (id),
    mac      BYTEA  NOT NULL,
    prefixes TEXT   NOT NULL,
    wake     BIGINT NOT NULL,
    PRIMARY KEY (desk_id, mac)
);

-- Always-on machines without a desk (jiseki-agent waker), and the networks that they reach by directed broadcast.
CREATE TABLE wakers (
    desk_id TEXT NOT NULL PRIMARY KEY REFERENCES desks (id),
    reaches TEXT NOT NULL
);

-- state: 1 queued, 2 sent, 3 on, 4 failed. The gateway that claimed a wake does its next step.
CREATE TABLE wakes (
    id               TEXT   NOT NULL PRIMARY KEY,
    desk_id          TEXT   NOT NULL REFERENCES desks (id),
    state            BIGINT NOT NULL,
    by_actor         TEXT   NOT NULL,
    plan             TEXT   NOT NULL,
    asked_ms         BIGINT NOT NULL,
    patient_ms       BIGINT NOT NULL,
    next_ms          BIGINT NOT NULL,
    sent_ms          BIGINT NOT NULL,
    ended_ms         BIGINT NOT NULL,
    waker            TEXT   NOT NULL,
    tried            TEXT   NOT NULL,
    failure          TEXT   NOT NULL,
    claimed_by       TEXT   NOT NULL,
    claimed_until_ms BIGINT NOT NULL
);
-- A desk is being woken once at a time, and once for each entry of the morning plan.
CREATE UNIQUE INDEX wakes_running ON wakes (desk_id) WHERE state < 3;
CREATE UNIQUE INDEX wakes_plan ON wakes (plan) WHERE plan <> '';
CREATE INDEX wakes_next ON wakes (next_ms) WHERE state < 3;
CREATE INDEX wakes_asked ON wakes (asked_ms, id);
CREATE INDEX wakes_desk ON wakes (desk_id, asked_ms);

-- When colleagues were last asked to switch a desk on.
CREATE TABLE power_asks (
    desk_id  TEXT   NOT NULL PRIMARY KEY REFERENCES desks (id),
    asked_ms BIGINT NOT NULL
);

-- Results of 持ち帰り前の確認, by the code that the help desk is told.
CREATE TABLE self_checks (
    code    TEXT   NOT NULL PRIMARY KEY,
    user_id TEXT   NOT NULL REFERENCES users (id),
    time_ms BIGINT NOT NULL,
    items   TEXT   NOT NULL
);
CREATE INDEX self_checks_time ON self_checks (time_ms);

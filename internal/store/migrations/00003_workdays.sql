-- +goose Up

-- Dates are days in Japan, YYYY-MM-DD; months YYYY-MM. A workday belongs to the date on which it began. kind: package telework.
CREATE TABLE workdays (
    user_id TEXT NOT NULL REFERENCES users (id),
    date    TEXT NOT NULL,
    done    TEXT NOT NULL,
    PRIMARY KEY (user_id, date)
);

-- until_ms is 0 while the segment lasts; it is then the last of its day.
CREATE TABLE workday_segments (
    user_id  TEXT   NOT NULL,
    date     TEXT   NOT NULL,
    position BIGINT NOT NULL,
    kind     BIGINT NOT NULL,
    from_ms  BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, date, position),
    FOREIGN KEY (user_id, date) REFERENCES workdays (user_id, date)
);
CREATE UNIQUE INDEX workday_segments_open ON workday_segments (user_id, date) WHERE until_ms = 0;
CREATE INDEX workday_segments_date ON workday_segments (date);

-- former are the segments that a correction replaced, as JSON.
CREATE TABLE workday_corrections (
    user_id TEXT   NOT NULL,
    date    TEXT   NOT NULL,
    number  BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    by_user TEXT   NOT NULL REFERENCES users (id),
    reason  TEXT   NOT NULL,
    former  TEXT   NOT NULL,
    PRIMARY KEY (user_id, date, number),
    FOREIGN KEY (user_id, date) REFERENCES workdays (user_id, date)
);

-- A month that the superior confirmed and nobody changed since.
CREATE TABLE month_confirmations (
    user_id      TEXT   NOT NULL REFERENCES users (id),
    month        TEXT   NOT NULL,
    confirmed_ms BIGINT NOT NULL,
    by_user      TEXT   NOT NULL REFERENCES users (id),
    PRIMARY KEY (user_id, month)
);

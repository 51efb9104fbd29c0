-- +goose Up

-- Dates are days in Japan, YYYY-MM-DD; empty: none. Minutes are after midnight.

-- What policy looks at of a user. Without a row: no employment, not registered, no clerk.
CREATE TABLE staff (
    user_id          TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    employment       TEXT    NOT NULL,
    mail             TEXT    NOT NULL,
    registered_until TEXT    NOT NULL,
    clerk            BOOLEAN NOT NULL
);

-- Working hours of a user: each row holds from its date on, on its weekdays (bit 0 Monday). start_minute = end_minute: no work.
CREATE TABLE staff_hours (
    user_id      TEXT   NOT NULL REFERENCES users (id),
    from_date    TEXT   NOT NULL,
    weekdays     BIGINT NOT NULL,
    start_minute BIGINT NOT NULL,
    end_minute   BIGINT NOT NULL,
    break_start  BIGINT NOT NULL,
    break_end    BIGINT NOT NULL,
    note         TEXT   NOT NULL,
    PRIMARY KEY (user_id, from_date, weekdays)
);

-- open: against weekends and holidays the hall is open on this day.
CREATE TABLE holidays (
    date TEXT    NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL,
    open BOOLEAN NOT NULL
);

-- second: a one-time password was given at the sign-in that opened the session. A changed policy decides running sessions anew.
ALTER TABLE sessions ADD COLUMN second BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN idle_ms BIGINT NOT NULL DEFAULT 0;

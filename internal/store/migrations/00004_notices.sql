-- +goose Up

-- once_key, if there, is told to a user once. mail_id is the mail that carries the notice; empty: none yet.
CREATE TABLE notices (
    id       TEXT   NOT NULL PRIMARY KEY,
    user_id  TEXT   NOT NULL REFERENCES users (id),
    kind     TEXT   NOT NULL,
    args     TEXT   NOT NULL,
    path     TEXT   NOT NULL,
    once_key TEXT,
    time_ms  BIGINT NOT NULL,
    read_ms  BIGINT NOT NULL,
    mail_id  TEXT   NOT NULL,
    UNIQUE (user_id, once_key)
);
CREATE INDEX notices_user ON notices (user_id, time_ms);
CREATE INDEX notices_mail ON notices (user_id) WHERE mail_id = '' AND read_ms = 0;

-- Outgoing mails. state: 1 waits, 2 sent, 3 given up. claim names who sends it now, until claim_until_ms.
CREATE TABLE mails (
    id             TEXT   NOT NULL PRIMARY KEY,
    user_id        TEXT   NOT NULL REFERENCES users (id),
    address        TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    body           TEXT   NOT NULL,
    state          BIGINT NOT NULL,
    tries          BIGINT NOT NULL,
    created_ms     BIGINT NOT NULL,
    give_up_ms     BIGINT NOT NULL,
    next_ms        BIGINT NOT NULL,
    sent_ms        BIGINT NOT NULL,
    last_error     TEXT   NOT NULL,
    claim          TEXT   NOT NULL,
    claim_until_ms BIGINT NOT NULL
);
CREATE INDEX mails_created ON mails (created_ms);
CREATE INDEX mails_next ON mails (state, next_ms);

-- When a user last got a digest.
CREATE TABLE mail_digests (
    user_id TEXT   NOT NULL PRIMARY KEY REFERENCES users (id),
    last_ms BIGINT NOT NULL
);

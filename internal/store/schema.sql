-- What the migrations end in. Written by go test ./internal/store -run Schema -update; do not edit.

CREATE TABLE absence_acts (
    actor TEXT   NOT NULL PRIMARY KEY,
    day   TEXT   NOT NULL,
    acts  BIGINT NOT NULL
);

CREATE TABLE absences (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    from_date  TEXT   NOT NULL,
    until_date TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    entered_by TEXT   NOT NULL,
    entered_ms BIGINT NOT NULL
);

CREATE INDEX absences_until ON absences (until_date);

CREATE INDEX absences_user ON absences (user_id);

CREATE TABLE agent_events (
    desk_id TEXT   NOT NULL REFERENCES desks (id),
    run     BYTEA  NOT NULL,
    seq     BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    PRIMARY KEY (desk_id, run, seq)
);

CREATE INDEX agent_events_time ON agent_events (time_ms);

CREATE TABLE chain_head (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number  BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    hash    BYTEA  NOT NULL
);

CREATE TABLE desk_adapters (
    desk_id  TEXT   NOT NULL REFERENCES desks (id),
    mac      BYTEA  NOT NULL,
    prefixes TEXT   NOT NULL,
    wake     BIGINT NOT NULL,
    PRIMARY KEY (desk_id, mac)
);

CREATE TABLE desk_tokens (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    desk_id    TEXT   REFERENCES desks (id),
    zone       BIGINT NOT NULL,
    section_id TEXT   REFERENCES sections (id),
    uses_left  BIGINT NOT NULL,
    until_ms   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

CREATE INDEX desk_tokens_desk ON desk_tokens (desk_id);

CREATE TABLE desk_users (
    desk_id TEXT NOT NULL REFERENCES desks (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (desk_id, user_id)
);

CREATE INDEX desk_users_user ON desk_users (user_id);

CREATE TABLE desks (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    zone          BIGINT  NOT NULL,
    section_id    TEXT    REFERENCES sections (id),
    public_key    BYTEA   UNIQUE,
    grade         BIGINT  NOT NULL,
    certificate   BYTEA,
    until_ms      BIGINT  NOT NULL,
    statement     BYTEA,
    hostname      TEXT    NOT NULL,
    agent_version TEXT    NOT NULL,
    system        TEXT    NOT NULL,
    created_ms    BIGINT  NOT NULL,
    enrolled_ms   BIGINT  NOT NULL,
    deleted_ms    BIGINT  NOT NULL,
    -- what the gateway that holds the agent's connection last knew
    epoch         BIGINT  NOT NULL,
    gateway       TEXT    NOT NULL,
    connected     BOOLEAN NOT NULL,
    last_seen_ms  BIGINT  NOT NULL,
    logged_in     BOOLEAN NOT NULL,
    locked        BOOLEAN NOT NULL,
    lockable      BOOLEAN NOT NULL,
    present       BOOLEAN NOT NULL
, screen_fault TEXT NOT NULL DEFAULT '');

CREATE INDEX desks_section ON desks (section_id);

CREATE TABLE device_codes (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    kind       BIGINT NOT NULL,
    until_ms   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL
, inventory TEXT NOT NULL DEFAULT '');

CREATE INDEX device_codes_user ON device_codes (user_id);

CREATE TABLE devices (
    id              TEXT    NOT NULL PRIMARY KEY,
    owner           TEXT    NOT NULL,
    label           TEXT    NOT NULL,
    kind            BIGINT  NOT NULL,
    grade           BIGINT  NOT NULL,
    public_key      BYTEA   NOT NULL UNIQUE,
    certificate     BYTEA   NOT NULL,
    until_ms        BIGINT  NOT NULL,
    persistent      BOOLEAN NOT NULL,
    enrolled_ms     BIGINT  NOT NULL,
    enrolled_by     TEXT    NOT NULL,
    last_used_ms    BIGINT  NOT NULL,
    revoked_ms      BIGINT  NOT NULL,
    revoked_reason  TEXT    NOT NULL
, inventory TEXT NOT NULL DEFAULT '');

CREATE INDEX devices_owner ON devices (owner);

CREATE TABLE events (
    number  BIGINT NOT NULL PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    actor   TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    session BYTEA,
    outcome TEXT   NOT NULL,
    code    TEXT   NOT NULL,
    details TEXT   NOT NULL,
    hash    BYTEA  NOT NULL
);

CREATE INDEX events_actor ON events (actor, number);

CREATE INDEX events_kind ON events (kind, number);

CREATE INDEX events_session ON events (session, number);

CREATE INDEX events_subject ON events (subject, number);

CREATE INDEX events_time ON events (time_ms, number);

CREATE TABLE gateways (
    id         TEXT   NOT NULL PRIMARY KEY,
    started_ms BIGINT NOT NULL,
    alive_ms   BIGINT NOT NULL
, seen_ms BIGINT NOT NULL DEFAULT 0, ahead_ms BIGINT NOT NULL DEFAULT 0);

CREATE TABLE holidays (
    date TEXT    NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL,
    open BOOLEAN NOT NULL
);

CREATE TABLE mail_digests (
    user_id TEXT   NOT NULL PRIMARY KEY REFERENCES users (id),
    last_ms BIGINT NOT NULL
);

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

CREATE INDEX mails_sent ON mails (sent_ms) WHERE state = 2;

CREATE TABLE month_confirmations (
    user_id      TEXT   NOT NULL REFERENCES users (id),
    month        TEXT   NOT NULL,
    confirmed_ms BIGINT NOT NULL,
    by_user      TEXT   NOT NULL REFERENCES users (id),
    PRIMARY KEY (user_id, month)
);

CREATE INDEX month_confirmations_month ON month_confirmations (month);

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

CREATE INDEX notices_mail ON notices (user_id) WHERE mail_id = '' AND read_ms = 0;

CREATE INDEX notices_read ON notices (user_id, read_ms);

CREATE INDEX notices_time ON notices (time_ms);

CREATE INDEX notices_user ON notices (user_id, time_ms);

CREATE TABLE organisation (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    name       TEXT   NOT NULL,
    settings   TEXT   NOT NULL,
    revision   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE posts (
    user_id    TEXT    NOT NULL REFERENCES users (id),
    section_id TEXT    NOT NULL REFERENCES sections (id),
    main       BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, section_id)
);

CREATE UNIQUE INDEX posts_main ON posts (user_id) WHERE main;

CREATE INDEX posts_section ON posts (section_id);

CREATE TABLE power_asks (
    desk_id  TEXT   NOT NULL PRIMARY KEY REFERENCES desks (id),
    asked_ms BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id TEXT   NOT NULL REFERENCES users (id),
    hash    BYTEA  NOT NULL,
    used_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE register (
    number  BIGINT NOT NULL PRIMARY KEY,
    op      BIGINT NOT NULL,
    what    BYTEA  NOT NULL,
    hash    BYTEA  NOT NULL,
    time_ms BIGINT NOT NULL
);

CREATE TABLE request_changes (
    request_id TEXT   NOT NULL REFERENCES requests (id),
    position   BIGINT NOT NULL,
    time_ms    BIGINT NOT NULL,
    by_user    TEXT   NOT NULL REFERENCES users (id),
    state      BIGINT NOT NULL,
    step       BIGINT NOT NULL,
    for_user   TEXT   REFERENCES users (id),
    comment    TEXT   NOT NULL,
    revision   BIGINT NOT NULL,
    PRIMARY KEY (request_id, position)
);

CREATE INDEX request_changes_by ON request_changes (by_user, time_ms);

CREATE TABLE request_days (
    request_id    TEXT   NOT NULL REFERENCES requests (id),
    date          TEXT   NOT NULL,
    unit          BIGINT NOT NULL,
    from_minute   BIGINT NOT NULL,
    until_minute  BIGINT NOT NULL,
    leave_minutes BIGINT NOT NULL,
    from_ms       BIGINT NOT NULL,
    until_ms      BIGINT NOT NULL,
    PRIMARY KEY (request_id, date)
);

CREATE INDEX request_days_date ON request_days (date);

CREATE TABLE request_steps (
    request_id   TEXT    NOT NULL REFERENCES requests (id),
    position     BIGINT  NOT NULL,
    section_id   TEXT    NOT NULL,
    section_name TEXT    NOT NULL,
    circulate    BOOLEAN NOT NULL,
    answer       BIGINT  NOT NULL,
    by_user      TEXT    REFERENCES users (id),
    for_user     TEXT    REFERENCES users (id),
    at_ms        BIGINT  NOT NULL,
    comment      TEXT    NOT NULL,
    seen_ms      BIGINT  NOT NULL,
    PRIMARY KEY (request_id, position)
);

CREATE INDEX request_steps_circulated ON request_steps (section_id) WHERE circulate AND seen_ms = 0;

CREATE INDEX request_steps_for ON request_steps (for_user) WHERE seen_ms = 0;

CREATE TABLE requests (
    id              TEXT    NOT NULL PRIMARY KEY,
    kind            BIGINT  NOT NULL,
    state           BIGINT  NOT NULL,
    user_id         TEXT    NOT NULL REFERENCES users (id),
    by_user_id      TEXT    NOT NULL REFERENCES users (id),
    section_id      TEXT    NOT NULL,
    section_name    TEXT    NOT NULL,
    place           BIGINT  NOT NULL,
    place_note      TEXT    NOT NULL,
    reason          BIGINT  NOT NULL,
    reason_text     TEXT    NOT NULL,
    work            TEXT    NOT NULL,
    personal_data   BOOLEAN NOT NULL,
    take_out        BOOLEAN NOT NULL,
    take_out_device TEXT    NOT NULL,
    after_fact      BOOLEAN NOT NULL,
    created_ms      BIGINT  NOT NULL,
    submitted_ms    BIGINT  NOT NULL,
    revision        BIGINT  NOT NULL,
    replaces        TEXT    REFERENCES requests (id)
);

CREATE INDEX requests_by ON requests (by_user_id) WHERE state IN (1, 3);

CREATE INDEX requests_replaces ON requests (replaces);

CREATE INDEX requests_user ON requests (user_id, created_ms);

CREATE INDEX requests_waiting ON requests (submitted_ms, id) WHERE state = 1;

CREATE TABLE section_heads (
    section_id TEXT   NOT NULL REFERENCES sections (id),
    position   BIGINT NOT NULL,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    PRIMARY KEY (section_id, position)
);

CREATE INDEX section_heads_user ON section_heads (user_id);

CREATE TABLE section_routes (
    section_id      TEXT    NOT NULL REFERENCES sections (id),
    position        BIGINT  NOT NULL,
    step_section_id TEXT    NOT NULL REFERENCES sections (id),
    circulate       BOOLEAN NOT NULL,
    PRIMARY KEY (section_id, position)
);

CREATE INDEX section_routes_step ON section_routes (step_section_id);

CREATE TABLE sections (
    id        TEXT   NOT NULL PRIMARY KEY,
    parent_id TEXT   REFERENCES sections (id),
    name      TEXT   NOT NULL,
    position  BIGINT NOT NULL
);

CREATE INDEX sections_parent ON sections (parent_id);

CREATE TABLE self_checks (
    code    TEXT   NOT NULL PRIMARY KEY,
    user_id TEXT   NOT NULL REFERENCES users (id),
    time_ms BIGINT NOT NULL,
    items   TEXT   NOT NULL
);

CREATE INDEX self_checks_time ON self_checks (time_ms);

CREATE TABLE sessions (
    id               BYTEA   NOT NULL PRIMARY KEY,
    user_id          TEXT    NOT NULL REFERENCES users (id),
    device_id        TEXT    NOT NULL REFERENCES devices (id),
    desk_id          TEXT    NOT NULL REFERENCES desks (id),
    viewer_kind      BIGINT  NOT NULL,
    place            BIGINT  NOT NULL,
    address          TEXT    NOT NULL,
    life             BIGINT  NOT NULL,
    nonce            BYTEA   NOT NULL,
    reconnect_of     BYTEA,
    rights           BIGINT  NOT NULL,
    relay            TEXT    NOT NULL,
    gateway          TEXT    NOT NULL,
    prepared_ms      BIGINT  NOT NULL,
    granted_ms       BIGINT  NOT NULL,
    opened_ms        BIGINT  NOT NULL,
    ended_ms         BIGINT  NOT NULL,
    until_ms         BIGINT  NOT NULL,
    end_code         BIGINT  NOT NULL,
    end_reason       TEXT    NOT NULL,
    bytes_to_viewer  BIGINT  NOT NULL,
    bytes_to_desk    BIGINT  NOT NULL,
    locked_after_end BOOLEAN NOT NULL
, second BOOLEAN NOT NULL DEFAULT FALSE, idle_ms BIGINT NOT NULL DEFAULT 0);

CREATE INDEX sessions_desk ON sessions (desk_id, prepared_ms);

CREATE INDEX sessions_desk_running ON sessions (desk_id, prepared_ms, id) WHERE life < 4;

CREATE INDEX sessions_device ON sessions (device_id, prepared_ms);

CREATE INDEX sessions_device_running ON sessions (device_id, prepared_ms, id) WHERE life < 4;

CREATE UNIQUE INDEX sessions_open ON sessions (desk_id) WHERE life = 3;

CREATE INDEX sessions_prepared ON sessions (prepared_ms, id);

CREATE INDEX sessions_running ON sessions (prepared_ms, id) WHERE life < 4;

CREATE INDEX sessions_user ON sessions (user_id, prepared_ms);

CREATE INDEX sessions_user_running ON sessions (user_id, prepared_ms, id) WHERE life < 4;

CREATE TABLE sign_ins (
    hash         BYTEA   NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id),
    device_id    TEXT    REFERENCES devices (id),
    second       BOOLEAN NOT NULL,
    place        BIGINT  NOT NULL,
    address      TEXT    NOT NULL,
    created_ms   BIGINT  NOT NULL,
    last_used_ms BIGINT  NOT NULL,
    until_ms     BIGINT  NOT NULL
);

CREATE INDEX sign_ins_until ON sign_ins (until_ms);

CREATE INDEX sign_ins_user ON sign_ins (user_id);

CREATE TABLE spent_nonces (
    nonce    BYTEA  NOT NULL PRIMARY KEY,
    until_ms BIGINT NOT NULL
);

CREATE INDEX spent_nonces_until ON spent_nonces (until_ms);

CREATE TABLE staff (
    user_id          TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    employment       TEXT    NOT NULL,
    mail             TEXT    NOT NULL,
    registered_until TEXT    NOT NULL,
    clerk            BOOLEAN NOT NULL
);

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

CREATE TABLE throttles (
    key      BYTEA  NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    until_ms BIGINT NOT NULL
);

CREATE INDEX throttles_last ON throttles (last_ms);

CREATE TABLE tidied (
    id       INTEGER NOT NULL PRIMARY KEY,
    until_ms BIGINT  NOT NULL
);

CREATE TABLE user_roles (
    user_id TEXT   NOT NULL REFERENCES users (id),
    role    BIGINT NOT NULL,
    PRIMARY KEY (user_id, role)
);

CREATE TABLE users (
    id                   TEXT    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    kana                 TEXT    NOT NULL,
    password_hash        TEXT    NOT NULL,
    must_change_password BOOLEAN NOT NULL,
    password_changed_ms  BIGINT  NOT NULL,
    disabled             BOOLEAN NOT NULL,
    totp_sealed          BYTEA,
    totp_last_step       BIGINT  NOT NULL,
    created_ms           BIGINT  NOT NULL,
    last_sign_in_ms      BIGINT  NOT NULL
);

CREATE TABLE wakers (
    desk_id TEXT NOT NULL PRIMARY KEY REFERENCES desks (id),
    reaches TEXT NOT NULL
);

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

CREATE INDEX wakes_asked ON wakes (asked_ms, id);

CREATE INDEX wakes_desk ON wakes (desk_id, asked_ms);

CREATE INDEX wakes_next ON wakes (next_ms) WHERE state < 3;

CREATE UNIQUE INDEX wakes_plan ON wakes (plan) WHERE plan <> '';

CREATE UNIQUE INDEX wakes_running ON wakes (desk_id) WHERE state < 3;

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

CREATE INDEX workday_segments_date ON workday_segments (date);

CREATE UNIQUE INDEX workday_segments_open ON workday_segments (user_id, date) WHERE until_ms = 0;

CREATE TABLE workdays (
    user_id TEXT NOT NULL REFERENCES users (id),
    date    TEXT NOT NULL,
    done    TEXT NOT NULL,
    PRIMARY KEY (user_id, date)
);

-- +goose Up

-- Requests and orders. Enumerations are those of the Go package telework. Sections are kept with their name and without reference:
-- the record outlives a reorganisation.
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
CREATE INDEX requests_user ON requests (user_id, created_ms);
CREATE INDEX requests_state ON requests (state, submitted_ms);
CREATE INDEX requests_replaces ON requests (replaces);

-- date is a day in Japan, YYYY-MM-DD; from_ms and until_ms are the same time as from_minute and until_minute of it.
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

-- The route of the present revision; answer 0: not decided. for_user is the absent head whom by_user stood in for.
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
CREATE INDEX request_steps_for ON request_steps (for_user) WHERE seen_ms = 0;

-- The history of a request; nothing is taken out of it. step 0: no step was decided.
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

-- How requests of a section, and of those below without a route of their own, go.
CREATE TABLE section_routes (
    section_id      TEXT    NOT NULL REFERENCES sections (id),
    position        BIGINT  NOT NULL,
    step_section_id TEXT    NOT NULL REFERENCES sections (id),
    circulate       BOOLEAN NOT NULL,
    PRIMARY KEY (section_id, position)
);
CREATE INDEX section_routes_step ON section_routes (step_section_id);

-- Days, both included, on which a head or deputy is away and the next in order decides.
CREATE TABLE absences (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    from_date  TEXT   NOT NULL,
    until_date TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    entered_by TEXT   NOT NULL,
    entered_ms BIGINT NOT NULL
);
CREATE INDEX absences_user ON absences (user_id);
CREATE INDEX absences_until ON absences (until_date);

-- +goose Down
DROP TABLE absences;
DROP TABLE section_routes;
DROP TABLE request_changes;
DROP TABLE request_steps;
DROP TABLE request_days;
DROP TABLE requests;

-- +goose Up

-- Sessions, requests and mails are kept for years, and most of them have ended: what is looked for among those that have not has an index of
-- those alone, and lists have the order that they are read in.
DROP INDEX sessions_life;
CREATE INDEX sessions_prepared ON sessions (prepared_ms, id);
CREATE INDEX sessions_running ON sessions (prepared_ms, id) WHERE life < 4;
CREATE INDEX sessions_user_running ON sessions (user_id, prepared_ms, id) WHERE life < 4;
CREATE INDEX sessions_device_running ON sessions (device_id, prepared_ms, id) WHERE life < 4;
CREATE INDEX sessions_desk_running ON sessions (desk_id, prepared_ms, id) WHERE life < 4;

DROP INDEX requests_state;
CREATE INDEX requests_waiting ON requests (submitted_ms, id) WHERE state = 1;
CREATE INDEX requests_by ON requests (by_user_id) WHERE state IN (1, 3);
CREATE INDEX request_steps_circulated ON request_steps (section_id) WHERE circulate AND seen_ms = 0;

CREATE INDEX notices_time ON notices (time_ms);
CREATE INDEX notices_read ON notices (user_id, read_ms);
CREATE INDEX mails_sent ON mails (sent_ms) WHERE state = 2;

CREATE INDEX month_confirmations_month ON month_confirmations (month);

CREATE INDEX events_time ON events (time_ms, number);

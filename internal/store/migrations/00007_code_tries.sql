-- +goose Up

-- Wrong one-time codes are counted in the sign-in that types them, so that nobody else can use up a user's code.
ALTER TABLE device_codes DROP COLUMN tries_left;

-- +goose Up

-- The inventory number (管理番号) of a lent device, by the administrator's record: '-' has none; empty for private ones,
-- and for those from before there was a record.
ALTER TABLE device_codes ADD COLUMN inventory TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN inventory TEXT NOT NULL DEFAULT '';

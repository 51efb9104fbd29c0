-- +goose Up

-- A gateway's last look at its clock, against which the others hold theirs: the database's clock then, 0 if it never looked or has
-- stopped, and by how much its own was ahead of that, both in milliseconds.
ALTER TABLE gateways ADD COLUMN seen_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE gateways ADD COLUMN ahead_ms BIGINT NOT NULL DEFAULT 0;

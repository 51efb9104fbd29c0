-- +goose Up

-- Why the screen of a desk cannot be shown, as its agent says by a code; empty: it can, or the agent is too old to know.
ALTER TABLE desks ADD COLUMN screen_fault TEXT NOT NULL DEFAULT '';

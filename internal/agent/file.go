package agent

import (
	"encoding/json"

	"jiseki/internal/durable"
)

// ownOnly is the mode of the agent's files: for the desk's user.
const ownOnly = 0o600

// replaceJSON writes v as JSON in the place of a file, as [durable.Replace] does.
func replaceJSON(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return durable.Replace(path, raw, ownOnly)
}

package gateway

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// longestSecret is more than any file of a secret holds, in bytes.
const longestSecret = 64 << 10

// readSecret reads a file that holds a secret, alone, without the end of its line. One to which others than its owner
// have rights is refused with code secret_exposed. name is what the configuration calls it.
func readSecret(name, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	if exposed(st) {
		return "", errExposed(name, path, st.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, longestSecret))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

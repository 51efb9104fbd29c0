package main

import "testing"

// TestSlipsOfTwoUsersAreTwoFiles, and none leaves the folder.
func TestSlipsOfTwoUsersAreTwoFiles(t *testing.T) {
	if fileName("a.b") == fileName("a_b") {
		t.Error("the slip of one user takes the place of another's")
	}
	for _, id := range []string{"../a", `..\a`, "a/b", "a\x00"} {
		for _, r := range fileName(id) {
			if r == '/' || r == '\\' || r < 0x20 {
				t.Errorf("%q becomes %q", id, fileName(id))
			}
		}
	}
}

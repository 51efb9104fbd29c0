package gateway

import "io/fs"

// modesCount says that file modes keep others out.
const modesCount = false

// rootInOthers: Windows gives what an administrator makes the rights of its folder.
func rootInOthers(fs.FileInfo) bool { return false }

package gateway

import (
	"io/fs"
	"os"
	"syscall"
)

// modesCount says that file modes keep others out.
const modesCount = true

// rootInOthers says that this process is root's and the folder is not. For everybody else the folder's mode decides.
func rootInOthers(folder fs.FileInfo) bool {
	st, ok := folder.Sys().(*syscall.Stat_t)
	return ok && os.Geteuid() == 0 && st.Uid != 0
}

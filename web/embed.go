// Package web holds the built pages of the portal, the console and the viewer.
// They are built from web/src by Vite; a checkout without them compiles too.
package web

import "embed"

// Dist is the folder dist as it was when the program was compiled. Without
// built pages it holds placeholder.txt alone.
//
//go:embed all:dist
var Dist embed.FS

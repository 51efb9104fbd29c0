package capture

import (
	"strings"

	"jiseki/internal/screen"
)

// arrow is the pointer shown when the system does not tell its shape. # is black, o is white.
const arrow = `
#...........
##..........
#o#.........
#oo#........
#ooo#.......
#oooo#......
#ooooo#.....
#oooooo#....
#ooooooo#...
#oooooooo#..
#ooooooooo#.
#oooooo#####
#ooo#oo#....
#oo##oo#....
#o#..#oo#...
##...#oo#...
......#oo#..
......#oo#..
.......##...
`

// Arrow returns the default pointer: black with a white body, 12 x 19 pixels, pointing at its top left.
func Arrow() *screen.Cursor {
	rows := strings.Fields(arrow)
	c := &screen.Cursor{Size: screen.Point{X: len(rows[0]), Y: len(rows)}}
	for _, row := range rows {
		for _, p := range row {
			switch p {
			case '#':
				c.Pix = append(c.Pix, 0, 0, 0, 255)
			case 'o':
				c.Pix = append(c.Pix, 255, 255, 255, 255)
			default:
				c.Pix = append(c.Pix, 0, 0, 0, 0)
			}
		}
	}
	return c
}

// Limits of docs/PROTOCOL.md section 5; the same as in internal/wire/limits.go.

/** Most coder bytes of one update. */
export const MAX_CODER_BYTES = 1 << 20;
/** Most keys in a held message. */
export const MAX_HELD = 32;
/** Most bytes of clipboard text. */
export const MAX_CLIPBOARD = 65536;
/** Most bytes of a text message. */
export const MAX_TEXT = 4096;
/** Most monitors of a layout. */
export const MAX_MONITORS = 16;
/** Greatest side of a cursor, in pixels. */
export const MAX_CURSOR_SIDE = 256;
/** How many cursors a viewer remembers. */
export const CURSOR_SLOTS = 64;
/** Most bytes of a str8. */
export const MAX_NAME = 255;
/** Greatest side of a layout, in pixels. */
export const MAX_SIDE = 16384;
/** Most pixels of a layout: a reader allocates the picture by it. */
export const MAX_PIXELS = 2 ** 26;
/** In `monitor` of start and view: the whole layout. */
export const ALL_MONITORS = 0xff;
/** How often held is sent while anything is held, in milliseconds. */
export const HELD_EVERY = 250;
/** The end of the year 9999, in Unix milliseconds. */
export const MAX_TIME = 253402300799999;

import { appendClipboard, parseClipboard, type Clipboard } from "./clipboard.ts";
import { appendCursor, appendCursorUse, parseCursor, parseCursorUse, type Cursor, type CursorUse } from "./cursor.ts";
import {
  appendEnd,
  appendNotice,
  parseAgentEnd,
  parseNotice,
  parseViewerEnd,
  type AgentEnd,
  type Notice,
  type ViewerEnd,
} from "./end.ts";
import { WireError } from "./error.ts";
import {
  appendHeld,
  appendKey,
  appendKeyTap,
  appendReleaseAll,
  parseHeld,
  parseKey,
  parseKeyTap,
  parseReleaseAll,
  type Held,
  type Key,
  type KeyTap,
  type ReleaseAll,
} from "./key.ts";
import { appendLayout, parseLayout, type Layout } from "./layout.ts";
import { appendLocks, parseLocks, parseLockState, type Locks, type LockState } from "./locks.ts";
import { appendMark, parseMark, parseMarked, type Mark, type Marked } from "./mark.ts";
import { appendPing, parsePing, parsePong, type Ping, type Pong } from "./ping.ts";
import { appendPointer, appendWheel, parsePointer, parseWheel, type Pointer, type Wheel } from "./pointer.ts";
import { Reader } from "./reader.ts";
import { appendStart, appendView, parseStart, parseView, type Start, type View } from "./start.ts";
import { appendText, parseText, type Text } from "./text.ts";
import { appendAck, appendUpdate, parseAck, parseUpdate, type Ack, type Update } from "./update.ts";
import { appendWelcome, parseWelcome, type Welcome } from "./welcome.ts";
import { TYPES, type Kind, type Route } from "./wire.ts";
import { Writer } from "./writer.ts";

/** What the viewer sends on control. */
export type ToAgent =
  | Start
  | View
  | Key
  | KeyTap
  | Held
  | Locks
  | Pointer
  | Wheel
  | Clipboard
  | ReleaseAll
  | Ping
  | ViewerEnd
  | Text
  | Marked;

/** What the agent sends on control. */
export type ToViewer = Welcome | Layout | Cursor | CursorUse | LockState | Notice | Pong | AgentEnd | Mark;

/** Any message. */
export type Message = ToAgent | ToViewer | Update | Ack;

/** The messages of each route. */
export interface RouteMessage {
  "control to_agent": ToAgent;
  "control to_viewer": ToViewer;
  "display to_viewer": Update;
  "display to_agent": Ack;
}

type Of<K extends Kind> = Extract<Message, { kind: K }>;
type Codecs = {
  readonly [K in Kind]: readonly [route: Route, append: (w: Writer, m: Of<K>) => void, parse: (r: Reader) => Of<K>];
};

const CODECS: Codecs = {
  start: ["control to_agent", appendStart, parseStart],
  view: ["control to_agent", appendView, parseView],
  key: ["control to_agent", appendKey, parseKey],
  key_tap: ["control to_agent", appendKeyTap, parseKeyTap],
  held: ["control to_agent", appendHeld, parseHeld],
  locks: ["control to_agent", appendLocks, parseLocks],
  pointer: ["control to_agent", appendPointer, parsePointer],
  wheel: ["control to_agent", appendWheel, parseWheel],
  clipboard: ["control to_agent", appendClipboard, parseClipboard],
  release_all: ["control to_agent", appendReleaseAll, parseReleaseAll],
  ping: ["control to_agent", appendPing, parsePing],
  viewer_end: ["control to_agent", appendEnd, parseViewerEnd],
  text: ["control to_agent", appendText, parseText],
  marked: ["control to_agent", appendMark, parseMarked],
  welcome: ["control to_viewer", appendWelcome, parseWelcome],
  layout: ["control to_viewer", appendLayout, parseLayout],
  cursor: ["control to_viewer", appendCursor, parseCursor],
  cursor_use: ["control to_viewer", appendCursorUse, parseCursorUse],
  lock_state: ["control to_viewer", appendLocks, parseLockState],
  notice: ["control to_viewer", appendNotice, parseNotice],
  pong: ["control to_viewer", appendPing, parsePong],
  agent_end: ["control to_viewer", appendEnd, parseAgentEnd],
  mark: ["control to_viewer", appendMark, parseMark],
  update: ["display to_viewer", appendUpdate, parseUpdate],
  ack: ["display to_agent", appendAck, parseAck],
};

const KINDS: (Kind | undefined)[] = [];
for (const [kind, type] of Object.entries(TYPES)) {
  KINDS[type] = kind as Kind;
}

/** Types with this bit may be skipped by a reader that does not know them. */
const SKIPPABLE = 0x80;

/**
 * Reads one message of a route. Throws a WireError; its class "skip" means that the message is to be passed over. Byte
 * fields are views into `bytes`, which the caller must leave alone as long as it uses them.
 */
export function parse<R extends Route>(route: R, bytes: Uint8Array): RouteMessage[R] {
  const type = bytes[0];
  if (type === undefined) {
    throw new WireError("short", 0);
  }
  const kind = KINDS[type];
  if (kind === undefined || CODECS[kind][0] !== route) {
    throw new WireError((type & SKIPPABLE) === 0 ? "type" : "skip", type);
  }
  const r = new Reader(bytes);
  const m = CODECS[kind][2](r);
  if (r.left > 0) {
    r.fail("trailer");
  }
  return m as RouteMessage[R];
}

/**
 * The bytes of a message, in a buffer of their own. Does not check: a message with fields out of their limits gives
 * bytes that every reader refuses. `w` may be passed to reuse one Writer.
 */
export function append(m: Message, w: Writer = new Writer()): Uint8Array<ArrayBuffer> {
  w.u8(TYPES[m.kind]);
  const body = CODECS[m.kind][1] as (w: Writer, m: Message) => void;
  body(w, m);
  return w.take();
}

// What the page and the worker that holds the session say to each other.

import type { Part } from "../draw/draw.ts";
import type { InputMessage } from "../input/sink.ts";
import type { Cause, State } from "./reconnect.ts";
import type { Clipboard } from "../wire/clipboard.ts";
import type { Layout } from "../wire/layout.ts";
import type { Text } from "../wire/text.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** All that is needed to open one session, once. */
export interface Opening {
  /** `wss://host:port/relay` */
  readonly relayUrl: string;
  /** The viewer's ticket, 32 bytes. */
  readonly ticket: Bytes;
  readonly grant: Bytes;
  /** Session id, 16 bytes. */
  readonly session: Bytes;
  /** Id of the desk. */
  readonly desk: string;
  readonly certificate: Bytes;
  readonly statement: Bytes;
  /** Keys of the CAs that are trusted for desks. */
  readonly deskCAs: readonly Bytes[];
  /** The device's identity key; its private half cannot be read. */
  readonly identity: { readonly key: CryptoKey; readonly publicKey: Bytes };
  /** X25519 key pair, fresh for this session. */
  readonly key: { readonly privateKey: CryptoKey; readonly publicKey: Bytes };
  /** Gateway's time minus this machine's, in milliseconds. */
  readonly clockOffset: number;
}

/** What the user wants to see. */
export interface View {
  readonly visible: boolean;
  /** Index of a monitor in the layout, or 255 for all. */
  readonly monitor: number;
}

/** From the page to the worker. */
export type ToEngine =
  | { readonly type: "begin"; readonly canvas: OffscreenCanvas; readonly view: View }
  /** answers `authorize` with the same id */
  | { readonly type: "opened"; readonly id: number; readonly opening: Opening }
  | { readonly type: "refused"; readonly id: number; readonly cause: Cause }
  | { readonly type: "send"; readonly message: InputMessage | Clipboard | Text }
  | { readonly type: "view"; readonly view: View }
  /** try again now rather than later */
  | { readonly type: "hurry" }
  /** open the session anew: the gateway would grant a longer one */
  | { readonly type: "renew" }
  | { readonly type: "end" }
  /** asks what the canvas shows: for tests */
  | { readonly type: "peek"; readonly id: number };

/** What a session does, over the last second. */
export interface Statistics {
  /** Updates drawn per second. */
  readonly updates: number;
  /** Bytes received per second inside the seal, both channels. */
  readonly bytes: number;
  /** Round trip to the desk in milliseconds: the last one, null before the first. */
  readonly roundTrip: number | null;
  /** Milliseconds spent decoding and drawing. */
  readonly busy: number;
  /**
   * Number of the last ping that was sent on this connection, and of the last one that the desk answered; 0 before the
   * first.
   */
  readonly asked: number;
  readonly answered: number;
  /** For how long nothing was heard of the desk, in milliseconds. */
  readonly silent: number;
}

/** The shape of the desk's pointer: R, G, B, A, colours premultiplied; 0 x 0 if hidden. */
export interface CursorShape {
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  readonly pix: Uint8Array;
}

/** What the canvas shows, read back. */
export interface Peek {
  readonly width: number;
  readonly height: number;
  /** R, G, B, A of each pixel. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  readonly generation: number;
  readonly seq: number;
  /** The last update said that the picture now equals the desk's. */
  readonly settled: boolean;
}

/** From the worker to the page. */
export type FromEngine =
  /** asks for a fresh grant; `continues` is the id of the session that was lost */
  | { readonly type: "authorize"; readonly id: number; readonly continues: Bytes | null }
  /** retryIn: milliseconds until the next attempt, in `waiting` */
  | { readonly type: "state"; readonly state: State; readonly retryIn: number }
  | {
      readonly type: "welcome";
      readonly rights: number;
      readonly sessionUntil: number;
      readonly idle: number;
      readonly lockable: boolean;
      /** The desk takes text messages: its agent is new enough. */
      readonly texts: boolean;
    }
  /** the picture on the canvas is now this part of this layout */
  | { readonly type: "layout"; readonly layout: Layout; readonly part: Part }
  | { readonly type: "cursor"; readonly cursor: CursorShape }
  | { readonly type: "locks"; readonly locks: number }
  | { readonly type: "notice"; readonly code: number; readonly seconds: number }
  | { readonly type: "statistics"; readonly statistics: Statistics }
  | { readonly type: "peeked"; readonly id: number; readonly peek: Peek | null };

import { MAX_TIME } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Always the agent's first message. */
export interface Welcome {
  readonly kind: "welcome";
  /** Random, of this start of the agent, 16 bytes. */
  readonly run: Uint8Array;
  /** The picture that start.resume names is what the first update builds on. */
  readonly resumed: boolean;
  /** The agent can lock the desk and read the lock back. */
  readonly lockable: boolean;
  /** As in the grant: bit 0 view, bit 1 input, bit 2 clipboard. */
  readonly rights: number;
  /** Unix milliseconds. */
  readonly sessionUntil: number;
  /** Seconds without input until the session ends; 0 = no limit. */
  readonly idle: number;
  /** Id of the desk. */
  readonly desk: string;
}

export function appendWelcome(w: Writer, m: Welcome): void {
  w.raw(m.run);
  w.flag(m.resumed);
  w.flag(m.lockable);
  w.u32(m.rights);
  w.u64(m.sessionUntil);
  w.u32(m.idle);
  w.str8(m.desk);
}

export function parseWelcome(r: Reader): Welcome {
  const run = r.take(16);
  const resumed = r.flag("resumed");
  const lockable = r.flag("lockable");
  const rights = r.u32();
  const sessionUntil = r.u64(MAX_TIME, "session_until");
  const idle = r.u32();
  return { kind: "welcome", run, resumed, lockable, rights, sessionUntil, idle, desk: r.str8("desk") };
}

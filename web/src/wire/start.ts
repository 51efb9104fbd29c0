import { ALL_MONITORS, MAX_MONITORS } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Opens the work of a session; always the viewer's first message. */
export interface Start {
  readonly kind: "start";
  readonly visible: boolean;
  /** Index in the layout, or ALL_MONITORS. */
  readonly monitor: number;
  /** The picture that the viewer still has from an earlier session; null for an empty one. */
  readonly resume: Resume | null;
}

/** Names the picture that a viewer still has. */
export interface Resume {
  /** `run` of that session's welcome, 16 bytes. */
  readonly run: Uint8Array;
  readonly generation: number;
  /** Last update that was applied. */
  readonly seq: number;
  /** SHA-256 of the picture, row after row, B G R X with X 0. */
  readonly hash: Uint8Array;
}

export function appendStart(w: Writer, m: Start): void {
  w.flag(m.visible);
  w.u8(m.monitor);
  w.flag(m.resume !== null);
  if (m.resume !== null) {
    w.raw(m.resume.run);
    w.u32(m.resume.generation);
    w.u32(m.resume.seq);
    w.raw(m.resume.hash);
  }
}

export function parseStart(r: Reader): Start {
  const visible = r.flag("visible");
  const monitor = parseMonitorIndex(r);
  const resume = r.flag("resume") ? parseResume(r) : null;
  return { kind: "start", visible, monitor, resume };
}

function parseResume(r: Reader): Resume {
  const run = r.take(16);
  const generation = r.u32();
  const seq = r.u32();
  return { run, generation, seq, hash: r.take(32) };
}

function parseMonitorIndex(r: Reader): number {
  const v = r.u8();
  r.check(v < MAX_MONITORS || v === ALL_MONITORS, "monitor");
  return v;
}

/** Says what the viewer shows from now on. A hidden viewer is sent nothing. */
export interface View {
  readonly kind: "view";
  readonly visible: boolean;
  /** Index in the layout, or ALL_MONITORS. */
  readonly monitor: number;
}

export function appendView(w: Writer, m: View): void {
  w.flag(m.visible);
  w.u8(m.monitor);
}

export function parseView(r: Reader): View {
  const visible = r.flag("visible");
  return { kind: "view", visible, monitor: parseMonitorIndex(r) };
}

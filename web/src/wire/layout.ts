import { MAX_MONITORS, MAX_PIXELS, MAX_SIDE } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Bytes of a monitor with an empty name. */
const MONITOR_HEAD = 10;

/** One output of a desk, in layout pixels. */
export interface Monitor {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly primary: boolean;
  readonly name: string;
}

/**
 * The arrangement of the desk's monitors. Sides are 1 to MAX_SIDE, their product at most MAX_PIXELS; every monitor lies
 * within the layout.
 */
export interface Layout {
  readonly kind: "layout";
  readonly generation: number;
  readonly width: number;
  readonly height: number;
  /** 1 to MAX_MONITORS. */
  readonly monitors: readonly Monitor[];
}

export function appendLayout(w: Writer, m: Layout): void {
  w.u32(m.generation);
  w.u16(m.width);
  w.u16(m.height);
  w.u8(m.monitors.length);
  for (const mon of m.monitors) {
    w.u16(mon.x);
    w.u16(mon.y);
    w.u16(mon.width);
    w.u16(mon.height);
    w.flag(mon.primary);
    w.str8(mon.name);
  }
}

export function parseLayout(r: Reader): Layout {
  const generation = r.u32();
  const width = r.u16();
  const height = r.u16();
  r.check(width >= 1 && width <= MAX_SIDE, "width");
  r.check(height >= 1 && height <= MAX_SIDE, "height");
  r.check(width * height <= MAX_PIXELS, "area");
  const n = r.u8();
  r.check(n >= 1 && n <= MAX_MONITORS, "n");
  if (r.left < n * MONITOR_HEAD) {
    r.fail("short");
  }
  const monitors: Monitor[] = [];
  while (monitors.length < n) {
    monitors.push(parseMonitor(r, width, height));
  }
  return { kind: "layout", generation, width, height, monitors };
}

function parseMonitor(r: Reader, right: number, bottom: number): Monitor {
  const x = r.u16();
  const y = r.u16();
  const width = r.u16();
  const height = r.u16();
  r.check(width > 0 && height > 0 && x + width <= right && y + height <= bottom, "monitor");
  const primary = r.flag("primary");
  return { x, y, width, height, primary, name: r.str8("name") };
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readVectors, toHex } from "../vectors/vectors.ts";
import { END_CODES, endName } from "./end.ts";
import { WireError, type Class } from "./error.ts";
import { MAX_CLIPBOARD, MAX_CODER_BYTES, MAX_HELD } from "./limits.ts";
import { append, parse, type Message } from "./parser.ts";
import { TYPES, type Route } from "./wire.ts";
import { Writer } from "./writer.ts";

const ROUTES: readonly Route[] = ["control to_agent", "control to_viewer", "display to_viewer", "display to_agent"];

/** The value of a message in the form of vectors/README.md. */
function plain(v: unknown): unknown {
  if (v instanceof Uint8Array) {
    return toHex(v);
  }
  if (Array.isArray(v)) {
    return v.map(plain);
  }
  if (typeof v === "object" && v !== null) {
    const out: Record<string, unknown> = {};
    for (const [k, x] of Object.entries(v)) {
      if (k !== "kind") {
        out[k.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)] = plain(x);
      }
    }
    return out;
  }
  return v;
}

/** The class of the error that parsing throws, or "ok". */
function classOf(route: Route, bytes: Uint8Array): Class | "ok" {
  try {
    parse(route, bytes);
    return "ok";
  } catch (e) {
    if (e instanceof WireError) {
      return e.class;
    }
    throw e;
  }
}

/** How much of an open-ended message comes before its last field. */
const OPEN_ENDED: Partial<Record<number, number>> = { [TYPES.clipboard]: 1, [TYPES.text]: 1, [TYPES.update]: 10 };

describe("vectors", () => {
  for (const v of readVectors("wire")) {
    const route = v.header.get("route") as Route;
    test(v.name, () => {
      expect(ROUTES).toContain(route);
      expect(classOf(route, v.payload)).toBe(v.header.get("expect"));
      if (v.header.get("expect") !== "ok") {
        return;
      }
      const m = parse(route, v.payload);
      expect(plain(m)).toEqual(JSON.parse(v.header.get("value") ?? ""));
      expect(toHex(append(m))).toBe(toHex(v.payload));

      const type = v.payload[0] ?? 0;
      expect(m.kind.replace(/^(viewer|agent)_end$/, "end")).toBe(v.header.get("message"));
      const fixed = OPEN_ENDED[type] ?? v.payload.length;
      for (let n = 0; n < fixed; n++) {
        expect(classOf(route, v.payload.subarray(0, n))).toBe("short");
      }
      if (OPEN_ENDED[type] === undefined) {
        const longer = new Uint8Array(v.payload.length + 1);
        longer.set(v.payload);
        expect(classOf(route, longer)).toBe("trailer");
      }
      for (const other of ROUTES) {
        expect(classOf(other, v.payload) === "ok").toBe(other === route);
      }
    });
  }

  test("there is one for each kind", () => {
    const seen = new Set(
      readVectors("wire")
        .filter((v) => v.header.get("expect") === "ok")
        .map((v) => v.payload[0]),
    );
    expect(new Set(Object.values(TYPES))).toEqual(seen);
  });
});

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i16 = fc.integer({ min: -0x8000, max: 0x7fff });
const code = fc.integer({ min: 1, max: 0xffff });
const buttons = fc.integer({ min: 0, max: 31 });
const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
const codes = fc.uniqueArray(code, { maxLength: MAX_HELD }).map((c) => c.sort((a, b) => a - b));
const monitor = fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constant(255));
const name = fc.string({ unit: "binary", maxLength: 60 }).filter((s) => new TextEncoder().encode(s).length <= 255);

const cursor = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 })).chain(([width, height]) =>
  fc.record({
    kind: fc.constant("cursor" as const),
    slot: fc.integer({ min: 0, max: 63 }),
    width: fc.constant(width),
    height: fc.constant(height),
    hotX: fc.integer({ min: 0, max: width - 1 }),
    hotY: fc.integer({ min: 0, max: height - 1 }),
    pix: bytes(4 * width * height),
  }),
);

const side = fc.integer({ min: 1, max: 16384 });
const sides = side.chain((width) =>
  fc.tuple(fc.constant(width), fc.integer({ min: 1, max: Math.min(16384, Math.floor(2 ** 26 / width)) })),
);

const layout = sides.chain(([width, height]) =>
  fc.record({
    kind: fc.constant("layout" as const),
    generation: u32,
    width: fc.constant(width),
    height: fc.constant(height),
    monitors: fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: width - 1 }), fc.integer({ min: 0, max: height - 1 }), fc.boolean(), name)
        .map(([x, y, primary, n]) => ({ x, y, width: width - x, height: height - y, primary, name: n })),
      { minLength: 1, maxLength: 16 },
    ),
  }),
);

const message: fc.Arbitrary<[Route, Message]> = fc.oneof(
  fc
    .oneof(
      fc.record({
        kind: fc.constant("start" as const),
        visible: fc.boolean(),
        monitor,
        resume: fc.option(fc.record({ run: bytes(16), generation: u32, seq: u32, hash: bytes(32) })),
      }),
      fc.record({ kind: fc.constant("view" as const), visible: fc.boolean(), monitor }),
      fc.record({ kind: fc.constant("key" as const), code, down: fc.boolean() }),
      fc.record({ kind: fc.constant("key_tap" as const), code }),
      fc.record({ kind: fc.constant("held" as const), buttons, codes }),
      fc.record({ kind: fc.constant("locks" as const), locks: fc.integer({ min: 0, max: 7 }) }),
      fc.record({ kind: fc.constant("pointer" as const), generation: u32, x: u16, y: u16, buttons }),
      fc.record({ kind: fc.constant("wheel" as const), generation: u32, x: u16, y: u16, dx: i16, dy: i16 }),
      fc.record({
        kind: fc.constant("clipboard" as const),
        text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }).filter((s) => !s.includes("\0")),
      }),
      fc.record({ kind: fc.constant("release_all" as const) }),
      fc.record({ kind: fc.constant("ping" as const), id: u32 }),
      fc.record({ kind: fc.constant("viewer_end" as const), code }),
      fc.record({
        kind: fc.constant("text" as const),
        text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }).filter((s) => !s.includes("\0")),
      }),
      fc.record({ kind: fc.constant("marked" as const), id: u32 }),
    )
    .map((m): [Route, Message] => ["control to_agent", m]),
  fc
    .oneof(
      fc.record({
        kind: fc.constant("welcome" as const),
        run: bytes(16),
        resumed: fc.boolean(),
        lockable: fc.boolean(),
        rights: u32,
        sessionUntil: fc.integer({ min: 0, max: 253402300799999 }),
        idle: u32,
        desk: name,
      }),
      layout,
      cursor,
      fc.record({ kind: fc.constant("cursor_use" as const), slot: fc.integer({ min: 0, max: 63 }) }),
      fc.record({ kind: fc.constant("lock_state" as const), locks: fc.integer({ min: 0, max: 7 }) }),
      fc.record({ kind: fc.constant("notice" as const), code, seconds: u32 }),
      fc.record({ kind: fc.constant("pong" as const), id: u32 }),
      fc.record({ kind: fc.constant("agent_end" as const), code }),
      fc.record({ kind: fc.constant("mark" as const), id: u32 }),
    )
    .map((m): [Route, Message] => ["control to_viewer", m]),
  fc
    .record({
      kind: fc.constant("update" as const),
      seq: u32.filter((s) => s > 0),
      generation: u32,
      flags: fc.integer({ min: 0, max: 3 }),
      coder: fc.uint8Array(),
    })
    .map((m): [Route, Message] => ["display to_viewer", m]),
  fc
    .record({ kind: fc.constant("ack" as const), seq: u32.filter((s) => s > 0), decodeMicros: u32 })
    .map((m): [Route, Message] => ["display to_agent", m]),
);

describe("properties", () => {
  test("what is appended parses to the same, in one reused writer", () => {
    const w = new Writer();
    fc.assert(
      fc.property(message, ([route, m]) => {
        expect(parse(route, append(m, w))).toEqual(m);
      }),
      { numRuns: 2000 },
    );
  });

  test("no prefix parses", () => {
    fc.assert(
      fc.property(message, ([route, m]) => {
        const whole = append(m);
        const fixed = OPEN_ENDED[whole[0] ?? 0] ?? whole.length;
        for (let n = 0; n < fixed; n++) {
          expect(classOf(route, whole.subarray(0, n))).toBe("short");
        }
      }),
    );
  });

  test("any bytes are refused with a class or are canonical", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ROUTES),
        fc.constantFrom(...Object.values(TYPES)),
        fc.uint8Array({ maxLength: 80 }),
        u8,
        (route, type, body, at) => {
          const b = Uint8Array.of(type, ...body.map((x, i) => (i === at ? x : x % 4)));
          if (classOf(route, b) === "ok") {
            expect(toHex(append(parse(route, b)))).toBe(toHex(b));
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});

test("bounds of open-ended messages", () => {
  const coder = new Uint8Array(MAX_CODER_BYTES + 1);
  expect(
    classOf("display to_viewer", append({ kind: "update", seq: 1, generation: 1, flags: 0, coder: coder.subarray(1) })),
  ).toBe("ok");
  expect(classOf("display to_viewer", append({ kind: "update", seq: 1, generation: 1, flags: 0, coder }))).toBe(
    "range",
  );
  expect(classOf("control to_agent", append({ kind: "clipboard", text: "x".repeat(MAX_CLIPBOARD) }))).toBe("ok");
  expect(classOf("control to_agent", append({ kind: "clipboard", text: "x".repeat(MAX_CLIPBOARD + 1) }))).toBe("range");
});

test("byte fields are views, also into the middle of a buffer", () => {
  const whole = append({ kind: "update", seq: 1, generation: 2, flags: 0, coder: Uint8Array.of(1, 2, 3) });
  const buffer = new Uint8Array(whole.length + 7);
  buffer.set(whole, 5);
  const m = parse("display to_viewer", buffer.subarray(5, 5 + whole.length));
  expect(m.coder.buffer).toBe(buffer.buffer);
  expect([...m.coder]).toEqual([1, 2, 3]);
});

test("names are cut between characters", () => {
  const m = parse(
    "control to_viewer",
    append({
      kind: "layout",
      generation: 1,
      width: 9,
      height: 9,
      monitors: [{ x: 0, y: 0, width: 9, height: 9, primary: false, name: "席".repeat(100) }],
    }),
  );
  expect(m.kind === "layout" && m.monitors[0]?.name).toBe("席".repeat(85));
});

test("end codes have names", () => {
  expect(endName(END_CODES.taken_over)).toBe("taken_over");
  expect(endName(99)).toBeUndefined();
});

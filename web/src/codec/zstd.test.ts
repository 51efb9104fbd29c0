import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readVectors, type Vector } from "../vectors/vectors.ts";
import { parseFrameHeader, ZstdError, ZstdStream } from "./zstd.ts";

interface Stream {
  readonly name: string;
  readonly window: number;
  /** Coded bytes of each part, without the frame's header. */
  readonly pieces: Uint8Array[];
  readonly lengths: number[];
  readonly sums: string[];
}

function load({ name, header, payload }: Vector): Stream {
  const parts = JSON.parse(header.get("value")!) as [number, number, string][];
  const { window, size } = parseFrameHeader(payload);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [coded] of parts) {
    pieces.push(payload.subarray(at === 0 ? size : at, at + coded));
    at += coded;
  }
  expect(at).toBe(payload.length);
  return { name, window, pieces, lengths: parts.map((p) => p[1]), sums: parts.map((p) => p[2]) };
}

const vectors = readVectors("zstd").map(load);

const LIMIT = 4 << 20;
const sum = (b: Uint8Array): string => createHash("sha256").update(b).digest("hex").slice(0, 16);

function last(s: ZstdStream, n: number): Uint8Array {
  return s.mem.subarray(s.end - n, s.end);
}

describe("vectors", () => {
  test("there are some", () => expect(vectors.length).toBeGreaterThan(4));
  for (const v of vectors) {
    test(v.name, () => {
      const s = new ZstdStream(v.window, LIMIT);
      v.pieces.forEach((p, i) => {
        const n = s.decode(p);
        expect(n).toBe(v.lengths[i]);
        expect(sum(last(s, n))).toBe(v.sums[i]);
      });
    });
  }
});

test("the ring may be turned after any piece", () => {
  // A small limit and many copies of the vectors' far matches: with the window cut to what they reach, pieces wrap
  // often.
  const v = vectors.find((x) => x.name === "far_match")!;
  const s = new ZstdStream(1 << 24, 1_100_000);
  for (let round = 0; round < 4; round++) {
    v.pieces.forEach((p, i) => {
      const n = s.decode(p);
      expect(sum(last(s, n))).toBe(v.sums[i]);
      if (round === 0 && i + 1 === v.pieces.length) {
        expect(n).toBe(40_000);
      }
    });
  }
});

test("a piece may not decode to more than its limit", () => {
  const v = vectors.find((x) => x.name === "raw_and_rle")!;
  const s = new ZstdStream(v.window, 399_999);
  s.decode(v.pieces[0]!);
  expect(() => s.decode(v.pieces[1]!)).toThrow(expect.objectContaining({ fault: "limit" }));
  expect(() => s.decode(v.pieces[2]!)).toThrow(expect.objectContaining({ fault: "ended" }));
});

test("every prefix of a piece fails or yields fewer bytes", () => {
  const v = vectors.find((x) => x.name === "levels_best")!;
  const whole = v.pieces[0]!;
  const s = new Source(v.window);
  for (let n = 1; n < whole.length; n++) {
    const got = s.fresh(whole.subarray(0, n));
    expect(typeof got === "number" ? got : got.fault).toBe("short");
  }
});

test("flipped bits never hang, nor read or write out of bounds", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...vectors.filter((v) => v.name !== "far_match")),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
      (v, flips) => {
        const s = new ZstdStream(1 << 20, 1 << 19);
        try {
          v.pieces.forEach((p, i) => {
            const bad = p.slice();
            for (const [at, by] of flips) {
              if (at % v.pieces.length === i) {
                bad[at % bad.length] = bad[at % bad.length]! ^ by;
              }
            }
            expect(s.decode(bad)).toBeLessThanOrEqual(1 << 19);
          });
        } catch (e) {
          expect(e).toBeInstanceOf(ZstdError);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("random blocks fail cleanly", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 600 }), (content) => {
      const head = (content.length << 3) | (2 << 1);
      const s = new ZstdStream(1 << 18, 1 << 18);
      try {
        s.decode(Uint8Array.of(head & 255, head >> 8, head >> 16, ...content));
      } catch (e) {
        expect(e).toBeInstanceOf(ZstdError);
      }
    }),
    { numRuns: 3000 },
  );
});

test("headers other than a session's are refused", () => {
  const good = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x78];
  expect(parseFrameHeader(Uint8Array.from(good))).toEqual({ window: 1 << 25, size: 6 });
  for (const [at, value] of [
    [0, 0x29],
    [4, 0x01], // dictionary
    [4, 0x04], // checksum
    [4, 0x08], // reserved
    [4, 0x10], // unused
    [4, 0x20], // single segment
    [4, 0x40], // content size
    [5, 0x79], // window above 32 MB
  ] as const) {
    const bad = Uint8Array.from(good);
    bad[at] = value;
    expect(() => parseFrameHeader(bad)).toThrow(expect.objectContaining({ fault: "header" }));
  }
  expect(() => parseFrameHeader(Uint8Array.from(good.slice(0, 5)))).toThrow(
    expect.objectContaining({ fault: "short" }),
  );
});

/** Decodes single pieces, each with a new stream. */
class Source {
  readonly #window: number;

  constructor(window: number) {
    this.#window = Math.min(window, 1 << 20);
  }

  fresh(piece: Uint8Array): number | ZstdError {
    try {
      return new ZstdStream(this.#window, 1 << 19).decode(piece);
    } catch (e) {
      if (e instanceof ZstdError) {
        return e;
      }
      throw e;
    }
  }
}

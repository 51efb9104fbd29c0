import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readVectors, toHex, type Vector } from "../vectors/vectors.ts";
import { CodecError, Decoder, hashPicture, toBGRX } from "./decoder.ts";

/** FNV-1a, 64 bits. */
function fnv(bytes: Uint8Array): string {
  let h = 0xcbf29ce484222325n;
  for (const b of bytes) {
    h = BigInt.asUintN(64, (h ^ BigInt(b)) * 0x100000001b3n);
  }
  return h.toString(16).padStart(16, "0");
}

const numbers = (v: Vector, name: string): number[] => v.header.get(name)!.split(" ").map(Number);

function decoderOf(v: Vector): Decoder {
  const [w, h] = numbers(v, "size");
  return new Decoder(w!, h!);
}

function updates(v: Vector): Uint8Array[] {
  let at = 0;
  return numbers(v, "updates").map((n) => v.payload.subarray(at, (at += n)));
}

const vectors = readVectors("codec");
const good = vectors.filter((v) => v.header.get("expect") === "ok");

describe("vectors", () => {
  test("there are good and bad ones", () => {
    expect(good.length).toBeGreaterThan(8);
    expect(vectors.length - good.length).toBeGreaterThan(20);
  });

  test.each(good.map((v) => [v.name, v] as const))("%s", (_, v) => {
    const d = decoderOf(v);
    for (const u of updates(v)) {
      d.decode(u);
    }
    expect(fnv(toBGRX(d.pixels))).toBe(v.header.get("hash"));
  });

  test.each(vectors.filter((v) => !good.includes(v)).map((v) => [v.name, v] as const))("%s", (_, v) => {
    const d = decoderOf(v);
    const all = updates(v);
    for (const u of all.slice(0, -1)) {
      d.decode(u);
    }
    const bad = all[all.length - 1]!;
    expect(() => d.decode(bad)).toThrow(expect.objectContaining({ class: v.header.get("expect") }));
    expect(() => d.decode(bad)).toThrow("broken");
  });
});

test("damage covers every pixel that an update changes", () => {
  for (const v of good) {
    const d = decoderOf(v);
    for (const u of updates(v)) {
      const before = d.pixels.slice();
      d.decode(u);
      const seen = new Uint8Array(before.length);
      const { damage } = d;
      for (let i = 0; i < damage.length; i += 4) {
        const [x, y, w, h] = damage.subarray(i, i + 4) as unknown as [number, number, number, number];
        for (let row = y; row < y + h; row++) {
          seen.fill(1, row * d.width + x, row * d.width + x + w);
        }
      }
      expect(before.findIndex((p, i) => p !== d.pixels[i] && seen[i] === 0)).toBe(-1);
    }
  }
});

test("every prefix of a single update fails", () => {
  for (const v of good.filter((x) => updates(x).length === 1)) {
    const [u] = updates(v);
    const step = Math.max(1, Math.floor(u!.length / 100));
    for (let n = 0; n < u!.length; n += step) {
      expect(() => decoderOf(v).decode(u!.subarray(0, n))).toThrow(CodecError);
    }
  }
}, 120_000);

test("damaged updates end in an error or a picture of the same size, never elsewhere", () => {
  const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.array(flip, { minLength: 1, maxLength: 3 }), (v, flips) => {
      const bad = v.payload.slice();
      for (const [at, by] of flips) {
        bad[at % bad.length] = bad[at % bad.length]! ^ by;
      }
      const d = decoderOf({ ...v, payload: bad });
      try {
        for (const u of updates({ ...v, payload: bad })) {
          d.decode(u);
        }
      } catch (e) {
        expect(e).toBeInstanceOf(CodecError);
      }
      expect(d.pixels.every((p) => p >>> 24 === 255)).toBe(true);
    }),
    { numRuns: 300 },
  );
}, 120_000);

/** LEB128. */
function leb(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)];
}

/** An update whose commands are not compressed, so that a property can choose them. */
function plainly(commands: readonly number[], photos: readonly number[], first: boolean): Uint8Array {
  const head = commands.length << 3;
  const blocks = [...(first ? [0x28, 0xb5, 0x2f, 0xfd, 0, 0x78] : []), head & 255, head >> 8, head >> 16, ...commands];
  return Uint8Array.from([...leb(commands.length), ...leb(blocks.length), ...blocks, ...photos]);
}

// Numbers near what counts in a picture of 100 x 70 pixels, as often as any byte.
const command = fc.oneof(
  fc.nat(255).map((b) => [b]),
  fc
    .constantFrom(0, 1, 2, 3, 4, 6, 30, 63, 64, 69, 70, 71, 99, 100, 101, 4096, 7000, 7001, 16384, 32767, 2 ** 28)
    .map(leb),
);
const anything = fc.array(command, { maxLength: 60 }).map((list) => list.flat());
/** Saves, moves and loads: none, one that is likely to be good, or anything. */
const sections = fc.oneof(
  fc.constant([0, 0, 0]),
  fc
    .tuple(fc.nat(9), fc.nat(9), fc.nat(60), fc.nat(60))
    .map(([dx, dy, w, h]) => [1, 0, 0, 1, 2 * dx, 2 * dy, 0, 0, w + 1, h + 1, 0, 1, 0, 0, 0]),
  anything,
);
/** A region of one colour, or anything. */
const region = fc.oneof(
  fc.tuple(fc.nat(50), fc.nat(30), fc.nat(60), fc.nat(60)).map(([x, y, w, h]) => {
    const area = (w + 1) * (h + 1) - 1;
    const run = area === 0 ? [] : area < 16 ? [0xdf + area] : [0xef, ...leb(area - 16)];
    return [0, x, y, w + 1, h + 1, 0xff, x, y, w, ...run];
  }),
  anything,
);
const photos = fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(255), { maxLength: 20 }));
const commands = fc
  .tuple(sections, region)
  .map((parts) => parts.flat())
  .filter((c) => c.length > 0);

test("whatever the commands say, it is an error or stays inside the picture", () => {
  const pixels = Array.from({ length: 210 }, (_, i) => i);
  const begin = plainly([1, 0, 0, 0, 0, 2, 5, 5, 10, 7, ...pixels], [], true); // a tile is saved, a rectangle is drawn
  let decoded = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(commands, photos), { minLength: 1, maxLength: 3 }), (list) => {
      const d = new Decoder(100, 70);
      d.decode(begin);
      try {
        for (const [c, p] of list) {
          d.decode(plainly(c, p, false));
          decoded++;
          const { damage } = d;
          for (let i = 0; i < damage.length; i += 4) {
            const [x, y, w, h] = damage.subarray(i, i + 4) as unknown as [number, number, number, number];
            expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 100 && y + h <= 70).toBe(true);
          }
        }
      } catch (e) {
        expect(e).toBeInstanceOf(CodecError);
      }
      expect(d.pixels.every((p) => p >>> 24 === 255)).toBe(true);
    }),
    { numRuns: 300 },
  );
  expect(decoded).toBeGreaterThan(20);
}, 120_000);

test("a mirror is copied and the picture is hashed as B G R 0", async () => {
  const mirror = Int32Array.of(0xff030201 | 0, 0xff0c0b0a | 0);
  const d = new Decoder(2, 1, mirror);
  expect([...toBGRX(d.pixels)]).toEqual([3, 2, 1, 0, 0x0c, 0x0b, 0x0a, 0]);
  mirror.fill(0);
  expect(toHex(await hashPicture(d.pixels))).toBe(
    toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.of(3, 2, 1, 0, 12, 11, 10, 0)))),
  );
  expect(() => new Decoder(3, 1, mirror)).toThrow(CodecError);
  expect(() => new Decoder(0, 1)).toThrow(CodecError);
  expect(() => new Decoder(1, 16385)).toThrow(CodecError);
  expect(() => new Decoder(16384, 4097)).toThrow(CodecError);
});

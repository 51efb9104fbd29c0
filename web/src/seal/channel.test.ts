import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bytes } from "../cert/reader.ts";
import { fromHex, toHex, type Vector } from "../vectors/vectors.ts";
import { Channel, MAX_MESSAGE } from "./channel.ts";
import { SealError } from "./error.ts";
import { LoneOwner, pattern, ScriptedPipe, value, vectors } from "./sealtest.ts";
import { type ChannelNumber, type DirectionNumber, frame, Ratchet, Shape, unframe } from "./record.ts";

const SECRET = fromHex("5b".repeat(32));

interface Start {
  secret: Bytes;
  counter: number;
  bytes: number;
}

const ZERO: Start = { secret: SECRET, counter: 0, bytes: 0 };

/** Seals messages into records. */
async function seal(shape: Shape, start: Start, messages: readonly Bytes[]): Promise<Bytes[]> {
  const pipe = new ScriptedPipe([]);
  const out = new Ratchet(start.secret, "encrypt", start.counter, start.bytes);
  const parts = { pipe, out, outShape: shape, in: new Ratchet(start.secret, "decrypt"), inShape: shape };
  const channel = new Channel({ ...parts, owner: new LoneOwner() });
  await Promise.all(messages.map((m) => channel.send(m)));
  return pipe.sent;
}

/** Opens records until one fails ("failure") or none is left ("pipe"). */
async function open(
  shape: Shape,
  start: Start,
  records: readonly Bytes[],
): Promise<{ messages: Bytes[]; failure: string }> {
  const pipe = new ScriptedPipe([...records]);
  const opener = new Ratchet(start.secret, "decrypt", start.counter, start.bytes);
  const parts = { pipe, in: opener, inShape: shape, out: new Ratchet(start.secret, "encrypt"), outShape: shape };
  const channel = new Channel({ ...parts, owner: new LoneOwner() });
  const messages: Bytes[] = [];
  for (;;) {
    try {
      messages.push(await channel.receive());
    } catch (e) {
      if (e instanceof SealError) {
        return { messages, failure: e.failure };
      }
      throw e;
    }
  }
}

interface State {
  channel: ChannelNumber;
  direction: DirectionNumber;
  secret: string;
  counter: number;
  bytes: number;
  lengths: number[];
}

const CLASS: Record<string, string> = { pipe: "ok", open: "tag", size: "range", record: "range" };

function split(v: Vector, lengths: readonly number[]): Bytes[] {
  let at = 0;
  return lengths.map((n) => {
    at += n;
    return v.payload.slice(at - n, at);
  });
}

describe("vectors", () => {
  const list = vectors.filter((v) => v.header.get("message") === "records");
  test.each(list.map((v) => [v.name, v] as const))("%s", async (_, v) => {
    const state = JSON.parse(v.header.get("state") ?? "") as State;
    const want = JSON.parse(v.header.get("value") ?? "") as { messages: string[] | null };
    const shape = new Shape(state.channel, state.direction);
    const start = { secret: fromHex(state.secret), counter: state.counter, bytes: state.bytes };
    const records = split(v, state.lengths);
    const got = await open(shape, start, records);
    expect(CLASS[got.failure]).toBe(v.header.get("expect"));
    expect(got.messages.map(toHex)).toEqual(want.messages ?? []);
    if (v.header.get("expect") === "ok") {
      const again = await seal(shape, start, (want.messages ?? []).map(fromHex));
      expect(again.map(toHex)).toEqual(records.map(toHex));
    }
  });

  test.each(value.first)("first message of channel $channel, direction $direction", async (f) => {
    const secret = fromHex(value.secrets[2 * f.channel + f.direction] ?? "");
    const shape = new Shape(f.channel, f.direction);
    const records = await seal(shape, { ...ZERO, secret }, [fromHex(f.message)]);
    expect(records.map(toHex)).toEqual([f.record]);
    const { messages } = await open(shape, { ...ZERO, secret }, [fromHex(f.record)]);
    expect(messages.map(toHex)).toEqual([f.message]);
  });
});

const SHAPES = [new Shape(0, 0), new Shape(0, 1), new Shape(1, 0), new Shape(1, 1)] as const;

describe("a man in the middle", () => {
  test.each(SHAPES.map((s) => [s.channel, s.direction, s] as const))(
    "channel %i, direction %i",
    async (_c, _d, shape) => {
      const records = await seal(shape, ZERO, [pattern(5), pattern(6), pattern(7)]);
      const [a, b, c] = records as [Bytes, Bytes, Bytes];
      const [foreign] = (await seal(shape, { ...ZERO, secret: new Uint8Array(32) }, [pattern(5)])) as [Bytes];
      const flip = (r: Bytes, at: number) => r.map((x, i) => (i === at ? x ^ 8 : x));
      const cases: [string, Bytes[], number, string][] = [
        ["untouched", [a, b, c], 3, "pipe"],
        ["replayed", [a, a], 1, "open"],
        ["replayed later", [a, b, a], 2, "open"],
        ["swapped", [b, a], 0, "open"],
        ["left out", [a, c], 1, "open"],
        ["first bit", [flip(a, 0)], 0, "open"],
        ["tag", [flip(a, a.length - 1)], 0, "open"],
        ["cut", [a.slice(0, -1)], 0, "size"],
        ["one byte more", [Uint8Array.from([...a, 0])], 0, "size"],
        ["empty", [new Uint8Array(0)], 0, "size"],
        ["too long", [new Uint8Array(61_440 + 1024 + 16)], 0, "size"],
        ["other key", [foreign], 0, "open"],
      ];
      for (const [name, list, through, failure] of cases) {
        const got = await open(shape, ZERO, list);
        expect([name, got.messages.length, got.failure]).toEqual([name, through, failure]);
      }
    },
  );
});

describe("messages", () => {
  test("of every size come whole and in order, also over a ratchet", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 8 });
    const starts = fc.record({
      counter: fc.integer({ min: 65_530, max: 65_536 }),
      bytes: fc.integer({ min: 2 ** 30 - 4000, max: 2 ** 30 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SHAPES), sizes, starts, async (shape, list, at) => {
        const start = { ...at, secret: SECRET };
        const messages = list.map(pattern);
        const got = await open(shape, start, await seal(shape, start, messages));
        expect(got.failure).toBe("pipe");
        expect(got.messages.map(toHex)).toEqual(messages.map(toHex));
      }),
      { numRuns: 60 },
    );
  });

  test("the greatest passes and one byte more does not", async () => {
    const shape = new Shape(1, 1);
    const big = new Uint8Array(MAX_MESSAGE).fill(7);
    const got = await open(shape, ZERO, await seal(shape, ZERO, [big]));
    expect(got.messages[0]?.length).toBe(MAX_MESSAGE);
    await expect(seal(shape, ZERO, [new Uint8Array(MAX_MESSAGE + 1)])).rejects.toMatchObject({ failure: "too_large" });
  });

  test("an endless one is refused", async () => {
    const shape = new Shape(1, 1);
    const ratchet = new Ratchet(SECRET, "encrypt");
    const full = frame(61_440, new Uint8Array(61_437), false);
    const records: Bytes[] = [];
    for (let i = 0; i < 36; i++) {
      records.push(await ratchet.seal(full.slice()));
    }
    expect(await open(shape, ZERO, records)).toEqual({ messages: [], failure: "too_large" });
  });

  test("what is sent may be overwritten at once", async () => {
    const shape = new Shape(0, 0);
    const pipe = new ScriptedPipe([]);
    const out = new Ratchet(SECRET, "encrypt");
    const parts = { pipe, out, outShape: shape, in: new Ratchet(SECRET, "decrypt"), inShape: shape };
    const channel = new Channel({ ...parts, owner: new LoneOwner() });
    const message = pattern(40);
    const sent = channel.send(message);
    message.fill(0);
    await sent;
    const got = await open(shape, ZERO, pipe.sent);
    expect(got.messages.map(toHex)).toEqual([toHex(pattern(40))]);
  });
});

describe("plaintext of a record", () => {
  const good = frame(64, pattern(9), true);
  const changed = (at: number, to: number) => good.map((x, i) => (i === at ? to : x));

  test("good", () => {
    expect(unframe(good.slice())).toEqual({ payload: pattern(9), last: true });
  });

  test.each([
    ["unknown flag", changed(0, 3)],
    ["high flag", changed(0, 0x81)],
    ["longer than the record", changed(2, 62)],
    ["much longer", changed(1, 0xff)],
    ["padding", changed(63, 1)],
    ["padding right after the payload", changed(12, 1)],
    ["padded and not the last", changed(0, 0)],
    ["no bytes", new Uint8Array(0)],
  ])("%s", (_, b) => {
    expect(() => unframe(b)).toThrow(SealError);
  });
});

test("sizes are those of the table", () => {
  const sizes = (s: Shape) => Array.from({ length: 62_500 }, (_, i) => i).filter((i) => s.has(i));
  expect(sizes(SHAPES[0])).toEqual([256]);
  expect(sizes(SHAPES[2])).toEqual([64]);
  expect(sizes(SHAPES[1])).toEqual(Array.from({ length: 240 }, (_, i) => 256 * (i + 1)));
  const steps = [...range(64, 1024, 64), ...range(1280, 8192, 256), ...range(9216, 61_440, 1024)];
  expect(sizes(SHAPES[3])).toEqual(steps);
  for (const s of SHAPES) {
    const wrong = range(1, s.largest, 1).filter((n) => s.round(n) < n || !s.has(s.round(n)));
    expect(wrong).toEqual([]);
  }
});

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step);
}

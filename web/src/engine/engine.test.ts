import { beforeAll, describe, expect, test, vi } from "vitest";
import { Decoder, hashPicture, toBGRX } from "../codec/decoder.ts";
import type { Sealed } from "./connection.ts";
import type { Surface } from "../draw/draw.ts";
import { Engine, partOf } from "./engine.ts";
import type { FromEngine, Opening } from "./messages.ts";
import type { Phase } from "./reconnect.ts";
import { LinkError } from "../link/error.ts";
import { SealError } from "../seal/error.ts";
import { readVectors, toHex } from "../vectors/vectors.ts";
import { append, parse, type RouteMessage, type ToAgent, type ToViewer } from "../wire/parser.ts";
import { FRESH, SETTLED, type Ack, type Update } from "../wire/update.ts";

beforeAll(() => {
  vi.stubGlobal(
    "ImageData",
    class {
      readonly data: Uint8ClampedArray;
      constructor(data: Uint8ClampedArray) {
        this.data = data;
      }
    },
  );
});

/** Lets every promise that can go on do so. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

class Queue {
  readonly #items: (Uint8Array | Error)[] = [];
  #take: (() => void) | null = null;

  put(item: Uint8Array | Error): void {
    this.#items.push(item);
    this.#take?.();
  }

  async receive(): Promise<Uint8Array> {
    while (this.#items.length === 0) {
      await new Promise<void>((resolve) => (this.#take = resolve));
    }
    const item = this.#items[0]!;
    if (item instanceof Error) {
      throw item;
    }
    this.#items.shift();
    return item;
  }
}

/** The desk's end of a seal, in memory. */
class Desk implements Sealed {
  version = 2;
  readonly fromDesk = { control: new Queue(), display: new Queue() };
  readonly heard: ToAgent[] = [];
  readonly acks: number[] = [];
  closed: number | null = null;
  readonly control = {
    send: async (m: Uint8Array) => void this.heard.push(parse("control to_agent", m)),
    receive: () => this.fromDesk.control.receive(),
  };
  readonly display = {
    send: async (m: Uint8Array) => void this.acks.push((parse("display to_agent", m) satisfies Ack).seq),
    receive: () => this.fromDesk.display.receive(),
  };

  close(code: number): void {
    this.closed ??= code;
    this.fail(new SealError("closed"));
  }
  fail(e: Error): void {
    this.fromDesk.control.put(e);
    this.fromDesk.display.put(e);
  }
  say(m: ToViewer): void {
    this.fromDesk.control.put(append(m));
  }
  show(m: Omit<Update, "kind">): void {
    this.fromDesk.display.put(append({ kind: "update", ...m }));
  }
  welcome(resumed = false, run = 7): void {
    const rest = { lockable: true, rights: 3, sessionUntil: 1_800_000_000_000, idle: 900, desk: "desk-1" };
    this.say({ kind: "welcome", run: new Uint8Array(16).fill(run), resumed, ...rest });
  }
  layout(generation: number): void {
    const monitors = [
      { x: 0, y: 0, width: 60, height: 70, primary: true, name: "A" },
      { x: 60, y: 0, width: 40, height: 70, primary: false, name: "B" },
    ];
    this.say({ kind: "layout", generation, width: 100, height: 70, monitors });
  }
}

const surface: Surface = {
  width: 0,
  height: 0,
  getContext: () => ({
    putImageData: () => undefined,
    getImageData: () => new ImageData(new Uint8ClampedArray(4), 1, 1),
  }),
};

class Page {
  readonly heard: FromEngine[] = [];
  readonly desks: Desk[] = [];
  readonly timers: { at: number; f: () => void }[] = [];
  time = 0;
  failure: Error | null = null;
  /** The desk does not answer the handshake. */
  silent = false;
  readonly engine = new Engine({
    dial: async (_opening, linked, signal) => {
      if (this.failure !== null) {
        throw this.failure;
      }
      linked();
      if (this.silent) {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(new LinkError(1000, "aborted", false))),
        );
      }
      const desk = new Desk();
      this.desks.push(desk);
      return desk;
    },
    emit: (m) => this.heard.push(m),
    now: () => this.time,
    random: () => 0.5,
    after: (ms, f) => {
      const timer = { at: this.time + ms, f };
      this.timers.push(timer);
      return () => this.timers.splice(this.timers.indexOf(timer) >>> 0, this.timers.includes(timer) ? 1 : 0);
    },
  });

  constructor() {
    this.engine.begin(surface, { visible: true, monitor: 255 });
  }

  get desk(): Desk {
    return this.desks.at(-1)!;
  }
  get phases(): Phase[] {
    return this.heard.flatMap((m) => (m.type === "state" ? [m.state.phase] : []));
  }
  get state() {
    return this.heard.findLast((m) => m.type === "state")!.state;
  }

  async grant(): Promise<void> {
    const ask = this.heard.findLast((m) => m.type === "authorize")!;
    const session = new Uint8Array(16).fill(ask.id);
    this.engine.handle({ type: "opened", id: ask.id, opening: { session } as unknown as Opening });
    await settle();
  }

  /** Lets time pass; what falls due happens. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) {
        break;
      }
      this.timers.splice(this.timers.indexOf(due), 1);
      this.time = due.at;
      due.f();
      await settle();
    }
    this.time = end;
  }

  /** Opens a session that shows one update. */
  async live(): Promise<Desk> {
    await this.grant();
    this.desk.welcome();
    this.desk.layout(1);
    this.desk.show({ seq: 1, generation: 1, flags: FRESH | SETTLED, coder: coded("token_rgb") });
    await settle();
    if (this.state.phase !== "live") {
      throw new Error(`the session is ${this.state.phase}`);
    }
    return this.desk;
  }
}

const vectors = new Map(readVectors("codec").map((v) => [v.name, v]));
const coded = (name: string): Uint8Array => vectors.get(name)!.payload;
const kinds = (desk: Desk): string[] => desk.heard.map((m) => m.kind);

test("opens in steps, greets first, shows, acknowledges, and says what is shown", async () => {
  const page = new Page();
  const desk = await page.live();
  expect(page.phases).toEqual(["authorizing", "linking", "sealing", "starting", "live"]);
  expect(desk.heard[0]).toEqual({ kind: "start", visible: true, monitor: 255, resume: null });
  expect(desk.acks).toEqual([1]);
  expect(page.heard.find((m) => m.type === "welcome")).toMatchObject({
    rights: 3,
    idle: 900,
    lockable: true,
    texts: true,
  });
  const layout = page.heard.find((m) => m.type === "layout");
  expect(layout).toMatchObject({ part: { x: 0, y: 0, width: 100, height: 70 }, layout: { generation: 1 } });
});

test("an agent of the last release takes no text", async () => {
  const page = new Page();
  await page.grant();
  const desk = page.desk;
  desk.version = 1;
  desk.welcome();
  desk.layout(1);
  await settle();
  expect(page.heard.find((m) => m.type === "welcome")).toMatchObject({ texts: false });
});

test("a mark is answered behind what came before it", async () => {
  const page = new Page();
  const desk = await page.live();
  desk.say({ kind: "mark", id: 7 });
  desk.say({ kind: "mark", id: 8 });
  await settle();
  expect(desk.heard.filter((m) => m.kind === "marked")).toEqual([
    { kind: "marked", id: 7 },
    { kind: "marked", id: 8 },
  ]);
});

test("an update waits for its layout, whichever channel is faster", async () => {
  const page = new Page();
  await page.grant();
  page.desk.show({ seq: 1, generation: 4, flags: FRESH, coder: coded("token_rgb") });
  await settle();
  page.desk.welcome();
  page.desk.layout(3);
  await settle();
  expect(page.desk.acks).toEqual([]);
  page.desk.layout(4);
  await settle();
  expect(page.desk.acks).toEqual([1]);
  expect(page.state.phase).toBe("live");
});

test("a hidden page acknowledges nothing; shown again it owes one acknowledgement", async () => {
  const page = new Page();
  const desk = await page.live();
  page.engine.handle({ type: "view", view: { visible: false, monitor: 255 } });
  for (const seq of [2, 3]) {
    desk.show({ seq, generation: 1, flags: FRESH, coder: coded("plain") });
  }
  await settle();
  expect(desk.acks).toEqual([1]);
  page.engine.handle({ type: "view", view: { visible: true, monitor: 1 } });
  await settle();
  expect(desk.acks).toEqual([1, 3]);
  expect(desk.heard.slice(1)).toEqual([
    { kind: "view", visible: false, monitor: 255 },
    { kind: "view", visible: true, monitor: 1 },
  ]);
  await page.pass(100);
  expect(page.heard.findLast((m) => m.type === "layout")).toMatchObject({
    part: { x: 60, y: 0, width: 40, height: 70 },
  });
});

test("a lost session is opened again and goes on from the picture that is there", async () => {
  const page = new Page();
  const desk = await page.live();
  desk.fail(new SealError("pipe", "", new LinkError(4007, "", true)));
  await settle();
  expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "link", code: 4007 } });
  await page.pass(1000);
  expect(page.heard.findLast((m) => m.type === "authorize")).toMatchObject({
    id: 2,
    continues: new Uint8Array(16).fill(1),
  });

  const expected = new Decoder(100, 70);
  expected.decode(coded("token_rgb"));
  const hash = await hashPicture(expected.pixels);
  await page.grant();
  await vi.waitFor(() => expect(page.desk).not.toBe(desk)); // the picture is hashed first
  await vi.waitFor(() => expect(page.desk.heard.length).toBeGreaterThan(0));
  expect(page.desk.heard[0]).toEqual({
    kind: "start",
    visible: true,
    monitor: 255,
    resume: { run: new Uint8Array(16).fill(7), generation: 1, seq: 1, hash },
  });
  page.desk.welcome(true);
  page.desk.layout(1);
  page.desk.show({ seq: 1, generation: 1, flags: SETTLED, coder: coded("token_skip") });
  await vi.waitFor(() => expect(page.state).toMatchObject({ phase: "live", cause: null }));
  const again = new Decoder(100, 70, expected.pixels);
  again.decode(coded("token_skip"));
  const second = page.desk;
  second.fail(new SealError("pipe"));
  await page.pass(1500);
  await page.grant();
  await vi.waitFor(() => expect(page.desk).not.toBe(second));
  await vi.waitFor(() => expect(page.desk.heard.length).toBeGreaterThan(0));
  const start = page.desk.heard[0] as Extract<RouteMessage["control to_agent"], { kind: "start" }>;
  expect(toHex(start.resume!.hash)).toBe(toHex(await hashPicture(again.pixels)));
  expect(toBGRX(again.pixels)).not.toEqual(toBGRX(expected.pixels));
});

test("a session that may last longer is opened anew and continues, without an end", async () => {
  const page = new Page();
  const desk = await page.live();
  page.engine.handle({ type: "renew" });
  await settle();
  expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "network" } });
  expect(desk.heard.filter((m) => m.kind === "viewer_end")).toEqual([]);
  await page.pass(1000);
  expect(page.heard.findLast((m) => m.type === "authorize")).toMatchObject({
    id: 2,
    continues: new Uint8Array(16).fill(1),
  });
  page.engine.handle({ type: "renew" }); // opening already
  expect(page.state.phase).toBe("authorizing");
});

test("a timer that fires too early does not end the waiting", async () => {
  const page = new Page();
  page.engine.handle({ type: "refused", id: 1, cause: { kind: "network" } });
  const [timer] = page.timers.splice(0, 1);
  page.time = timer!.at - 0.25;
  timer!.f();
  expect(page.state.phase).toBe("waiting");
  await page.pass(1);
  expect(page.heard.findLast((m) => m.type === "authorize")).toMatchObject({ id: 2 });
});

describe("ends", () => {
  test("when the agent says so, for good or to come back", async () => {
    const page = new Page();
    (await page.live()).say({ kind: "agent_end", code: 2 });
    await settle();
    expect(page.state).toMatchObject({ phase: "ended", cause: { kind: "agent", code: 2 } });
    expect(page.desk.closed).toBe(1000);

    const other = new Page();
    (await other.live()).say({ kind: "agent_end", code: 8 });
    await settle();
    expect(other.state).toMatchObject({ phase: "waiting", cause: { kind: "agent", code: 8 } });
  });

  test("with the agent's reason even if display breaks first", async () => {
    const page = new Page();
    const desk = await page.live();
    desk.fromDesk.display.put(new SealError("pipe", "", new LinkError(4003, "", true)));
    await settle();
    desk.say({ kind: "agent_end", code: 3 });
    await settle();
    expect(page.state).toMatchObject({ phase: "ended", cause: { kind: "agent", code: 3 } });
  });

  test("when the user wants it, and tells the desk", async () => {
    const page = new Page();
    const desk = await page.live();
    page.engine.handle({ type: "end" });
    await settle();
    expect(kinds(desk).at(-1)).toBe("viewer_end");
    expect(page.state).toMatchObject({ phase: "ended", cause: { kind: "user" } });
  });

  test("while it waits, too", async () => {
    const page = new Page();
    page.engine.handle({ type: "refused", id: 1, cause: { kind: "network" } });
    page.engine.handle({ type: "end" });
    expect(page.state.phase).toBe("ended");
    await page.pass(100_000);
    expect(page.heard.filter((m) => m.type === "authorize")).toHaveLength(1);
  });

  const wrong: [string, (d: Desk) => void][] = [
    ["an update out of order", (d) => d.show({ seq: 3, generation: 1, flags: 0, coder: coded("plain") })],
    ["an update of another layout", (d) => d.show({ seq: 2, generation: 2, flags: 0, coder: coded("plain") })],
    [
      "an update that does not decode",
      (d) => d.show({ seq: 2, generation: 1, flags: FRESH, coder: Uint8Array.of(1, 2, 3) }),
    ],
    ["a second welcome", (d) => d.welcome()],
    ["a message that is none", (d) => d.fromDesk.control.put(Uint8Array.of(0x50))],
    ["a cursor that was never sent", (d) => d.say({ kind: "cursor_use", slot: 4 })],
  ];
  test.each(wrong)("after %s", async (_, say) => {
    const page = new Page();
    const desk = await page.live();
    say(desk);
    await settle();
    expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "broken" } });
    expect(desk.closed).not.toBeNull();
  });

  test("when the first update builds on nothing", async () => {
    const page = new Page();
    await page.grant();
    page.desk.welcome();
    page.desk.layout(1);
    page.desk.show({ seq: 1, generation: 1, flags: 0, coder: coded("plain") });
    await settle();
    expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "broken" } });
  });

  test.each([
    [1006, { kind: "network" }],
    [4002, { kind: "link", code: 4002 }],
  ])("when no link comes about: %d", async (code, cause) => {
    const page = new Page();
    page.failure = new LinkError(code, "", true);
    await page.grant();
    expect(page.state).toMatchObject({ phase: "waiting", cause });
  });

  test("when the seal is not the desk's", async () => {
    const page = new Page();
    page.failure = new SealError("peer_identity", "signature");
    await page.grant();
    expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "seal" } });
  });
});

test("a line that goes silent is noticed and the round trip is measured", async () => {
  const page = new Page();
  const desk = await page.live();
  await page.pass(1000);
  const ping = desk.heard.findLast((m) => m.kind === "ping")!;
  page.time += 42;
  desk.say({ kind: "pong", id: ping.id });
  await settle();
  await page.pass(1000);
  const { statistics } = page.heard.findLast((m) => m.type === "statistics")!;
  expect(statistics).toMatchObject({ roundTrip: 42 });
  await page.pass(14_000);
  expect(page.state.phase).toBe("live");
  await page.pass(3_000);
  expect(page.state).toMatchObject({ phase: expect.not.stringMatching("live"), cause: { kind: "network" } });
  expect(desk.closed).toBe(1000);
});

test("a desk that does not finish the handshake is given up and tried again", async () => {
  const page = new Page();
  page.silent = true;
  await page.grant();
  expect(page.state.phase).toBe("sealing");
  await page.pass(29_999);
  expect(page.state.phase).toBe("sealing");
  await page.pass(1);
  expect(page.state).toMatchObject({ phase: "waiting", cause: { kind: "network" } });
  page.silent = false;
  await page.pass(1000);
  await page.live();
});

test("whoever gives up during the handshake leaves no link open", async () => {
  const page = new Page();
  page.silent = true;
  await page.grant();
  page.engine.handle({ type: "end" });
  await settle();
  expect(page.state).toMatchObject({ phase: "ended", cause: { kind: "user" } });
  expect(page.timers).toEqual([]);
});

test("the page hears of the newest pointer, however often it changes", async () => {
  const page = new Page();
  const desk = await page.live();
  const pix = new Uint8Array(4);
  for (const slot of [1, 2]) {
    desk.say({ kind: "cursor", slot, width: 1, height: 1, hotX: 0, hotY: 0, pix: pix.fill(slot) });
  }
  for (let i = 0; i < 1001; i++) {
    desk.say({ kind: "cursor_use", slot: 1 + (i % 2) });
  }
  await settle();
  const told = (): number[] => page.heard.flatMap((m) => (m.type === "cursor" ? [m.cursor.pix[0]!] : []));
  expect(told()).toEqual([1]);
  desk.say({ kind: "cursor_use", slot: 2 });
  await settle();
  await page.pass(100);
  expect(told()).toEqual([1, 2]);
  desk.say({ kind: "cursor_use", slot: 1 });
  await settle();
  expect(told()).toEqual([1, 2, 1]);
});

test("the page hears of the newest notice, locks and layout, however many come", async () => {
  const page = new Page();
  const desk = await page.live();
  await page.pass(100);
  const before = page.heard.length;
  for (let i = 1; i <= 500; i++) {
    desk.say({ kind: "notice", code: 13, seconds: i });
    desk.say({ kind: "lock_state", locks: i % 8 });
  }
  for (let i = 2; i <= 21; i++) {
    desk.layout(i);
    desk.show({ seq: i, generation: i, flags: FRESH, coder: coded("token_rgb") });
  }
  await vi.waitFor(() => expect(desk.acks.at(-1)).toBe(21));
  const told = (): FromEngine[] =>
    page.heard.slice(before).filter((m) => ["notice", "locks", "layout"].includes(m.type));
  expect(told()).toHaveLength(3);
  await page.pass(100);
  expect(told()).toHaveLength(6);
  const last = (type: string): FromEngine => told().findLast((m) => m.type === type)!;
  expect(last("notice")).toMatchObject({ code: 13, seconds: 500 });
  expect(last("locks")).toMatchObject({ locks: 500 % 8 });
  expect(last("layout")).toMatchObject({ layout: { generation: 21 } });
});

test("input goes out only while the session is live", async () => {
  const page = new Page();
  page.engine.handle({ type: "send", message: { kind: "key", code: 4, down: true } });
  const desk = await page.live();
  page.engine.handle({ type: "send", message: { kind: "key", code: 5, down: true } });
  await settle();
  expect(desk.heard.filter((m) => m.kind === "key")).toEqual([{ kind: "key", code: 5, down: true }]);
});

test("a monitor that is gone means all of the layout", () => {
  const layout = { kind: "layout", generation: 1, width: 9, height: 8, monitors: [] } as const;
  expect(partOf(layout, 3)).toEqual({ x: 0, y: 0, width: 9, height: 8 });
});

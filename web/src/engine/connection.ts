import { Decoder, hashPicture } from "../codec/decoder.ts";
import type { CursorShape, Statistics, View } from "./messages.ts";
import type { Cause } from "./reconnect.ts";
import type { Layout } from "../wire/layout.ts";
import { append, parse, type ToAgent, type ToViewer } from "../wire/parser.ts";
import { WireError } from "../wire/error.ts";
import { FRESH, SETTLED, type Update } from "../wire/update.ts";
import type { Welcome } from "../wire/welcome.ts";
import { TEXT_VERSION } from "../wire/wire.ts";

/** One channel of an open seal. */
export interface Channel {
  /** Messages go out in the order of the calls. */
  send(message: Uint8Array): Promise<void>;
  /** One call at a time; rejects when the session has ended. */
  receive(): Promise<Uint8Array>;
}

/** An open seal, as package seal has it. */
export interface Sealed {
  /** Wire version. */
  readonly version: number;
  readonly control: Channel;
  readonly display: Channel;
  close(code: number, reason: string): void;
}

/** The picture that is on the canvas. It outlives the connection that brought it. */
export interface Shown {
  readonly decoder: Decoder;
  readonly layout: Layout;
  /** The agent's run. */
  readonly run: Uint8Array;
  /** Last update that was applied, in the session that brought it. */
  readonly seq: number;
  readonly settled: boolean;
}

/** Who uses a connection. */
export interface Host {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls f once after so many milliseconds. */
  after(ms: number, f: () => void): void;
  /** `texts`: the desk takes text messages. */
  welcome(m: Welcome, texts: boolean): void;
  /** A picture takes the place of the one before: of another layout, or of another session. */
  replaced(shown: Shown): void;
  /** The picture changed in these rectangles. */
  updated(shown: Shown, damage: Int32Array): void;
  cursor(shape: CursorShape): void;
  locks(locks: number): void;
  notice(code: number, seconds: number): void;
}

/** Ends a session, or an attempt to open one: what is thrown where the cause is known. */
export class Ended extends Error {
  override readonly name = "Ended";
  readonly why: Cause;

  constructor(why: Cause) {
    super(why.kind);
    this.why = why;
  }
}

const broken = (detail: string): Ended => new Ended({ kind: "broken", detail });

const NORMAL = 1000;
const HIDDEN: CursorShape = { width: 0, height: 0, hotX: 0, hotY: 0, pix: new Uint8Array(0) };
const MAX_LAYOUTS = 32;
/** How long the last message on control may come later than the end of display, in milliseconds. */
const LAST_WORDS = 500;
/** After this silence the line counts as lost: pings go out every second. In milliseconds. */
const SILENCE = 15_000;

/** One sealed session from its start message to its end. */
export class Connection {
  readonly #sealed: Sealed;
  readonly #host: Host;
  #view: View;
  #shown: Shown | null;
  #started = false;
  #resumes = false;
  #run: Uint8Array | null = null;
  readonly #layouts = new Map<number, Layout>();
  /** Wakes display, which waits for something that control brings. */
  #wakeDisplay: (() => void) | null = null;
  readonly #cursors = new Map<number, CursorShape>();
  #seq = 0;
  #acked = 0;
  #decodeMicros = 0;
  #stop: ((cause: Cause) => void) | null = null;

  #pings = 0;
  #answered = 0;
  readonly #pinged = new Map<number, number>();
  #heard: number;
  #roundTrip: number | null = null;
  #updates = 0;
  #bytes = 0;
  #busy = 0;
  #measured: number;

  constructor(sealed: Sealed, host: Host, view: View, shown: Shown | null) {
    this.#sealed = sealed;
    this.#host = host;
    this.#view = view;
    this.#shown = shown;
    this.#heard = this.#measured = host.now();
  }

  /** Works until the session ends; resolves to why. Never rejects. */
  async work(): Promise<Cause> {
    const stopped = new Promise<Cause>((resolve) => (this.#stop = resolve));
    const control = this.#begin().then(() => this.#ends(() => this.#control()), causeOf);
    const display = this.#ends(() => this.#display()).then((cause) => this.#lastWords(control, cause));
    const cause = await Promise.race([control, display, stopped]);
    const hangUp = (): void => this.#sealed.close(NORMAL, "ended");
    // The desk hangs up when it has read that the user ends the session; the relay ends all links with the first that
    // is closed, so whoever closes at once may cut off the message.
    if (cause.kind === "user") {
      void this.#lastWords(Promise.race([control, display]), cause).then(hangUp);
    } else {
      hangUp();
    }
    return cause;
  }

  /** Sends a message to the agent. */
  send(message: ToAgent): void {
    this.#sealed.control.send(append(message)).catch(() => {}); // who receives learns of it
  }

  /** Says what the user sees from now on. A page that becomes visible again acknowledges what it owes. */
  look(view: View): void {
    this.#view = view;
    if (!this.#started) {
      return;
    } // the start message will say it
    this.send({ kind: "view", ...view });
    if (view.visible) {
      this.#acknowledge();
    }
  }

  /** Ends the session because the user wants it. */
  end(code: number): void {
    const bytes = append({ kind: "viewer_end", code });
    const stop = (): void => this.#stop?.({ kind: "user" });
    this.#sealed.control.send(bytes).then(stop, stop);
  }

  /** Hangs up without ending the session: whoever opens it again at once finds the desk as it was. */
  drop(): void {
    this.#stop?.({ kind: "network" });
  }

  /** To be called every second: keeps the round trip known, notices a dead line, and measures. */
  beat(): Statistics {
    const now = this.#host.now();
    if (now - this.#heard > SILENCE) {
      this.#stop?.({ kind: "network" });
    }
    const id = (this.#pings = (this.#pings + 1) >>> 0);
    this.#pinged.set(id, now);
    if (this.#pinged.size > 30) {
      this.#pinged.delete(id - 30);
    }
    this.send({ kind: "ping", id });
    const seconds = Math.max(now - this.#measured, 1) / 1000;
    const updates = this.#updates;
    const bytes = this.#bytes;
    const busy = this.#busy;
    const roundTrip = this.#roundTrip;
    this.#updates = this.#bytes = this.#busy = 0;
    this.#measured = now;
    return {
      updates: updates / seconds,
      bytes: bytes / seconds,
      busy,
      roundTrip,
      asked: id,
      answered: this.#answered,
      silent: now - this.#heard,
    };
  }

  async #begin(): Promise<void> {
    const shown = this.#shown;
    const resume =
      shown === null || shown.seq === 0
        ? null
        : {
            run: shown.run,
            generation: shown.layout.generation,
            seq: shown.seq,
            hash: await hashPicture(shown.decoder.pixels),
          };
    this.#resumes = resume !== null;
    this.#started = true;
    await this.#sealed.control.send(append({ kind: "start", ...this.#view, resume }));
  }

  async #ends(loop: () => Promise<never>): Promise<Cause> {
    return loop().catch(causeOf);
  }

  /** When display ends first, control may still hold the agent's reason. */
  async #lastWords(control: Promise<Cause>, cause: Cause): Promise<Cause> {
    if (cause.kind === "broken") {
      return cause;
    }
    const late = new Promise<Cause>((resolve) => this.#host.after(LAST_WORDS, () => resolve(cause)));
    const words = await Promise.race([control, late]);
    return words.kind === "agent" ? words : cause;
  }

  async #control(): Promise<never> {
    for (;;) {
      const bytes = await this.#sealed.control.receive();
      this.#heard = this.#host.now();
      this.#bytes += bytes.length;
      const m = read("control to_viewer", bytes);
      if (m === null) {
        continue;
      }
      if ((m.kind === "welcome") !== (this.#run === null)) {
        throw broken(`${m.kind} out of order`);
      }
      this.#obey(m);
    }
  }

  #obey(m: ToViewer): void {
    switch (m.kind) {
      case "welcome":
        if (m.resumed && !this.#resumes) {
          throw broken("resumed what was not asked for");
        }
        this.#run = m.run.slice();
        this.#resumes = m.resumed;
        this.#host.welcome(m, this.#sealed.version >= TEXT_VERSION);
        break;
      case "layout":
        this.#layouts.set(m.generation, m);
        if (this.#layouts.size > MAX_LAYOUTS) {
          this.#layouts.delete(Math.min(...this.#layouts.keys()));
        }
        break;
      case "cursor":
        this.#cursors.set(m.slot, { ...m, pix: m.pix.slice() });
        this.#host.cursor(this.#cursors.get(m.slot) ?? HIDDEN);
        break;
      case "cursor_use": {
        const shape = this.#cursors.get(m.slot);
        if (shape === undefined) {
          throw broken("use of a cursor that was not sent");
        }
        this.#host.cursor(shape);
        break;
      }
      case "lock_state":
        this.#host.locks(m.locks);
        break;
      case "notice":
        this.#host.notice(m.code, m.seconds);
        break;
      case "pong":
        this.#ponged(m.id);
        break;
      case "mark":
        this.send({ kind: "marked", id: m.id });
        break;
      case "agent_end":
        throw new Ended({ kind: "agent", code: m.code });
    }
    this.#wakeDisplay?.();
  }

  #ponged(id: number): void {
    const sent = this.#pinged.get(id);
    if (sent === undefined) {
      return;
    }
    this.#roundTrip = this.#host.now() - sent;
    this.#answered = id;
    this.#pinged.delete(id);
  }

  async #display(): Promise<never> {
    for (;;) {
      const bytes = await this.#sealed.display.receive();
      this.#heard = this.#host.now();
      this.#bytes += bytes.length;
      const m = read("display to_viewer", bytes);
      if (m === null) {
        continue;
      }
      if (m.seq !== this.#seq + 1) {
        throw broken("an update out of order");
      }
      await this.#update(m);
    }
  }

  async #update(m: Update): Promise<void> {
    const run = await this.#until(() => this.#run);
    const before = this.#shown;
    let decoder: Decoder;
    let layout: Layout;
    if ((m.flags & FRESH) !== 0) {
      layout = await this.#layoutOf(m.generation);
      decoder = new Decoder(layout.width, layout.height);
    } else if (this.#seq > 0 && before !== null) {
      ({ decoder, layout } = before);
    } else {
      if (!this.#resumes || before === null) {
        throw broken("first update does not start afresh");
      }
      layout = before.layout;
      decoder = new Decoder(layout.width, layout.height, before.decoder.pixels);
    }
    if (layout.generation !== m.generation) {
      throw broken("an update of another layout");
    }
    this.#apply(
      m,
      { decoder, layout, run, seq: m.seq, settled: (m.flags & SETTLED) !== 0 },
      decoder !== before?.decoder,
    );
  }

  /** Decodes and draws, in one go. */
  #apply(m: Update, shown: Shown, replaces: boolean): void {
    const from = this.#host.now();
    shown.decoder.decode(m.coder);
    this.#seq = m.seq;
    this.#shown = shown;
    if (replaces) {
      this.#host.replaced(shown);
    } else {
      this.#host.updated(shown, shown.decoder.damage);
    }
    const took = this.#host.now() - from;
    this.#busy += took;
    this.#updates++;
    this.#decodeMicros = Math.round(took * 1000);
    if (this.#view.visible) {
      this.#acknowledge();
    }
  }

  #acknowledge(): void {
    if (this.#acked === this.#seq) {
      return;
    }
    this.#acked = this.#seq;
    this.#sealed.display
      .send(append({ kind: "ack", seq: this.#seq, decodeMicros: this.#decodeMicros }))
      .catch(() => {});
  }

  /** The layout of a generation; it may come after the first update that needs it. Older ones are forgotten. */
  async #layoutOf(generation: number): Promise<Layout> {
    const layout = await this.#until(() => this.#layouts.get(generation) ?? null);
    for (const g of this.#layouts.keys()) {
      if (g === generation) {
        break;
      }
      this.#layouts.delete(g);
    }
    return layout;
  }

  /** What control brings, as soon as it is there. */
  async #until<T>(get: () => T | null): Promise<T> {
    for (let got = get(); ; got = get()) {
      if (got !== null) {
        return got;
      }
      await new Promise<void>((resolve) => (this.#wakeDisplay = resolve));
    }
  }
}

/** Reads a message; null for one that may be skipped. */
function read<R extends "control to_viewer" | "display to_viewer">(
  route: R,
  bytes: Uint8Array,
): ReturnType<typeof parse<R>> | null {
  try {
    return parse(route, bytes);
  } catch (e) {
    if (e instanceof WireError && e.class === "skip") {
      return null;
    }
    throw e;
  }
}

/** Close codes that are Jiseki's own. */
const OWN = 4000;

/** Names what ended a session. Errors of the link carry its close code as `code`, those of the seal their `failure`. */
export function causeOf(e: unknown): Cause {
  if (e instanceof Ended) {
    return e.why;
  }
  for (let at: unknown = e; at instanceof Error; at = at.cause) {
    if ("failure" in at && at.failure !== "pipe" && at.failure !== "closed") {
      return { kind: "seal", detail: at.message };
    }
    if ("ending" in at && "code" in at && typeof at.code === "number") {
      return at.code >= OWN ? { kind: "link", code: at.code } : { kind: "network" };
    }
  }
  if (e instanceof Error && "failure" in e) {
    return { kind: "network" };
  }
  return { kind: "broken", detail: e instanceof Error ? e.message : String(e) };
}

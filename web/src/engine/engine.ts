// The engine of a session: counterpart of internal/viewer. Runs in a worker (worker.ts), knows no page.

import { causeOf, Connection, type Host, type Sealed, type Shown } from "./connection.ts";
import { type Part, Screen, type Surface } from "../draw/draw.ts";
import type { FromEngine, Opening, ToEngine, View } from "./messages.ts";
import { type Cause, type Event, first, reduce, type State } from "./reconnect.ts";
import { END_CODES } from "../wire/end.ts";
import type { Layout } from "../wire/layout.ts";

/** What an engine needs of its surroundings. */
export interface EngineConfig {
  /**
   * Opens a session; calls linked when the relay has paired it. Gives up, or ends what it opened, when the signal
   * aborts.
   */
  readonly dial: (opening: Opening, linked: () => void, signal: AbortSignal) => Promise<Sealed>;
  /** Tells the page. */
  readonly emit: (message: FromEngine) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** From [0, 1). */
  readonly random: () => number;
  /** Calls f once after so many milliseconds; the returned function calls it off. */
  readonly after: (ms: number, f: () => void) => () => void;
}

const BEAT = 1000;
/** How long reaching the relay and the handshake may take, in milliseconds: as in the headless viewer. */
const DIAL_LIMIT = 30_000;
/**
 * The page is told of each thing that a desk may say at any time no more often, in milliseconds: a few bytes may mean
 * much.
 */
const PAUSE = 16;

/** Opens a session, keeps it, and opens it again when it is lost. */
export class Engine {
  readonly #c: EngineConfig;
  #state: State = first;
  #view: View = { visible: true, monitor: 255 };
  #screen: Screen | null = null;
  #shown: Shown | null = null;
  #connection: Connection | null = null;
  #session: Uint8Array<ArrayBuffer> | null = null;
  /** Counts attempts: what an earlier one still does is of no account. */
  #attempt = 0;
  #cancelRetry: () => void = () => {};
  #cancelBeat: () => void = () => {};
  #cancelDial: () => void = () => {};
  /** By the type of what was told less than a pause ago: the newest that waits. */
  readonly #told = new Map<FromEngine["type"], FromEngine | null>();

  constructor(config: EngineConfig) {
    this.#c = config;
  }

  /** Takes a message of the page. */
  handle(m: ToEngine): void {
    switch (m.type) {
      case "begin":
        this.begin(m.canvas, m.view);
        break;
      case "opened":
        if (m.id === this.#attempt) {
          void this.#run(m.opening, m.id);
        }
        break;
      case "refused":
        if (m.id === this.#attempt) {
          this.#event({ type: "lost", cause: m.cause });
        }
        break;
      case "send":
        if (this.#state.phase === "live") {
          this.#connection?.send(m.message);
        }
        break;
      case "view":
        this.#look(m.view);
        break;
      case "hurry":
        this.#event({ type: "hurry" });
        break;
      case "renew":
        if (this.#state.phase === "live") {
          this.#connection?.drop();
        }
        break;
      case "end":
        this.#end();
        break;
      case "peek":
        this.#peek(m.id);
        break;
    }
  }

  /** Begins with a canvas. Once. */
  begin(surface: Surface, view: View): void {
    this.#screen = new Screen(surface);
    this.#view = view;
    this.#emitState();
    this.#open();
  }

  #event(e: Event): void {
    const { state, open } = reduce(this.#state, e, this.#c.now(), this.#c.random());
    const same = state === this.#state;
    this.#state = state;
    this.#cancelRetry();
    // Also when nothing changed: timers may fire a little too early.
    if (state.phase === "waiting") {
      this.#cancelRetry = this.#c.after(Math.max(0, state.retryAt - this.#c.now()), () =>
        this.#event({ type: "tick" }),
      );
    }
    if (!same) {
      this.#emitState();
    }
    if (open) {
      this.#open();
    }
  }

  #emitState(): void {
    const retryIn = this.#state.phase === "waiting" ? Math.max(0, this.#state.retryAt - this.#c.now()) : 0;
    this.#c.emit({ type: "state", state: this.#state, retryIn });
  }

  #open(): void {
    this.#c.emit({ type: "authorize", id: ++this.#attempt, continues: this.#session });
  }

  async #run(opening: Opening, attempt: number): Promise<void> {
    this.#event({ type: "reached", phase: "linking" });
    let sealed: Sealed;
    try {
      sealed = await this.#dial(opening, attempt);
    } catch (e) {
      if (attempt === this.#attempt) {
        this.#event({ type: "lost", cause: causeOf(e) });
      }
      return;
    }
    if (attempt !== this.#attempt || this.#state.phase === "ended") {
      sealed.close(1000, "not wanted any more");
      return;
    }
    this.#session = opening.session;
    this.#event({ type: "reached", phase: "starting" });
    const connection = new Connection(sealed, this.#host(), this.#view, this.#shown);
    this.#connection = connection;
    this.#beat(connection);
    this.#lost(connection, await connection.work());
  }

  /** A line that dies in between says nothing to a browser: it must not keep anybody waiting. */
  async #dial(opening: Opening, attempt: number): Promise<Sealed> {
    const stop = new AbortController();
    const cancel = this.#c.after(DIAL_LIMIT, () => stop.abort());
    this.#cancelDial = () => stop.abort();
    try {
      return await this.#c.dial(opening, () => this.#reached(attempt, "sealing"), stop.signal);
    } finally {
      cancel();
      this.#cancelDial = () => {};
    }
  }

  #reached(attempt: number, phase: "sealing"): void {
    if (attempt === this.#attempt) {
      this.#event({ type: "reached", phase });
    }
  }

  #lost(connection: Connection, cause: Cause): void {
    if (this.#connection !== connection) {
      return;
    }
    this.#connection = null;
    this.#cancelBeat();
    this.#event({ type: "lost", cause });
  }

  #host(): Host {
    const { emit, now, after } = this.#c;
    return {
      now,
      after,
      welcome: ({ rights, sessionUntil, idle, lockable }, texts) =>
        emit({ type: "welcome", rights, sessionUntil, idle, lockable, texts }),
      replaced: (shown) => {
        this.#shown = shown;
        this.#show();
        this.#live();
      },
      updated: (shown, damage) => {
        this.#shown = shown;
        this.#screen?.draw(damage);
      },
      cursor: (cursor) => this.#tell({ type: "cursor", cursor }),
      locks: (locks) => this.#tell({ type: "locks", locks }),
      notice: (code, seconds) => this.#tell({ type: "notice", code, seconds }),
    };
  }

  /** Tells the page the newest of a type, at most one a pause. */
  #tell(m: FromEngine): void {
    if (this.#told.has(m.type)) {
      this.#told.set(m.type, m);
      return;
    }
    this.#c.emit(m);
    this.#told.set(m.type, null);
    this.#c.after(PAUSE, () => {
      const next = this.#told.get(m.type) ?? null;
      this.#told.delete(m.type);
      if (next !== null) {
        this.#tell(next);
      }
    });
  }

  /** The first picture of a connection is there. */
  #live(): void {
    if (this.#state.phase !== "live") {
      this.#event({ type: "reached", phase: "live" });
    }
  }

  /** Puts the chosen part of the picture on the canvas and says so. */
  #show(): void {
    if (this.#shown === null) {
      return;
    }
    const { decoder, layout } = this.#shown;
    const part = partOf(layout, this.#view.monitor);
    this.#screen?.show(decoder, part);
    this.#tell({ type: "layout", layout, part });
  }

  #look(view: View): void {
    const other = view.monitor !== this.#view.monitor;
    this.#view = view;
    this.#connection?.look(view);
    if (other) {
      this.#show();
    }
    if (view.visible) {
      this.#event({ type: "hurry" });
    }
  }

  #end(): void {
    if (this.#connection !== null) {
      this.#connection.end(END_CODES.ended_by_user);
      return;
    }
    this.#event({ type: "lost", cause: { kind: "user" } });
    this.#cancelDial();
  }

  #beat(connection: Connection): void {
    this.#cancelBeat = this.#c.after(BEAT, () => {
      this.#c.emit({ type: "statistics", statistics: connection.beat() });
      if (this.#connection === connection) {
        this.#beat(connection);
      }
    });
  }

  #peek(id: number): void {
    if (this.#shown === null || this.#screen === null) {
      this.#c.emit({ type: "peeked", id, peek: null });
      return;
    }
    const { data, width, height } = this.#screen.read();
    const { layout, seq, settled } = this.#shown;
    const peek = { width, height, pixels: new Uint8ClampedArray(data), generation: layout.generation, seq, settled };
    this.#c.emit({ type: "peeked", id, peek });
  }
}

/** The part of a layout that a choice of monitor means; all of it if there is no such monitor. */
export function partOf(layout: Layout, monitor: number): Part {
  const { x, y, width, height } = layout.monitors[monitor] ?? {
    x: 0,
    y: 0,
    width: layout.width,
    height: layout.height,
  };
  return { x, y, width, height };
}

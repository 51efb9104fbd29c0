import type { FromEngine, Opening, Peek, ToEngine, View } from "./messages.ts";
import type { Cause } from "./reconnect.ts";

/** What a page needs to give a session. */
export interface SessionConfig {
  readonly canvas: HTMLCanvasElement;
  readonly view: View;
  /**
   * Gets a fresh grant; `continues` is the id of the session that was lost, null at first. Resolves to a Cause if there
   * is none to be had. Must not reject.
   */
  readonly authorize: (continues: Uint8Array<ArrayBuffer> | null) => Promise<Opening | Cause>;
  /** Told of everything the session says, in order. */
  readonly listen: (message: Told) => void;
}

/** What a session tells its page. */
export type Told = Exclude<FromEngine, { type: "authorize" | "peeked" }>;

/** A session on a desk, as the page sees it: the engine works in a worker of its own. */
export class Session {
  readonly #worker: Worker;
  readonly #config: SessionConfig;
  readonly #peeks = new Map<number, (peek: Peek | null) => void>();
  #peekCount = 0;

  /** Starts the worker and opens the session. The canvas is the worker's from now on. */
  constructor(config: SessionConfig) {
    this.#config = config;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "jiseki" });
    this.#worker.addEventListener("message", (e: MessageEvent<FromEngine>) => this.#take(e.data));
    this.#worker.addEventListener("error", (e) => this.#died(e.message));
    const canvas = config.canvas.transferControlToOffscreen();
    this.#worker.postMessage({ type: "begin", canvas, view: config.view } satisfies ToEngine, [canvas]);
  }

  /** Tells the engine something. */
  tell(message: Exclude<ToEngine, { type: "begin" | "opened" | "refused" | "peek" }>): void {
    this.#worker.postMessage(message);
  }

  /** What the canvas shows; null while it shows nothing. For tests. */
  peek(): Promise<Peek | null> {
    const id = ++this.#peekCount;
    this.#worker.postMessage({ type: "peek", id } satisfies ToEngine);
    return new Promise((resolve) => this.#peeks.set(id, resolve));
  }

  /** Ends the worker at once; the picture and all keys go with it. */
  stop(): void {
    this.#worker.terminate();
  }

  #take(m: FromEngine): void {
    switch (m.type) {
      case "authorize":
        void this.#authorize(m.id, m.continues);
        break;
      case "peeked":
        this.#peeks.get(m.id)?.(m.peek);
        this.#peeks.delete(m.id);
        break;
      default:
        this.#config.listen(m);
    }
  }

  async #authorize(id: number, continues: Uint8Array<ArrayBuffer> | null): Promise<void> {
    const got = await this.#config.authorize(continues);
    const answer: ToEngine = "kind" in got ? { type: "refused", id, cause: got } : { type: "opened", id, opening: got };
    this.#worker.postMessage(answer);
  }

  /** The worker itself failed, which nothing inside of it can report. */
  #died(detail: string): void {
    const cause: Cause = { kind: "broken", detail };
    const state = { phase: "ended", failures: 1, wasLive: true, cause, retryAt: 0, lostAt: 0, liveAt: 0 } as const;
    this.#config.listen({ type: "state", state, retryIn: 0 });
  }
}

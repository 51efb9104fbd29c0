// A session lasts as long as its grant. When overtime was ordered meanwhile, the gateway would grant a longer one: the
// viewer asks in the last minutes and opens the session anew before it ends, so that nothing is locked.

import { call } from "../api/api.ts";
import { patience } from "./cause.ts";

/** How long before the end the gateway is asked, and how often, in milliseconds. */
const LAST = 10 * 60_000;
const EVERY = 20_000;
/** What a longer grant must win at least. */
const WORTH = 60_000;

/** Watches the end of a session. */
export class Prolong {
  #until = 0;
  #asked = 0;
  readonly #ask: () => Promise<number>;
  readonly #renew: () => void;

  /** ask resolves to when a session opened now would end, or 0; renew opens the session anew. */
  constructor(ask: () => Promise<number>, renew: () => void) {
    this.#ask = ask;
    this.#renew = renew;
  }

  /** A session began that ends then. */
  begins(until: number): void {
    this.#until = until;
    this.#asked = 0;
  }

  /** To be called every second with the gateway's time. Never rejects. */
  async tick(now: number): Promise<void> {
    const until = this.#until;
    if (until === 0 || until - now > LAST || now - this.#asked < EVERY) {
      return;
    }
    this.#asked = now;
    const end = await this.#ask().catch(() => 0);
    if (this.#until !== until || end < until + WORTH) {
      return;
    }
    this.#until = 0;
    this.#renew();
  }
}

/** When a session on a desk that is opened now would end; 0 if none may be opened. Rejects as `call` does. */
export async function longest(desk: string): Promise<number> {
  const { desks } = await call("DeskService", "ListDesks", {}, patience());
  return Number(desks?.find((d) => d.deskId === desk)?.sessionUntilMs ?? 0);
}

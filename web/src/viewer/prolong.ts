// A session lasts as long as its grant. When overtime was ordered meanwhile, the gateway would grant a longer one: the viewer asks
// in the last minutes and opens the session anew before it ends, so that nothing is locked.

import type { ListDesksResponseJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { call } from "./api.ts";

/** How long before the end the gateway is asked, and how often, in milliseconds. */
const LAST = 10 * 60_000;
const EVERY = 20_000;
/** What a longer grant must win at least. */
const WORTH = 60_000;

/** Watches the end of a session. */
export class Prolong {
  private until = 0;
  private asked = 0;
  private readonly longest: () => Promise<number>;
  private readonly renew: () => void;

  /** longest resolves to when a session opened now would end, or 0; renew opens the session anew. */
  constructor(longest: () => Promise<number>, renew: () => void) {
    this.longest = longest;
    this.renew = renew;
  }

  /** A session began that ends then. */
  begins(until: number): void {
    this.until = until;
    this.asked = 0;
  }

  /** To be called every second with the gateway's time. Never rejects. */
  async tick(now: number): Promise<void> {
    const { until } = this;
    if (until === 0 || until - now > LAST || now - this.asked < EVERY) return;
    this.asked = now;
    const longest = await this.longest().catch(() => 0);
    if (this.until !== until || longest < until + WORTH) return;
    this.until = 0;
    this.renew();
  }
}

/** When a session on a desk that is opened now would end; 0 if none may be opened. Rejects with CallError. */
export async function longest(desk: string): Promise<number> {
  const { desks } = await call<ListDesksResponseJson>("DeskService/ListDesks", {});
  return Number(desks?.find((d) => d.deskId === desk)?.sessionUntilMs ?? 0);
}

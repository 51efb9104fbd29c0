import { CODER_Q2Z } from "../codec/decoder.ts";
import { Ended, type Sealed } from "./connection.ts";
import { Channel, connect, LinkError, Side } from "../link/link.ts";
import type { Opening } from "./messages.ts";
import { reach, type Reach } from "../link/reach.ts";
import type { Cause } from "./reconnect.ts";
import { dial as seal } from "../seal/seal.ts";
import { MIN_VERSION, VERSION } from "../wire/wire.ts";

/**
 * Opens a session: two links to the relay, then the seal with the desk. Calls linked when both links are paired.
 * Rejects with a LinkError, a SealError, or with Ended if it was looked up why the relay cannot be reached; nothing
 * stays open then. The signal ends it at any time, also later.
 */
export async function dial(opening: Opening, linked: () => void, signal: AbortSignal): Promise<Sealed> {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const link = (channel: Channel): ReturnType<typeof connect> =>
    connect({ url: opening.relayUrl, side: Side.viewer, channel, ticket: opening.ticket, signal: stop.signal });
  try {
    const [control, display] = await Promise.all([link(Channel.control), link(Channel.display)]).catch(
      async (e: unknown) => {
        stop.abort();
        throw isSpoken(e) ? e : new Ended(await lookUp(signal, e));
      },
    );
    linked();
    return await seal(control, display, {
      ...opening,
      wire: { min: MIN_VERSION, max: VERSION },
      coders: [CODER_Q2Z],
      now: () => Date.now() + opening.clockOffset,
    });
  } catch (e) {
    stop.abort();
    throw e;
  }
}

/** From here on close codes are Jiseki's own. */
const OWN = 4000;

/** Whether the relay itself said why there is no link: then nothing needs to be looked up. */
function isSpoken(e: unknown): boolean {
  return !(e instanceof LinkError) || (e.remote && e.code >= OWN);
}

const CAUSES: Readonly<Record<Reach, Cause>> = {
  open: { kind: "relay" },
  busy: { kind: "relay" },
  blocked: { kind: "blocked" },
  between: { kind: "between" },
  unreachable: { kind: "network" },
  signed_out: { kind: "signed_out" },
};

/** Why the relay said nothing. Rejects with `e` if the signal aborts. */
async function lookUp(signal: AbortSignal, e: unknown): Promise<Cause> {
  const found = await reach({ host: location.host }, signal).catch(() => null);
  if (found === null) {
    throw e;
  }
  return CAUSES[found];
}

import { CODER_Q2Z } from "./codec/decoder.ts";
import type { Sealed } from "./connection.ts";
import { Channel, connect, Side } from "./link/link.ts";
import type { Opening } from "./messages.ts";
import { dial as seal } from "./seal/seal.ts";
import { MIN_VERSION, VERSION } from "./wire/wire.ts";

/**
 * Opens a session: two links to the relay, then the seal with the desk. Calls linked when both links are paired. Rejects with
 * a LinkError or a SealError; nothing stays open then. The signal ends it at any time, also later.
 */
export async function dial(opening: Opening, linked: () => void, signal: AbortSignal): Promise<Sealed> {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const link = (channel: Channel): ReturnType<typeof connect> =>
    connect({ url: opening.relayUrl, side: Side.viewer, channel, ticket: opening.ticket, signal: stop.signal });
  try {
    const [control, display] = await Promise.all([link(Channel.control), link(Channel.display)]);
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

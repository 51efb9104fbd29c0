// Whether WebSockets reach the gateway: some proxies pass calls and stop those. Asked by the self-check, and by the
// viewer when the relay cannot be reached, so that it says what was found and not what it guesses.

import { Channel, connect, type Socket, Side } from "./link.ts";

/** What was found. */
export type Reach =
  /** a socket of the relay's kind came about, and bytes went both ways */
  | "open"
  /** plain requests reach the gateway at the very same path, sockets do not */
  | "blocked"
  /** something other than the gateway answers */
  | "between"
  /** nothing answers */
  | "unreachable"
  /** the gateway does not check now: too many do */
  | "busy"
  /** the sign-in is over */
  | "signed_out";

/** How the outside is reached; the browser's own if absent. */
export interface ReachConfig {
  /** host:port of the gateway. */
  readonly host: string;
  readonly open?: (url: string) => Socket;
  readonly fetch?: typeof fetch;
}

/** The path of the gateway's check (docs/PROTOCOL.md section 7). */
const PATH = "/relay/check";
/** How long the socket, and then the plain request, may take, in milliseconds. */
const SOCKET_LIMIT = 7_000;
const PLAIN_LIMIT = 5_000;

/**
 * Tries a socket, and if it does not come about a plain request to the same path. Rejects only if the signal aborts.
 */
export async function reach(config: ReachConfig, signal: AbortSignal): Promise<Reach> {
  if (await opens(config, signal)) {
    return "open";
  }
  signal.throwIfAborted();
  const found = await plain(config, signal);
  signal.throwIfAborted();
  return found;
}

async function opens({ host, open }: ReachConfig, signal: AbortSignal): Promise<boolean> {
  const ticket = crypto.getRandomValues(new Uint8Array(32)); // means nothing: the check is no relay
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SOCKET_LIMIT)]);
  try {
    const link = await connect({
      url: `wss://${host}${PATH}`,
      side: Side.viewer,
      channel: Channel.control,
      ticket,
      signal: limit,
      ...(open === undefined ? {} : { open }),
    });
    link.close();
    return true;
  } catch {
    return false;
  }
}

/** What answers a request without an upgrade: the gateway says 426, or why it would not check. */
async function plain({ host, fetch: ask = fetch }: ReachConfig, signal: AbortSignal): Promise<Exclude<Reach, "open">> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PLAIN_LIMIT)]);
  try {
    const { status } = await ask(`https://${host}${PATH}`, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual",
      signal: limit,
    });
    return ANSWERS.get(status) ?? "between";
  } catch {
    return "unreachable";
  }
}

const ANSWERS: ReadonlyMap<number, Exclude<Reach, "open">> = new Map([
  [426, "blocked"],
  [401, "signed_out"],
  [429, "busy"],
  [503, "busy"],
]);

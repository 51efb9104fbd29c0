// The message pipe to the agent through the relay, over the browser's WebSocket: the counterpart of Go's internal/link.
// The browser answers the relay's pings by itself and shows neither pings nor silence, so whoever needs to know within
// seconds that the line is dead asks the agent (wire: ping).
import { encodeClaim, parsePaired, type Channel, type Side } from "./claim.ts";
import { codes, LinkError } from "./error.ts";

export { Channel, Side } from "./claim.ts";
export { codes, LinkError, type Ending } from "./error.ts";

/** The greatest size of a message in bytes. */
export const maxMessage = 64 * 1024;

/** Below so many unsent bytes a link is ready for more that could as well be left out, such as pointer moves. */
export const readyBelow = 16 * 1024;

/** So many unsent bytes mean that the relay does not read any more. A viewer sends little. */
const maxUnsent = 1024 * 1024;

/** So many received bytes may wait for receive(). The agent keeps at most 8 MiB on the way. */
const maxWaiting = 16 * 1024 * 1024;

/** What a message counts beside its bytes: a relay may send empty ones for ever. */
const messageCost = 256;

/** The relay gives up after 10 s; the rest is for the way. */
const pairTimeout = 15_000;

/** What a link needs of a WebSocket. */
export type Socket = Pick<WebSocket, "binaryType" | "bufferedAmount" | "addEventListener" | "send" | "close">;

/** Who waits in receive(). */
interface Reader {
  resolve(message: Uint8Array<ArrayBuffer>): void;
  reject(why: LinkError): void;
}

export interface ConnectOptions {
  /** Address of the relay; wss only. */
  readonly url: string;
  readonly side: Side;
  readonly channel: Channel;
  /** 32 bytes; used once, not kept. */
  readonly ticket: Uint8Array;
  /** Ends the link whenever it aborts, also later. */
  readonly signal?: AbortSignal;
  /** Opens the socket; the browser's WebSocket if absent. */
  readonly open?: (url: string) => Socket;
}

/** Connects, claims, and resolves when the other side has claimed too. Rejects with a LinkError. */
export async function connect(options: ConnectOptions): Promise<Link> {
  const { url, signal } = options;
  if (!url.startsWith("wss://")) {
    throw new LinkError(codes.protocolError, "not wss", false);
  }
  if (signal?.aborted) {
    throw new LinkError(codes.normal, "aborted", false);
  }
  const claim = encodeClaim(options);
  const open = options.open ?? ((address) => new WebSocket(address));
  const link = new Link(open(url), claim);
  const abort = (): void => link.close(codes.normal, "aborted");
  signal?.addEventListener("abort", abort, { once: true });
  void link.ended.then(() => signal?.removeEventListener("abort", abort));
  await link.paired;
  return link;
}

/** An open link. Messages arrive in order, each once, until it ends; then receive() rejects with the reason. */
export class Link {
  /** Resolves when the link has ended, with the reason; never rejects. */
  readonly ended: Promise<LinkError>;
  /** Resolves when both sides have claimed; rejects if the link ends before. For connect. */
  readonly paired: Promise<void>;

  readonly #socket: Socket;
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #waiting = 0;
  #reader: Reader | undefined;
  #end: LinkError | undefined;
  #isPaired = false;
  #onEnd!: (e: LinkError) => void;
  #onPaired!: { resolve: () => void; reject: (e: LinkError) => void };

  /** Takes the socket over. Use connect. */
  constructor(socket: Socket, claim: Uint8Array<ArrayBuffer>) {
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
    this.paired = new Promise((resolve, reject) => {
      this.#onPaired = { resolve, reject };
    });
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      if (this.#end === undefined) {
        socket.send(claim);
      }
      claim.fill(0);
    });
    socket.addEventListener("message", (e) => this.#take(e.data));
    // An error event tells nothing that the close event after it does not.
    socket.addEventListener("close", (e) => this.#finish(new LinkError(e.code, e.reason, true)));
    const limit = setTimeout(() => this.close(codes.unpaired, "not paired in time"), pairTimeout);
    void this.paired.catch(() => undefined).then(() => clearTimeout(limit));
  }

  /** Bytes that the browser has not passed on yet. */
  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  /** Whether little enough waits to be sent that more makes sense. */
  get ready(): boolean {
    return this.#end === undefined && this.unsent < readyBelow;
  }

  /** Sends one message. Keeps nothing of it. Throws a LinkError if the link has ended or does not move any more. */
  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#end !== undefined) {
      throw this.#end;
    }
    if (message.length > maxMessage) {
      throw new LinkError(codes.tooLarge, "sent", false);
    }
    if (this.unsent + message.length > maxUnsent) {
      throw this.#fail(codes.peerStalled, "nothing is taken any more");
    }
    this.#socket.send(message);
  }

  /** Waits for the next message; what arrived before the end still comes. One call at a time. */
  receive(): Promise<Uint8Array<ArrayBuffer>> {
    const next = this.#queue.shift();
    if (next !== undefined) {
      this.#waiting -= next.length + messageCost;
      return Promise.resolve(next);
    }
    if (this.#end !== undefined) {
      return Promise.reject(this.#end);
    }
    if (this.#reader !== undefined) {
      return Promise.reject(new Error("link: receive is called already"));
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Ends the link. Only the first call, and only 1000 and 4000 to 4999, count. */
  close(code: number = codes.normal, reason = ""): void {
    this.#fail(code, reason);
  }

  #take(data: unknown): void {
    if (this.#end !== undefined) {
      return;
    }
    if (!(data instanceof ArrayBuffer)) {
      this.#fail(codes.sealFailed, "a text message is no record");
      return;
    }
    const message = new Uint8Array(data);
    if (message.length > maxMessage) {
      this.#fail(codes.tooLarge, "received");
    } else if (this.#isPaired) {
      this.#deliver(message);
    } else {
      this.#pair(message);
    }
  }

  #pair(message: Uint8Array): void {
    try {
      parsePaired(message);
    } catch {
      this.#fail(codes.badClaim, "the relay answers something else");
      return;
    }
    this.#isPaired = true;
    this.#onPaired.resolve();
  }

  #deliver(message: Uint8Array<ArrayBuffer>): void {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(message);
      return;
    }
    this.#queue.push(message);
    this.#waiting += message.length + messageCost;
    if (this.#waiting > maxWaiting) {
      this.#fail(codes.peerStalled, "nothing is received any more");
    }
  }

  /** Ends the link from this side and returns why it ended, which may be an earlier reason. */
  #fail(code: number, reason: string): LinkError {
    const first = this.#finish(new LinkError(code, reason, false));
    try {
      this.#socket.close(code, reason);
    } catch {
      this.#socket.close(); // a code that pages may not use
    }
    return first;
  }

  #finish(why: LinkError): LinkError {
    if (this.#end === undefined) {
      this.#end = why;
      this.#onPaired.reject(why); // nothing, if it was paired
      this.#reader?.reject(why);
      this.#reader = undefined;
      this.#onEnd(why);
    }
    return this.#end;
  }
}

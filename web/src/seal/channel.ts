// Channels of a session: messages in, records out, and back. Counterpart of channel.go.
import { concat } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";
import { TAG_SIZE } from "./aead.ts";
import { SealError } from "./error.ts";
import { frame, HEADER_SIZE, type Ratchet, type Shape, unframe } from "./record.ts";

/** Carries messages to the peer and back, unchanged and in order. */
export interface Pipe {
  /** Sends one message of at most 61,456 bytes. */
  send(message: Bytes): void | Promise<void>;
  /** Resolves to the next message; rejects when the pipe has ended. One call at a time. */
  receive(): Promise<Bytes>;
  /** Ends the pipe with a close code of docs/PROTOCOL.md section 3. May be called at any time, and more than once. */
  close(code: number, reason: string): void;
}

/** The greatest size of a message. */
export const MAX_MESSAGE = 2 * 1024 * 1024;

/** How many records may be opened at once. The bytes in hand are bounded by it. */
const READ_AHEAD = 4;

/** Sends on a pipe; rejects with SealError "pipe". */
export async function sendOn(pipe: Pipe, message: Bytes): Promise<void> {
  try {
    await pipe.send(message);
  } catch (e) {
    throw new SealError("pipe", e instanceof Error ? e.message : "", e);
  }
}

/** Receives from a pipe; rejects with SealError "pipe". */
export async function receiveFrom(pipe: Pipe): Promise<Bytes> {
  try {
    return await pipe.receive();
  } catch (e) {
    throw new SealError("pipe", e instanceof Error ? e.message : "", e);
  }
}

/** What a channel needs of its session. */
export interface Owner {
  /** Why the session ended, if it did. */
  readonly cause: SealError | undefined;
  /** Ends the session and returns the first cause. */
  fail(cause: unknown): SealError;
}

/** What a channel of one role is made of. */
export interface ChannelParts {
  readonly pipe: Pipe;
  readonly out: Ratchet;
  readonly outShape: Shape;
  readonly in: Ratchet;
  readonly inShape: Shape;
  readonly owner: Owner;
}

/** Carries messages of one channel, sealed, in order, each whole. Errors are SealError and final for the session. */
export class Channel {
  readonly #parts: ChannelParts;
  readonly #opening: Promise<Bytes>[] = [];
  #arrived: Promise<unknown> = Promise.resolve();
  #sent: Promise<void> = Promise.resolve();

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /**
   * Sends a message of at most MAX_MESSAGE bytes, which is copied at once. Messages go out in the order of the calls,
   * also when the promise, which resolves when the pipe has taken the message, is not awaited.
   */
  send(message: Uint8Array): Promise<void> {
    if (message.length > MAX_MESSAGE) {
      return Promise.reject(new SealError("too_large", `${message.length} bytes`));
    }
    if (this.#parts.owner.cause !== undefined) {
      return Promise.reject(this.#parts.owner.cause);
    }
    const most = this.#parts.outShape.largest - HEADER_SIZE;
    let at = 0;
    do {
      const payload = message.subarray(at, at + most);
      at += payload.length;
      this.#sendRecord(payload, at === message.length);
    } while (at < message.length);
    return this.#sent;
  }

  #sendRecord(payload: Uint8Array, last: boolean): void {
    const { out, outShape, pipe, owner } = this.#parts;
    const sealed = out.seal(frame(outShape.round(HEADER_SIZE + payload.length), payload, last));
    const before = this.#sent;
    this.#sent = (async () => {
      try {
        const [record] = await Promise.all([sealed, before]);
        await sendOn(pipe, record);
      } catch (e) {
        throw owner.fail(e);
      }
    })();
    this.#sent.catch(() => {}); // the session has failed and says so to whoever asks next
  }

  /** Resolves to the next message. One call at a time. */
  async receive(): Promise<Bytes> {
    const { owner } = this.#parts;
    if (owner.cause !== undefined) {
      throw owner.cause;
    }
    try {
      return await this.#receive();
    } catch (e) {
      throw owner.fail(e);
    }
  }

  async #receive(): Promise<Bytes> {
    const first = unframe(await this.#nextRecord());
    if (first.last) {
      return first.payload; // most messages are one record: no copy
    }
    const payloads = [first.payload];
    let size = first.payload.length;
    for (;;) {
      const { payload, last } = unframe(await this.#nextRecord());
      size += payload.length;
      if (size > MAX_MESSAGE) {
        throw new SealError("too_large");
      }
      payloads.push(payload);
      if (last) {
        return concat(...payloads);
      }
    }
  }

  /**
   * The next record's plaintext. Some records after it are already being opened: they come in their order all the same.
   */
  #nextRecord(): Promise<Bytes> {
    while (this.#opening.length <= READ_AHEAD) {
      const record = this.#arrived.then(() => receiveFrom(this.#parts.pipe));
      const opened = record.then((r) => this.#open(r));
      opened.catch(() => {}); // whoever takes it from the queue sees it
      this.#arrived = record;
      this.#opening.push(opened);
    }
    return this.#opening.shift() as Promise<Bytes>;
  }

  #open(record: Bytes): Promise<Bytes> {
    if (!this.#parts.inShape.has(record.length - TAG_SIZE)) {
      throw new SealError("size", `${record.length} bytes`);
    }
    return this.#parts.in.open(record);
  }
}

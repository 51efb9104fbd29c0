// The viewer's half of the handshake: docs/PROTOCOL.md section 4.
import { CertError } from "../cert/error.ts";
import { concat } from "../cert/key.ts";
import { type Bytes, Reader } from "../cert/reader.ts";
import { SealError } from "./error.ts";
import { expand, extract, sha256 } from "./hash.ts";
import { CIPHERTEXT_SIZE, type KeyPair } from "./mlkem.ts";
import { Initiator, type X25519Pair } from "./noise.ts";

/** The range of wire versions that the viewer knows. */
export interface Wire {
  readonly min: number;
  readonly max: number;
}

/** What is fresh for each handshake. */
export interface Fresh {
  readonly ephemeral: X25519Pair;
  readonly kem: KeyPair;
}

/** First secrets, by channel and direction. */
export type Secrets = readonly [readonly [Bytes, Bytes], readonly [Bytes, Bytes]];

/** What a finished handshake leaves. */
export interface Result {
  readonly version: number;
  readonly coder: number;
  readonly hash: Bytes;
  readonly secrets: Secrets;
}

/** What both sides must hold to shake hands. */
export async function prologue(session: Bytes, grant: Bytes): Promise<Bytes> {
  return concat(new TextEncoder().encode("jiseki-seal-1"), session, await sha256(grant));
}

/** The payload of message 1. Coders in order of preference. */
export function offer(wire: Wire, coders: readonly number[], encapsulationKey: Bytes): Bytes {
  if (coders.length < 1 || coders.length > 16 || wire.min > wire.max) {
    throw new SealError("handshake", "nothing to offer");
  }
  const head = new DataView(new ArrayBuffer(5));
  head.setUint16(0, wire.min);
  head.setUint16(2, wire.max);
  head.setUint8(4, coders.length);
  return concat(new Uint8Array(head.buffer), Uint8Array.from(coders), encapsulationKey);
}

/** PRK of the key schedule. */
export async function prkOf(hash: Bytes, kemSecret: Bytes, c2s: Bytes, s2c: Bytes): Promise<Bytes> {
  return extract(hash, concat(kemSecret, c2s, s2c));
}

/** The four first secrets. */
export async function secretsOf(prk: Bytes): Promise<Secrets> {
  const secret = (channel: number, direction: number) => expand(prk, "jiseki-seal-1 secret", channel, direction);
  return [
    [await secret(0, 0), await secret(0, 1)],
    [await secret(1, 0), await secret(1, 1)],
  ];
}

/** A handshake between message 1 and message 2. */
export class Handshake {
  readonly message1: Bytes;
  readonly #noise: Initiator;
  readonly #kem: KeyPair;
  readonly #wire: Wire;
  readonly #coders: readonly number[];

  private constructor(message1: Bytes, noise: Initiator, kem: KeyPair, wire: Wire, coders: readonly number[]) {
    this.message1 = message1;
    this.#noise = noise;
    this.#kem = kem;
    this.#wire = wire;
    this.#coders = coders;
  }

  /** Makes message 1. desk is the X25519 key of the desk's verified statement. */
  static async start(
    head: Bytes,
    own: X25519Pair,
    desk: Bytes,
    wire: Wire,
    coders: readonly number[],
    fresh: Fresh,
  ): Promise<Handshake> {
    const noise = new Initiator(head, own, fresh.ephemeral, desk);
    const message1 = await noise.write(offer(wire, coders, fresh.kem.encapsulationKey));
    return new Handshake(message1, noise, fresh.kem, wire, coders);
  }

  /** Takes message 2. Rejects with SealError: handshake, version or coder. */
  async finish(message2: Bytes): Promise<Result> {
    const done = await this.#noise.read(message2);
    const { version, coder, ciphertext } = this.#choice(done.payload);
    const prk = await prkOf(done.hash, await this.#kem.decapsulate(ciphertext), done.c2s, done.s2c);
    return { version, coder, hash: done.hash, secrets: await secretsOf(prk) };
  }

  #choice(payload: Bytes): { version: number; coder: number; ciphertext: Bytes } {
    const choice = parseChoice(payload);
    if (choice.version < this.#wire.min || choice.version > this.#wire.max) {
      throw new SealError("version", `agent chose ${choice.version}`);
    }
    if (!this.#coders.includes(choice.coder)) {
      throw new SealError("coder", `agent chose ${choice.coder}`);
    }
    return choice;
  }
}

/** Reads the payload of message 2. Throws SealError "handshake". */
export function parseChoice(payload: Bytes): { version: number; coder: number; ciphertext: Bytes } {
  try {
    const r = new Reader("payload of message 2", payload);
    const choice = { version: r.u16(), coder: r.u8(), ciphertext: r.bytes(CIPHERTEXT_SIZE) };
    r.done();
    return choice;
  } catch (e) {
    throw new SealError("handshake", e instanceof CertError ? e.message : "payload", e);
  }
}

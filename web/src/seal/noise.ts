// The initiator's half of Noise_IK_25519_AESGCM_SHA256 (Noise specification, rev. 34) on WebCrypto.
import { concat } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";
import { decrypt, encrypt, importKey, TAG_SIZE } from "./aead.ts";
import { SealError } from "./error.ts";
import { hkdf2, sha256 } from "./hash.ts";

const PROTOCOL = "Noise_IK_25519_AESGCM_SHA256";
const KEY_SIZE = 32;

/** An X25519 key pair. The private half may be unreadable. */
export interface X25519Pair {
  readonly privateKey: CryptoKey;
  readonly publicKey: Bytes;
}

/** Draws a key pair whose private half cannot be read. */
export async function generateX25519(): Promise<X25519Pair> {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  return {
    privateKey: pair.privateKey,
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
  };
}

/** X25519; rejects where the result would be zero. */
async function dh(own: X25519Pair, peer: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", peer, { name: "X25519" }, false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: key }, own.privateKey, 256));
}

/** The SymmetricState of the specification, section 5.2. */
class SymmetricState {
  h: Bytes;
  #chainingKey: Bytes;
  #key: CryptoKey | undefined;
  #counter = 0;

  constructor() {
    this.h = new Uint8Array(32); // the name is shorter than a hash: padded with zeros
    this.h.set(new TextEncoder().encode(PROTOCOL));
    this.#chainingKey = this.h;
  }

  async mixHash(data: Uint8Array): Promise<void> {
    this.h = await sha256(this.h, data);
  }

  async mixKey(secret: Bytes): Promise<void> {
    const [chainingKey, key] = await hkdf2(this.#chainingKey, secret);
    this.#chainingKey = chainingKey;
    this.#key = await importKey(key, ["encrypt", "decrypt"]);
    this.#counter = 0;
  }

  async encryptAndHash(plaintext: Bytes): Promise<Bytes> {
    const sealed = await encrypt(this.#use(), this.#counter++, plaintext, this.h);
    await this.mixHash(sealed);
    return sealed;
  }

  async decryptAndHash(sealed: Bytes): Promise<Bytes> {
    const plaintext = await decrypt(this.#use(), this.#counter++, sealed, this.h);
    await this.mixHash(sealed);
    return plaintext;
  }

  async split(): Promise<[Bytes, Bytes]> {
    return hkdf2(this.#chainingKey, new Uint8Array(0));
  }

  #use(): CryptoKey {
    if (this.#key === undefined) {
      throw new Error("no key yet"); // IK mixes one before it seals anything
    }
    return this.#key;
  }
}

/** What the handshake leaves. */
export interface Finished {
  readonly payload: Bytes;
  /** Final handshake hash. */
  readonly hash: Bytes;
  /** Split keys. */
  readonly c2s: Bytes;
  readonly s2c: Bytes;
}

/** The initiator between message 1 and message 2. Each method may be called once. */
export class Initiator {
  readonly #state = new SymmetricState();
  readonly #prologue: Bytes;
  readonly #static: X25519Pair;
  readonly #ephemeral: X25519Pair;
  readonly #peer: Bytes;

  /** peer is the responder's static key. */
  constructor(prologue: Bytes, own: X25519Pair, ephemeral: X25519Pair, peer: Bytes) {
    this.#prologue = prologue;
    this.#static = own;
    this.#ephemeral = ephemeral;
    this.#peer = peer;
  }

  /** Message 1: e, es, s, ss, payload. */
  async write(payload: Bytes): Promise<Bytes> {
    const s = this.#state;
    await s.mixHash(this.#prologue);
    await s.mixHash(this.#peer);
    await s.mixHash(this.#ephemeral.publicKey);
    await s.mixKey(await dh(this.#ephemeral, this.#peer));
    const sealedStatic = await s.encryptAndHash(this.#static.publicKey);
    await s.mixKey(await dh(this.#static, this.#peer));
    return concat(this.#ephemeral.publicKey, sealedStatic, await s.encryptAndHash(payload));
  }

  /** Message 2: e, ee, se, payload. Rejects with SealError "handshake". */
  async read(message: Bytes): Promise<Finished> {
    if (message.length < KEY_SIZE + TAG_SIZE) {
      throw new SealError("handshake", "message 2 is too short");
    }
    const s = this.#state;
    const ephemeral = message.slice(0, KEY_SIZE);
    try {
      await s.mixHash(ephemeral);
      await s.mixKey(await dh(this.#ephemeral, ephemeral));
      await s.mixKey(await dh(this.#static, ephemeral));
      const payload = await s.decryptAndHash(message.slice(KEY_SIZE));
      const [c2s, s2c] = await s.split();
      return { payload, hash: s.h, c2s, s2c };
    } catch (e) {
      throw new SealError("handshake", "message 2 does not open", e);
    }
  }
}

// ML-KEM-768 (FIPS 203): the browser's where it has one, else a bundled implementation. Both are the same algorithm;
// there is no handshake without it.
import type { Bytes } from "../cert/reader.ts";

export const CIPHERTEXT_SIZE = 1088;

const NAME = "ML-KEM-768";

/** A key pair for one handshake. */
export interface KeyPair {
  readonly encapsulationKey: Bytes;
  /** The 32-byte secret in a ciphertext. A changed ciphertext gives another secret, as FIPS 203 wants it. */
  decapsulate(ciphertext: Bytes): Promise<Bytes>;
}

/**
 * WebCrypto's ML-KEM (Modern Algorithms in the Web Cryptography API), which the TypeScript library does not know yet.
 */
interface Native {
  generateKey(algorithm: { name: string }, extractable: boolean, usages: string[]): Promise<CryptoKeyPair>;
  exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer>;
  decapsulateBits(algorithm: { name: string }, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}

/** Draws a key pair. */
export async function generateKEM(): Promise<KeyPair> {
  return (await nativeKEM()) ?? bundledKEM(crypto.getRandomValues(new Uint8Array(64)));
}

/** A key pair of the browser's, whose private half cannot be read, or undefined if it has none. */
export async function nativeKEM(): Promise<KeyPair | undefined> {
  const subtle = crypto.subtle as unknown as Native;
  if (typeof subtle.decapsulateBits !== "function") {
    return undefined;
  }
  let pair: CryptoKeyPair;
  let encapsulationKey: Bytes;
  try {
    pair = await subtle.generateKey({ name: NAME }, false, ["decapsulateBits"]);
    encapsulationKey = new Uint8Array(await subtle.exportKey("raw-public", pair.publicKey));
  } catch {
    return undefined; // has the interface but not this algorithm
  }
  return {
    encapsulationKey,
    decapsulate: async (ciphertext) =>
      new Uint8Array(await subtle.decapsulateBits({ name: NAME }, pair.privateKey, ciphertext)),
  };
}

/** A key pair of the bundled implementation from a seed of 64 bytes (d || z). */
export async function bundledKEM(seed: Bytes): Promise<KeyPair> {
  const { ml_kem768 } = await import("@noble/post-quantum/ml-kem.js");
  const pair = ml_kem768.keygen(seed);
  return {
    encapsulationKey: new Uint8Array(pair.publicKey),
    decapsulate: async (ciphertext) => new Uint8Array(ml_kem768.decapsulate(ciphertext, pair.secretKey)),
  };
}

import type { Bytes } from "../cert/reader.ts";

/** Size of an AES-GCM tag. */
export const TAG_SIZE = 16;

const NAME = "AES-GCM";
const NO_DATA = new Uint8Array(0);

/** Makes an AES-256-GCM key that cannot be read back. */
export async function importKey(raw: Bytes, usages: ("encrypt" | "decrypt")[]): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, NAME, false, usages);
}

/** The nonce of a counter: four zero bytes and 64 bits. */
function nonceOf(counter: number): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter));
  return nonce;
}

export async function encrypt(key: CryptoKey, counter: number, plaintext: Bytes, ad: Bytes = NO_DATA): Promise<Bytes> {
  const algorithm = { name: NAME, iv: nonceOf(counter), additionalData: ad };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, key, plaintext));
}

/** Rejects if the bytes are not what was sealed with this key, counter and data. */
export async function decrypt(key: CryptoKey, counter: number, sealed: Bytes, ad: Bytes = NO_DATA): Promise<Bytes> {
  const algorithm = { name: NAME, iv: nonceOf(counter), additionalData: ad };
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed));
}

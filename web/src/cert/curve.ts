// The curve P-256 (NIST SP 800-186, section 3.2.1.3).
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** Size of an uncompressed P-256 key: 04 || x || y. */
export const PUBLIC_KEY_SIZE = 65;

/** Says whether key is 04 || x || y with x and y on the curve. Public keys only: it takes variable time. */
export function onCurve(key: Uint8Array): boolean {
  if (key.length !== PUBLIC_KEY_SIZE || key[0] !== 4) {
    return false;
  }
  const x = integer(key.subarray(1, 33));
  const y = integer(key.subarray(33));
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n;
}

function integer(b: Uint8Array): bigint {
  let n = 0n;
  for (const x of b) {
    n = (n << 8n) | BigInt(x);
  }
  return n;
}

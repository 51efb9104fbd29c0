/** Why bytes were refused; the names are those of vectors/README.md, and those of package cert in Go. */
export type Code =
  | "short"
  | "trailer"
  | "magic"
  | "version"
  | "range"
  | "kind"
  | "issuer"
  | "signature"
  | "expired"
  | "clock_skew"
  | "desk"
  | "viewer";

/**
 * Says what was refused and why, and with which clocks. Holds no secret and no byte of the structure: it may be shown.
 */
export class CertError extends Error {
  readonly code: Code;
  /** The reader's clock, for "expired" and "clock_skew"; milliseconds since 1970. */
  readonly now: number | undefined;
  /** The time in the structure that `now` was compared with. */
  readonly limit: number | undefined;

  constructor(what: string, code: Code, now?: number, limit?: number) {
    super(`${what} refused: ${code}`);
    this.name = "CertError";
    this.code = code;
    this.now = now;
    this.limit = limit;
  }
}

/** Clock skew allowed against signed gateway time, in milliseconds. */
export const SKEW = 60_000;

/**
 * Throws unless now lies in the half-open time from notBefore to notAfter, give or take skew. All in milliseconds. A
 * clock that says NaN lies nowhere.
 */
export function checkWindow(what: string, notBefore: number, notAfter: number, now: number, skew: number): void {
  if (!(now + skew >= notBefore)) {
    throw new CertError(what, "clock_skew", now, notBefore);
  }
  if (!(now - skew < notAfter)) {
    throw new CertError(what, "expired", now, notAfter);
  }
}

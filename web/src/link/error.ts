/** Why a link ends: close codes of docs/PROTOCOL.md section 3, and what the browser alone knows. */
export const codes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  notBinary: 1003,
  /** The connection broke, or never came about, and nobody said why. */
  lost: 1006,
  badClaim: 4001,
  unpaired: 4002,
  peerGone: 4003,
  peerStalled: 4004,
  revoked: 4005,
  replaced: 4006,
  stopping: 4007,
  tooLarge: 4008,
  silent: 4009,
  sealFailed: 4010,
} as const;

export type Ending = keyof typeof codes | "other";

const endings: ReadonlyMap<number, Ending> = new Map(
  Object.entries(codes).map(([name, code]) => [code, name as Ending]),
);

/** The end of a link. */
export class LinkError extends Error {
  readonly code: number;
  /** The code's name, to choose what is shown and whether to connect again. */
  readonly ending: Ending;
  /** For logs only: foreign text if remote. */
  readonly reason: string;
  /** Whether the other end, or the line, ended it. */
  readonly remote: boolean;

  constructor(code: number, reason: string, remote: boolean) {
    const ending = endings.get(code) ?? "other";
    super(`link ended by ${remote ? "the other end" : "this end"}: ${ending} (${code})`);
    this.name = "LinkError";
    this.code = code;
    this.ending = ending;
    this.reason = reason;
    this.remote = remote;
  }
}

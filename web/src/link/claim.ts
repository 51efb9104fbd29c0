/** The ends of a session. */
export const Side = { viewer: 1, agent: 2 } as const;
export type Side = (typeof Side)[keyof typeof Side];

/** A session's two links. */
export const Channel = { control: 0, display: 1 } as const;
export type Channel = (typeof Channel)[keyof typeof Channel];

/** The first message of a client on a link: J L, version, side, channel, ticket (docs/PROTOCOL.md section 3). */
export interface Claim {
  readonly side: Side;
  readonly channel: Channel;
  /** 32 bytes, secret. */
  readonly ticket: Uint8Array;
}

const ticketSize = 32;
const claimSize = 37;
const pairedSize = 4;

const version = 1;

/** In which way bytes are no claim or answer; the names are those of vectors/README.md. */
export type ClaimFault = "short" | "trailer" | "magic" | "version" | "range";

export class ClaimError extends Error {
  readonly class: ClaimFault;

  constructor(cls: ClaimFault) {
    super(`link: ${cls}`);
    this.name = "ClaimError";
    this.class = cls;
  }
}

/** Bytes of a claim. Throws a ClaimError if the ticket has another size. */
export function encodeClaim(c: Claim): Uint8Array<ArrayBuffer> {
  if (c.ticket.length !== ticketSize) {
    throw new ClaimError("range");
  }
  const b = new Uint8Array(claimSize);
  b.set([0x4a, 0x4c, version, c.side, c.channel]);
  b.set(c.ticket, claimSize - ticketSize);
  return b;
}

/** Reads a claim; b holds it and nothing else. The ticket shares memory with b. */
export function parseClaim(b: Uint8Array): Claim {
  checkHead(b, claimSize);
  const side = b[3];
  const channel = b[4];
  if ((side !== Side.viewer && side !== Side.agent) || (channel !== Channel.control && channel !== Channel.display)) {
    throw new ClaimError("range");
  }
  return { side, channel, ticket: b.subarray(claimSize - ticketSize) };
}

/** Throws a ClaimError unless b is the relay's answer to a claim when both sides have claimed. */
export function parsePaired(b: Uint8Array): void {
  checkHead(b, pairedSize);
  if (b[3] !== 0) {
    throw new ClaimError("range");
  }
}

function checkHead(b: Uint8Array, size: number): void {
  if (b.length < 3) {
    throw new ClaimError("short");
  }
  if (b[0] !== 0x4a || b[1] !== 0x4c) {
    throw new ClaimError("magic");
  }
  if (b[2] !== version) {
    throw new ClaimError("version");
  }
  if (b.length !== size) {
    throw new ClaimError(b.length < size ? "short" : "trailer");
  }
}

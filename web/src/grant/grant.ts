// The right to open one session: docs/PROTOCOL.md section 2. A viewer reads it and checks that it is its own; the agent
// verifies the signature, and the handshake fails if both do not hold the same bytes. Counterpart of package grant in
// Go.
import { MAX_ID } from "../cert/cert.ts";
import { CertError } from "../cert/error.ts";
import { equal, SIGNATURE_SIZE } from "../cert/key.ts";
import { type Bytes, Reader } from "../cert/reader.ts";

/** Bits of the rights. */
export const RIGHT = { view: 1, input: 2, clipboard: 4 } as const;

/** The networks of desks. */
const ZONE = { lgwan: 1, internet: 2, mynumber: 3 } as const;

/** The longest time from issued to openBefore, in milliseconds. */
const OPEN_LIFE = 60_000;

/** The right to open one session. Times are milliseconds since 1970, durations seconds. */
export interface Grant {
  readonly session: Bytes;
  readonly issuer: Bytes;
  readonly user: string;
  readonly userName: string;
  readonly device: string;
  /** 1 lent, 2 private. */
  readonly deviceKind: number;
  /** 1 browser, 2 native, 3 headless. */
  readonly viewerKind: number;
  readonly deviceKey: Bytes;
  readonly desk: string;
  readonly zone: number;
  readonly deskKey: Bytes;
  readonly noiseKey: Bytes;
  readonly rights: number;
  readonly viewerTicket: Bytes;
  readonly agentTicket: Bytes;
  readonly relay: string;
  readonly idle: number;
  readonly grace: number;
  readonly issued: number;
  readonly openBefore: number;
  readonly sessionUntil: number;
  readonly signature: Bytes;
}

/** Reads a grant. Refuses clipboard in the zones lgwan and mynumber. Throws CertError. */
export function parseGrant(b: Uint8Array): Grant {
  const r = new Reader("grant", b);
  r.header("JG", 1);
  const grant = {
    session: r.bytes(16),
    issuer: r.bytes(8),
    ...parseDevice(r),
    ...parseDesk(r),
    ...parseSession(r),
    signature: r.bytes(SIGNATURE_SIZE),
  };
  r.done();
  return grant;
}

function parseDevice(r: Reader) {
  return {
    user: r.string(1, MAX_ID),
    userName: r.string(1, 255),
    device: r.string(1, MAX_ID),
    deviceKind: between(r, 1, r.u8(), 2),
    viewerKind: between(r, 1, r.u8(), 3),
    deviceKey: r.key(),
  };
}

function parseDesk(r: Reader) {
  const desk = r.string(1, MAX_ID);
  const zone = between(r, ZONE.lgwan, r.u8(), ZONE.mynumber);
  const deskKey = r.key();
  const noiseKey = r.bytes(32);
  const rights = between(r, 0, r.u32(), 7);
  r.require(zone === ZONE.internet || (rights & RIGHT.clipboard) === 0);
  return { desk, zone, deskKey, noiseKey, rights };
}

function parseSession(r: Reader) {
  const session = {
    viewerTicket: r.bytes(32),
    agentTicket: r.bytes(32),
    relay: r.string(1, 255),
    idle: r.u32(),
    grace: r.u16(),
    issued: r.time(),
    openBefore: r.time(),
    sessionUntil: r.time(),
  };
  const open = session.openBefore - session.issued;
  r.require(open > 0 && open <= OPEN_LIFE);
  r.require(session.sessionUntil >= session.openBefore);
  return session;
}

function between(r: Reader, low: number, n: number, high: number): number {
  r.require(n >= low && n <= high);
  return n;
}

/** What a viewer knows about the session that it asked for. */
export interface Own {
  readonly session: Bytes;
  /** Own identity key. */
  readonly device: Bytes;
  /** Own X25519 key. */
  readonly noiseKey: Bytes;
  /** Id of the desk. */
  readonly desk: string;
  /** Of the desk's verified certificate. */
  readonly deskKey: Bytes;
}

/** Throws CertError with code "viewer" unless g is the grant that the viewer asked for. */
export function checkOwn(g: Grant, own: Own): void {
  const same =
    equal(g.session, own.session) &&
    equal(g.deviceKey, own.device) &&
    equal(g.noiseKey, own.noiseKey) &&
    g.desk === own.desk &&
    equal(g.deskKey, own.deskKey);
  if (!same) {
    throw new CertError("grant", "viewer");
  }
}

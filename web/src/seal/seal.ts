// The end-to-end seal between viewer and agent, the viewer's side: docs/PROTOCOL.md section 4. Counterpart of package
// seal in Go. It needs no DOM and runs in a page as well as in a Worker.
import { KIND, parseCertificate, parseDeskStatement, verifyCertificate, verifyDeskStatement } from "../cert/cert.ts";
import { CertError, SKEW } from "../cert/error.ts";
import { SIGNATURE_SIZE, sign, verify } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";
import { checkOwn, parseGrant } from "../grant/grant.ts";
import { Channel, type Pipe, receiveFrom, sendOn } from "./channel.ts";
import { SealError } from "./error.ts";
import { type Fresh, Handshake, prologue, type Result, type Wire } from "./handshake.ts";
import { generateKEM } from "./mlkem.ts";
import { generateX25519, type X25519Pair } from "./noise.ts";
import { CHANNEL, type ChannelNumber, DIRECTION, Ratchet, Shape } from "./record.ts";

/** What a viewer needs. */
export interface DialConfig {
  /** The grant, as the gateway answered. */
  readonly grant: Bytes;
  /** Session id, as the viewer requested it. */
  readonly session: Bytes;
  /** Id of the desk that the user chose. */
  readonly desk: string;
  /** The desk's certificate and its statement. */
  readonly certificate: Bytes;
  readonly statement: Bytes;
  /** CA keys that are trusted for desks. */
  readonly deskCAs: readonly Bytes[];
  /** The device's identity key (ECDSA P-256, usage sign) and its public half. */
  readonly identity: { readonly key: CryptoKey; readonly publicKey: Bytes };
  /** X25519 key of generateX25519, fresh for this session, the one that the grant names. */
  readonly key: X25519Pair;
  /** Wire versions that the viewer knows. */
  readonly wire: Wire;
  /** Coders that the viewer knows, the preferred first: 1 to 16. */
  readonly coders: readonly number[];
  /** Signed gateway time, or the clock: milliseconds since 1970. */
  readonly now: () => number;
}

const CLOSE_FAILED = 4010;
const CLOSE_GONE = 4003;

/** An open seal. Every failure of either channel ends both. */
export class Session {
  readonly control: Channel;
  readonly display: Channel;
  /** Wire version. */
  readonly version: number;
  readonly coder: number;
  /** Final Noise hash: names this handshake, is no secret. */
  readonly hash: Bytes;
  readonly #pipes: readonly [Pipe, Pipe];
  #cause: SealError | undefined;

  /** For dial alone. */
  constructor(pipes: readonly [Pipe, Pipe], result: Result) {
    this.#pipes = pipes;
    this.version = result.version;
    this.coder = result.coder;
    this.hash = result.hash;
    this.control = this.#channel(CHANNEL.control, result);
    this.display = this.#channel(CHANNEL.display, result);
  }

  #channel(number: ChannelNumber, result: Result): Channel {
    const [fromViewer, fromAgent] = result.secrets[number];
    return new Channel({
      pipe: this.#pipes[number],
      out: new Ratchet(fromViewer, "encrypt"),
      outShape: new Shape(number, DIRECTION.fromViewer),
      in: new Ratchet(fromAgent, "decrypt"),
      inShape: new Shape(number, DIRECTION.fromAgent),
      owner: this,
    });
  }

  /** Why the session ended, if it did. */
  get cause(): SealError | undefined {
    return this.#cause;
  }

  /** Ends both channels with a close code. May be called at any time, and more than once. */
  close(code: number, reason: string): void {
    if (this.#cause === undefined) {
      this.#cause = new SealError("closed");
      closeBoth(this.#pipes, code, reason);
    }
  }

  /** Ends the session because of e and returns the first cause, which need not be e. */
  fail(e: unknown): SealError {
    if (this.#cause === undefined) {
      this.#cause = typed(e);
      closeFor(this.#pipes, this.#cause);
    }
    return this.#cause;
  }
}

/**
 * Opens a session over two paired pipes. First checks that the desk's certificate, its statement and the grant belong
 * together and to this viewer, then shakes hands, and resolves only when the desk's identity signature over the
 * handshake is verified: what is sent and received on the session's channels is with that desk. On failure closes both
 * pipes and rejects with SealError; a CertError as its cause says more.
 */
export async function dial(control: Pipe, display: Pipe, config: DialConfig): Promise<Session> {
  return dialWith(control, display, config, async () => {
    const [ephemeral, kem] = await Promise.all([generateX25519(), generateKEM()]);
    return { ephemeral, kem };
  });
}

/** dial with given keys for the handshake: for vectors. */
export async function dialWith(
  control: Pipe,
  display: Pipe,
  config: DialConfig,
  fresh: () => Promise<Fresh>,
): Promise<Session> {
  const pipes = [control, display] as const;
  let session: Session | undefined;
  try {
    const desk = await check(config);
    session = new Session(pipes, await shake(control, config, desk.noiseKey, await fresh()));
    await prove(session, config, desk.key);
    return session;
  } catch (e) {
    if (session !== undefined) {
      throw session.fail(e);
    }
    const error = typed(e);
    closeFor(pipes, error);
    throw error;
  }
}

/** Resolves to the keys of the desk that the user chose. */
async function check(config: DialConfig): Promise<{ key: Bytes; noiseKey: Bytes }> {
  const now = config.now();
  const identity = async () => {
    const certificate = parseCertificate(config.certificate);
    await verifyCertificate(certificate, KIND.desk, config.deskCAs, now, SKEW);
    if (certificate.subject !== config.desk) {
      throw new SealError("peer_identity", "certificate of another desk");
    }
    const statement = parseDeskStatement(config.statement);
    await verifyDeskStatement(statement, certificate.key, now, SKEW);
    return { key: certificate.key, noiseKey: statement.noiseKey };
  };
  const desk = await identity().catch((e: unknown) => wrap("peer_identity", e));
  try {
    const own = { session: config.session, device: config.identity.publicKey, noiseKey: config.key.publicKey };
    checkOwn(parseGrant(config.grant), { ...own, desk: config.desk, deskKey: desk.key });
  } catch (e) {
    wrap("grant", e);
  }
  return desk;
}

async function shake(control: Pipe, config: DialConfig, noiseKey: Bytes, fresh: Fresh): Promise<Result> {
  const head = await prologue(config.session, config.grant);
  const handshake = await Handshake.start(head, config.key, noiseKey, config.wire, config.coders, fresh);
  await sendOn(control, handshake.message1);
  return handshake.finish(await receiveFrom(control));
}

/** Sends the viewer's first messages and verifies the desk's. */
async function prove(session: Session, config: DialConfig, deskKey: Bytes): Promise<void> {
  const signature = await sign(config.identity.key, "jiseki-seal-1 viewer", session.hash);
  await Promise.all([session.control.send(signature), session.display.send(new Uint8Array(0))]);
  const proof = await session.control.receive();
  if (proof.length !== SIGNATURE_SIZE) {
    throw new SealError("order", "the first message on control is no signature");
  }
  if (!(await verify(deskKey, "jiseki-seal-1 desk", session.hash, new Uint8Array(proof)))) {
    throw new SealError("peer_identity", "signature");
  }
}

function wrap(failure: "peer_identity" | "grant", e: unknown): never {
  throw e instanceof CertError ? new SealError(failure, e.message, e) : e;
}

/** Only WebCrypto fails with other errors, over a peer's keys that it refuses. */
function typed(e: unknown): SealError {
  return e instanceof SealError ? e : new SealError("handshake", e instanceof Error ? e.message : "", e);
}

function closeFor(pipes: readonly [Pipe, Pipe], e: SealError): void {
  if (e.failure === "pipe") {
    closeBoth(pipes, CLOSE_GONE, "channel gone");
  } else {
    closeBoth(pipes, CLOSE_FAILED, "seal failed");
  }
}

function closeBoth(pipes: readonly [Pipe, Pipe], code: number, reason: string): void {
  for (const p of pipes) {
    p.close(code, reason);
  }
}

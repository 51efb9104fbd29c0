import { call, fromBase64, toBase64 } from "../api/api.ts";
import { parseBundle } from "../cert/bundle.ts";
import { signRequest } from "../cert/proof.ts";
import { type Device, Devices } from "../device/device.ts";
import type { OpenedJson } from "../gen/jiseki/control/v1/desk_pb.js";
import type { Opening } from "../engine/messages.ts";
import type { Cause } from "../engine/reconnect.ts";
import { generateX25519 } from "../seal/noise.ts";
import { causeOf, patience, refused } from "./cause.ts";

/** Who opens desks here. */
export interface Person {
  readonly user: string;
  readonly name: string;
  readonly device: Device;
  readonly deviceLabel: string;
}

/**
 * Finds out who is signed in, and with which of this browser's keys. Resolves to a Cause if that is nobody; rejects as
 * `call` does.
 */
export async function identify(): Promise<Person | Cause> {
  const { me } = await call("AuthService", "GetMe", {}, patience());
  if (me?.userId === undefined) {
    return { kind: "signed_out" };
  }
  const { userId, name, device } = me;
  const key = await findKey(device?.deviceId);
  if (key === undefined) {
    return { kind: "no_device" };
  }
  return { user: userId, name: name ?? "", device: key, deviceLabel: device?.label ?? "" };
}

async function findKey(id: string | undefined): Promise<Device | undefined> {
  try {
    const store = await Devices.open();
    const found = (await store.all()).find((d) => d.id === id);
    store.close();
    return found;
  } catch {
    return undefined; // a browser that stores nothing holds no key
  }
}

/** What a grant comes with, for the page. */
export interface Granted {
  readonly opening: Opening;
  /** What lies over the picture, with `{time}` in it; empty for nothing. */
  readonly watermark: string;
}

/**
 * Gets a grant for a session on a desk: prepares, signs, opens. Resolves to a Cause instead if there is none; never
 * rejects.
 */
export async function authorize(person: Person, desk: string, continues: Uint8Array | null): Promise<Granted | Cause> {
  try {
    return await grant(person, desk, continues);
  } catch (e) {
    return causeOf(e);
  }
}

async function grant(person: Person, desk: string, continues: Uint8Array | null): Promise<Granted | Cause> {
  const { prepared, refusal } = await call("DeskService", "PrepareSession", { deskId: desk }, patience());
  if (refusal !== undefined) {
    return refused(refusal);
  }
  const session = fromBase64(prepared?.sessionId ?? "");
  const clockOffset = Number(prepared?.serverTimeMs ?? Date.now()) - Date.now();
  const key = await generateX25519();
  const { device } = person;
  const signature = await signRequest(device.key, {
    nonce: fromBase64(prepared?.nonce ?? ""),
    session,
    user: person.user,
    desk,
    noiseKey: key.publicKey,
  });
  const request = {
    sessionId: toBase64(session),
    noiseKey: toBase64(key.publicKey),
    signature: toBase64(signature),
    viewerKind: "VIEWER_KIND_BROWSER",
    reconnectOf: toBase64(continues ?? new Uint8Array(0)),
  } as const;
  const answer = await call("DeskService", "OpenSession", request, patience());
  if (answer.refusal !== undefined) {
    return refused(answer.refusal);
  }
  const opened: OpenedJson = answer.opened ?? {};
  return {
    watermark: opened.watermark ?? "",
    opening: {
      relayUrl: opened.relayUrl ?? "",
      ticket: fromBase64(opened.ticket ?? ""),
      grant: fromBase64(opened.grant ?? ""),
      session,
      desk,
      certificate: fromBase64(opened.deskCertificate ?? ""),
      statement: fromBase64(opened.deskStatement ?? ""),
      deskCAs: await trusted(device, fromBase64(prepared?.trustBundle ?? "")),
      identity: { key: device.key, publicKey: device.publicKey },
      key,
      clockOffset,
    },
  };
}

/**
 * The desk CAs to trust: those of the bundle kept with the device, or of the gateway's if that is newer, which is kept
 * from then on. (Whoever serves this page could change it anyway: docs/THREATS.md. The native viewer keeps to what it
 * was enrolled with.)
 */
async function trusted(device: Device, offered: Uint8Array<ArrayBuffer>): Promise<Opening["deskCAs"]> {
  const own = parseBundle(device.trustBundle);
  if (offered.length === 0) {
    return own.deskCAs;
  }
  const theirs = parseBundle(offered);
  if (theirs.version <= own.version) {
    return own.deskCAs;
  }
  await keep(device, offered);
  return theirs.deskCAs;
}

/** Keeps a newer bundle. A browser that cannot store it now is offered it again with the next session. */
async function keep(device: Device, bundle: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    const store = await Devices.open();
    await store.trust(device, bundle).finally(() => store.close());
  } catch {
    // The session opens all the same: what it trusts is in memory.
  }
}

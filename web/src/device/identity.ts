// What this browser proves with its identity key: at a sign-in, at its enrolment, and when its certificate is renewed.
import { call, fromBase64, toBase64 } from "../api/api.ts";
import { signEnrol, signSignIn } from "../cert/proof.ts";
import { createKey, type Device, Devices, type Keeping } from "./device.ts";
import type { DeviceProofJson, EnrolledJson, MeJson, SignInResponseJson } from "../gen/jiseki/control/v1/auth_pb.js";
import type { RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { foldId } from "../typed/fold.ts";

/** What was typed to sign in. */
export interface Typed {
  readonly user: string;
  readonly password: string;
  readonly totp: string;
}

/** An answer to a sign-in. `device` says whether the browser's key was part of it. */
export interface SignInAnswer {
  readonly response: SignInResponseJson;
  readonly device: "used" | "none" | "not_accepted";
}

/** With these codes the key of this browser is none for this user: the password alone may still do. */
const FOREIGN = new Set(["device_unknown", "device_not_yours"]);

/** The user id as the gateway keeps it, whatever width and case it was typed in. */
export function normalUser(typed: string): string {
  return foldId(typed);
}

/** The devices that this browser is; none if it stores nothing. */
export async function devicesHere(): Promise<Device[]> {
  return withDevices((d) => d.all()).catch(() => []);
}

/** Signs in, with the key of this browser if it holds one for the user and `useDevice` says so. */
export async function signIn(typed: Typed, useDevice: boolean): Promise<SignInAnswer> {
  const userId = normalUser(typed.user);
  const request = { userId, password: typed.password, totp: typed.totp.normalize("NFKC").trim() };
  const device = useDevice ? await withDevices((d) => d.find(userId)).catch(() => undefined) : undefined;
  if (device === undefined) {
    return { response: await call("AuthService", "SignIn", request), device: "none" };
  }
  const response = await call("AuthService", "SignIn", { ...request, device: await proof(device, userId) });
  if (!(response.refusal?.reasons ?? []).some((r) => FOREIGN.has(r.code ?? ""))) {
    return { response, device: "used" };
  }
  return { response: await call("AuthService", "SignIn", request), device: "not_accepted" };
}

/** How an enrolment ended. */
export type EnrolAnswer = { readonly refusal: RefusalJson } | { readonly deviceId: string };

/** Makes a key and enrols this browser with a one-time code. The key is stored before this resolves. */
export async function enrol(userId: string, code: string, label: string, keeping: Keeping): Promise<EnrolAnswer> {
  const { key, publicKey } = await createKey();
  const nonce = await challenge();
  const response = await call("AuthService", "EnrolDevice", {
    oneTimeCode: code,
    nonce: toBase64(nonce),
    publicKey: toBase64(publicKey),
    signature: toBase64(await signEnrol(key, { nonce, key: publicKey })),
    label,
    grade: "KEY_GRADE_NON_EXTRACTABLE",
    persistentStorage: keeping === "kept",
  });
  if (response.enrolled === undefined) {
    return { refusal: response.refusal ?? {} };
  }
  await keep({ key, publicKey, user: userId }, response.enrolled);
  return { deviceId: response.enrolled.deviceId ?? "" };
}

/** Renews the certificate of this sign-in's device when it is time. Says whether there is a new one. */
export async function renewIfDue(me: MeJson): Promise<boolean> {
  if (me.device?.renew !== true) {
    return false;
  }
  const device = (await devicesHere()).find((d) => d.id === me.device?.deviceId);
  if (device === undefined) {
    return false;
  }
  const answer = await call("AuthService", "RenewDeviceCertificate", { device: await proof(device, me.userId ?? "") });
  if (answer.renewed === undefined) {
    return false;
  }
  await keep(device, answer.renewed);
  return true;
}

/** A name for this device that its user will recognise. */
export function systemAndBrowser(agent: string): { readonly system: string | null; readonly browser: string | null } {
  const first = (known: readonly (readonly [RegExp, string])[]): string | null =>
    known.find(([sign]) => sign.test(agent))?.[1] ?? null;
  return {
    system: first([
      [/iPhone/, "iPhone"],
      [/iPad/, "iPad"],
      [/Android/, "Android"],
      [/Windows/, "Windows"],
      [/CrOS/, "Chromebook"],
      [/Mac OS X/, "Mac"],
      [/Linux/, "Linux"],
    ]),
    browser: first([
      [/Edg(e|A|iOS)?\//, "Edge"],
      [/Firefox\/|FxiOS\//, "Firefox"],
      [/Chrome\/|CriOS\//, "Chrome"],
      [/Safari\//, "Safari"],
    ]),
  };
}

async function proof(device: Device, user: string): Promise<DeviceProofJson> {
  const nonce = await challenge();
  const signature = await signSignIn(device.key, { nonce, user, device: device.id });
  return { deviceId: device.id, nonce: toBase64(nonce), signature: toBase64(signature) };
}

async function challenge(): Promise<Uint8Array<ArrayBuffer>> {
  return fromBase64((await call("AuthService", "GetChallenge", {})).nonce ?? "");
}

async function keep(key: Pick<Device, "key" | "publicKey" | "user">, issued: EnrolledJson): Promise<void> {
  const device: Device = {
    id: issued.deviceId ?? "",
    user: key.user,
    key: key.key,
    publicKey: key.publicKey,
    certificate: fromBase64(issued.certificate ?? ""),
    trustBundle: fromBase64(issued.trustBundle ?? ""),
  };
  await withDevices((d) => d.save(device));
}

async function withDevices<T>(use: (devices: Devices) => Promise<T>): Promise<T> {
  const devices = await Devices.open();
  try {
    return await use(devices);
  } finally {
    devices.close();
  }
}

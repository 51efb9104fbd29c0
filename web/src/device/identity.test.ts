import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { toBase64 } from "../api/api.ts";
import { createKey, Devices } from "./device.ts";
import { signIn } from "./identity.ts";

const typed = { user: "ＳＵＺＵＫＩ", password: "p", totp: " １２３４５６ " };

/** Answers sign-ins one after the other, and keeps what was asked. */
function gateway(...answers: object[]): Record<string, unknown>[] {
  const asked: Record<string, unknown>[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (url.endsWith("/GetChallenge")) {
      return new Response(JSON.stringify({ nonce: toBase64(new Uint8Array(32)) }));
    }
    asked.push(JSON.parse(init.body as string) as Record<string, unknown>);
    return new Response(JSON.stringify(answers.shift()));
  });
  return asked;
}

beforeEach(async () => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  const devices = await Devices.open();
  const { key, publicKey } = await createKey();
  await devices.save({
    id: "pc1",
    user: "tanaka",
    key,
    publicKey,
    certificate: new Uint8Array(1),
    trustBundle: new Uint8Array(1),
  });
  devices.close();
});

afterEach(() => vi.unstubAllGlobals());

test.each(["device_unknown", "device_not_yours"])(
  "%s: signs in without the key, with the same one-time password",
  async (code) => {
    const asked = gateway({ refusal: { reasons: [{ code }] } }, { me: { userId: "suzuki" } });
    expect(await signIn(typed, true)).toEqual({ response: { me: { userId: "suzuki" } }, device: "not_accepted" });
    const same = { userId: "suzuki", password: "p", totp: "123456" };
    expect(asked).toEqual([
      expect.objectContaining({ ...same, device: expect.objectContaining({ deviceId: "pc1" }) as object }),
      same,
    ]);
  },
);

test.each(["wrong_credentials", "totp_wrong", "slow_down", "device_revoked", "challenge_over"])(
  "%s: tries no second time",
  async (code) => {
    const asked = gateway({ refusal: { reasons: [{ code }] } });
    expect(await signIn(typed, true)).toEqual({ response: { refusal: { reasons: [{ code }] } }, device: "used" });
    expect(asked).toHaveLength(1);
  },
);

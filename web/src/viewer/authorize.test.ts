import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import { toBase64 } from "../api/api.ts";
import { parseBundle } from "../cert/bundle.ts";
import { createKey, type Device, Devices } from "../device/device.ts";
import { readVectors, toHex } from "../vectors/vectors.ts";
import { authorize } from "./authorize.ts";

const bundle = readVectors("cert").find((v) => v.name === "bundle_good")!.payload;
const VERSION = 3; // where the version stands, behind the magic number and the format

/** The bundle with another version. */
function version(n: number): Uint8Array<ArrayBuffer> {
  const b = bundle.slice();
  new DataView(b.buffer).setUint32(VERSION, n);
  return b;
}

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});

async function enrolled(trustBundle: Uint8Array<ArrayBuffer>): Promise<Device> {
  const device = { id: "d1", user: "tanaka", ...(await createKey()), certificate: Uint8Array.of(1), trustBundle };
  const store = await Devices.open();
  await store.save(device);
  store.close();
  return device;
}

/** Opens a session on a gateway that offers a bundle, and returns the bundle that the browser holds then. */
async function opened(device: Device, offered: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const zeros = (n: number): string => toBase64(new Uint8Array(n));
  const answers: Readonly<Record<string, object>> = {
    PrepareSession: {
      prepared: { sessionId: zeros(16), nonce: zeros(32), serverTimeMs: "0", trustBundle: toBase64(offered) },
    },
    OpenSession: { opened: { relayUrl: "wss://x/relay" } },
  };
  vi.stubGlobal("fetch", async (url: string) => Response.json(answers[url.split("/").at(-1) ?? ""]));
  const got = await authorize({ user: "tanaka", name: "", device, deviceLabel: "" }, "desk", null);
  if ("kind" in got) {
    throw new Error(JSON.stringify(got));
  }
  expect(got.opening.deskCAs.map(toHex)).toEqual(parseBundle(offered).deskCAs.map(toHex));
  const store = await Devices.open();
  const [kept] = await store.all();
  store.close();
  return kept!.trustBundle;
}

test("a newer trust bundle is kept with the device, an older one is not", async () => {
  const device = await enrolled(version(5));
  expect(parseBundle(await opened(device, version(6))).version).toBe(6);
  expect(parseBundle(await opened(device, version(4))).version).toBe(6);
});

test("a browser that stores nothing opens the session all the same", async () => {
  const device = await enrolled(version(5));
  const refuse = vi.spyOn(indexedDB, "open").mockImplementationOnce(() => {
    throw new Error("refused");
  });
  expect(parseBundle(await opened(device, version(6))).version).toBe(5);
  expect(refuse).toHaveBeenCalled();
});

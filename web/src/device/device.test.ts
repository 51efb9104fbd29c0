import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import { askToKeep, createKey, type Device, Devices } from "./device.ts";
import { sign } from "../cert/key.ts";

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
});

async function device(user: string): Promise<Device> {
  const { key, publicKey } = await createKey();
  return { id: `d-${user}`, user, key, publicKey, certificate: Uint8Array.of(1, 2), trustBundle: Uint8Array.of(3) };
}

test("a key signs and does not leave", async () => {
  const { key, publicKey } = await createKey();
  expect(publicKey).toHaveLength(65);
  expect(publicKey[0]).toBe(4);
  await expect(crypto.subtle.exportKey("pkcs8", key)).rejects.toThrow();
  const signature = await sign(key, "jiseki-request-1", Uint8Array.of(9, 8, 7));
  expect(signature).toHaveLength(64);

  const verifier = await crypto.subtle.importKey("raw", publicKey, { name: "ECDSA", namedCurve: "P-256" }, true, [
    "verify",
  ]);
  const verify = (data: Uint8Array<ArrayBuffer>): Promise<boolean> =>
    crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, verifier, signature, data);
  const signed = Uint8Array.of(...new TextEncoder().encode("jiseki-request-1"), 0, 9, 8, 7);
  expect(await verify(signed)).toBe(true);
  signed[signed.length - 1] = 6;
  expect(await verify(signed)).toBe(false);
});

test("devices are stored, found and forgotten", async () => {
  const [tanaka, sato] = [await device("tanaka"), await device("sato")];
  const store = await Devices.open();
  expect(await store.find("tanaka")).toBeUndefined();
  await store.save(tanaka);
  await store.save(sato);
  store.close();

  const again = await Devices.open();
  expect((await again.all()).map((d) => d.id)).toEqual(["d-sato", "d-tanaka"]);
  expect((await again.find("tanaka"))?.id).toBe("d-tanaka");
  expect((await again.find("suzuki"))?.id).toBe("d-sato");
  await again.forget(sato);
  expect((await again.find("sato"))?.id).toBe("d-tanaka");
  again.close();
});

test("a newer trust bundle is stored and nothing else of the record changes", async () => {
  const store = await Devices.open();
  const tanaka = await device("tanaka");
  await store.save(tanaka);
  await store.save({ ...tanaka, certificate: Uint8Array.of(7) }); // renewed by another window
  await store.trust(tanaka, Uint8Array.of(4, 5));
  expect(await store.find("tanaka")).toMatchObject({
    id: "d-tanaka",
    certificate: Uint8Array.of(7),
    trustBundle: Uint8Array.of(4, 5),
  });

  await store.trust({ ...tanaka, id: "d-other" }, Uint8Array.of(6));
  expect((await store.find("tanaka"))?.trustBundle).toEqual(Uint8Array.of(4, 5));
  await store.forget(tanaka);
  await store.trust(tanaka, Uint8Array.of(6));
  expect(await store.all()).toEqual([]);
  store.close();
});

test("says whether the browser keeps the key", async () => {
  vi.stubGlobal("navigator", { storage: { persisted: async () => false, persist: async () => true } });
  expect(await askToKeep()).toBe("kept");
  vi.stubGlobal("navigator", { storage: { persisted: async () => false, persist: async () => false } });
  expect(await askToKeep()).toBe("may_be_cleared");
  vi.stubGlobal("navigator", {});
  expect(await askToKeep()).toBe("may_be_cleared");
  vi.stubGlobal("indexedDB", {
    open: () => {
      throw new Error("refused");
    },
  });
  expect(await askToKeep()).toBe("unavailable");
});

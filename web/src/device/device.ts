// The device's identity key: made here, kept by the browser, never readable. cert/proof.ts has what it signs.

/** A browser that holds an identity key. */
export interface Device {
  /** The id that the gateway gave. */
  readonly id: string;
  /** Id of the user who enrolled it. */
  readonly user: string;
  /** Signs; ECDSA P-256, not extractable. */
  readonly key: CryptoKey;
  /** The same key's public half: 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** As the gateway issued it. */
  readonly certificate: Uint8Array<ArrayBuffer>;
  /** What the gateway said at enrolment, or later, is to be trusted: the bytes of a trust bundle. */
  readonly trustBundle: Uint8Array<ArrayBuffer>;
}

/** A key that no gateway knows yet. */
export type NewKey = Pick<Device, "key" | "publicKey">;

/**
 * Whether the browser will keep the key: `kept` if it promised to, `may_be_cleared` if it may drop it when space is
 * short or when the window closes (private browsing), `unavailable` if it stores nothing.
 */
export type Keeping = "kept" | "may_be_cleared" | "unavailable";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const STORE = "devices";

/** Makes an identity key. Its private half cannot leave the browser. */
export async function createKey(): Promise<NewKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { key: pair.privateKey, publicKey };
}

/** Asks the browser to keep what is stored and says whether it will. Call it before enrolment, from a user's action. */
export async function askToKeep(): Promise<Keeping> {
  try {
    const db = await open("jiseki-probe");
    db.close();
    indexedDB.deleteDatabase("jiseki-probe");
  } catch {
    return "unavailable";
  }
  const storage = globalThis.navigator?.storage;
  if (storage?.persist === undefined) {
    return "may_be_cleared";
  }
  return (await storage.persisted()) || (await storage.persist()) ? "kept" : "may_be_cleared";
}

/** The devices that this browser is: one for each user who enrolled it. */
export class Devices {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** Opens the browser's store. Rejects if the browser stores nothing. */
  static async open(name = "jiseki"): Promise<Devices> {
    return new Devices(await open(name));
  }

  close(): void {
    this.#db.close();
  }

  /** Stores a device; one that has the same user is replaced. */
  async save(device: Device): Promise<void> {
    const t = this.#db.transaction(STORE, "readwrite", { durability: "strict" });
    t.objectStore(STORE).put({ ...device }, device.user);
    await done(t);
  }

  /**
   * Stores a newer trust bundle of a device and leaves the rest of its record as it is now: another window may have
   * renewed the certificate since. Does nothing if the record is gone or belongs to another key.
   */
  async trust(device: Pick<Device, "id" | "user">, trustBundle: Device["trustBundle"]): Promise<void> {
    const t = this.#db.transaction(STORE, "readwrite", { durability: "strict" });
    const store = t.objectStore(STORE);
    const kept: unknown = await result(store.get(device.user));
    if (isDevice(kept) && kept.id === device.id) {
      store.put({ ...kept, trustBundle }, device.user);
    }
    await done(t);
  }

  /** All devices, in the order of their users' ids. */
  async all(): Promise<Device[]> {
    const found: unknown[] = await result(this.#db.transaction(STORE).objectStore(STORE).getAll());
    return found.filter(isDevice);
  }

  /**
   * The device that user may sign in with: the user's own, else another one of this browser (it may belong to a pool).
   */
  async find(user: string): Promise<Device | undefined> {
    const all = await this.all();
    return all.find((d) => d.user === user) ?? all[0];
  }

  /** Forgets the key of a device for good. */
  async forget(device: Pick<Device, "user">): Promise<void> {
    const t = this.#db.transaction(STORE, "readwrite", { durability: "strict" });
    t.objectStore(STORE).delete(device.user);
    await done(t);
  }
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
  return result(request);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the browser's store failed")));
  });
}

function done(t: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    t.addEventListener("complete", () => resolve());
    t.addEventListener("abort", () => reject(t.error ?? new Error("the browser's store failed")));
  });
}

/** What is stored may be of an older release: a record that lacks a field is no device. */
function isDevice(v: unknown): v is Device {
  if (typeof v !== "object" || v === null) {
    return false;
  }
  const d = v as Partial<Record<keyof Device, unknown>>;
  const bytes = [d.publicKey, d.certificate, d.trustBundle].every((b) => b instanceof Uint8Array);
  return bytes && typeof d.id === "string" && typeof d.user === "string" && typeof d.key === "object";
}

import { describe, expect, test } from "vitest";
import { CertError } from "../cert/error.ts";
import { toHex } from "../vectors/vectors.ts";
import { SealError } from "./error.ts";
import { Handshake, offer, parseChoice, prkOf, prologue, secretsOf } from "./handshake.ts";
import { bytes, config, fresh, value, vectors, x25519 } from "./sealtest.ts";
import { expand } from "./hash.ts";
import { bundledKEM, CIPHERTEXT_SIZE, generateKEM } from "./mlkem.ts";
import { generateX25519, Initiator } from "./noise.ts";

async function start(): Promise<Handshake> {
  const c = await config();
  const head = await prologue(c.session, c.grant);
  return Handshake.start(head, c.key, bytes("desk_static_public"), c.wire, c.coders, await fresh());
}

/** The class of failure in vectors/README.md. */
function className(e: unknown): string {
  if (!(e instanceof SealError)) {
    throw e;
  }
  if (e.failure === "version") {
    return "version";
  }
  if (e.failure === "coder") {
    return "range";
  }
  if (e.cause instanceof CertError) {
    return e.cause.code;
  }
  return e.message.includes("too short") ? "short" : "tag";
}

describe("handshake.vec, step by step", () => {
  test("prologue", async () => {
    expect(toHex(await prologue(bytes("session"), bytes("grant")))).toBe(value["prologue"]);
  });

  test("encapsulation key and payload 1", async () => {
    const kem = await bundledKEM(bytes("kem_seed"));
    const c = await config();
    expect(toHex(offer(c.wire, c.coders, kem.encapsulationKey))).toBe(value["payload1"]);
  });

  test("messages, Noise hash and Split keys", async () => {
    const noise = new Initiator(
      bytes("prologue"),
      await x25519("viewer_static"),
      await x25519("viewer_ephemeral"),
      bytes("desk_static_public"),
    );
    expect(toHex(await noise.write(bytes("payload1")))).toBe(value["message1"]);
    const done = await noise.read(bytes("message2"));
    expect(toHex(done.payload)).toBe(value["payload2"]);
    expect(toHex(done.hash)).toBe(value["hash"]);
    expect(toHex(done.c2s)).toBe(value["key_c2s"]);
    expect(toHex(done.s2c)).toBe(value["key_s2c"]);
  });

  test("ML-KEM secret", async () => {
    const { ciphertext } = parseChoice(bytes("payload2"));
    const kem = await bundledKEM(bytes("kem_seed"));
    expect(toHex(await kem.decapsulate(ciphertext))).toBe(value["kem_secret"]);
  });

  test("key schedule", async () => {
    const prk = await prkOf(bytes("hash"), bytes("kem_secret"), bytes("key_c2s"), bytes("key_s2c"));
    expect(toHex(prk)).toBe(value["prk"]);
    const secrets = (await secretsOf(prk)).flat();
    expect(secrets.map(toHex)).toEqual(value.secrets);
    expect((await Promise.all(secrets.map((s) => expand(s, "jiseki-seal-1 key")))).map(toHex)).toEqual(value.keys);
    expect((await Promise.all(secrets.map((s) => expand(s, "jiseki-seal-1 next")))).map(toHex)).toEqual(
      value.next_secrets,
    );
  });

  test("as a whole", async () => {
    const h = await start();
    expect(toHex(h.message1)).toBe(value["message1"]);
    const result = await h.finish(bytes("message2"));
    expect(result).toMatchObject({ version: value.wire, coder: value.coder });
    expect(toHex(result.hash)).toBe(value["hash"]);
    expect(result.secrets.flat().map(toHex)).toEqual(value.secrets);
  });
});

describe("message 2 that must not pass", () => {
  const list = vectors.filter((v) => v.header.get("message") === "message2");
  test.each(list.map((v) => [v.name, v] as const))("%s", async (_, v) => {
    const h = await start();
    const outcome = await h.finish(v.payload).then(() => "ok", className);
    expect(outcome).toBe(v.header.get("expect"));
  });

  test("every prefix", async () => {
    const good = bytes("message2");
    for (let n = 0; n < good.length; n += 37) {
      const h = await start();
      await expect(h.finish(good.slice(0, n))).rejects.toThrow(SealError);
    }
  });
});

test("no two handshakes are alike", async () => {
  const c = await config();
  const head = await prologue(c.session, c.grant);
  const one = async () => {
    const keys = { ephemeral: await generateX25519(), kem: await generateKEM() };
    return toHex((await Handshake.start(head, c.key, bytes("desk_static_public"), c.wire, c.coders, keys)).message1);
  };
  expect(await one()).not.toBe(await one());
});

test("the private X25519 key cannot be read", async () => {
  const { privateKey } = await generateX25519();
  await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
});

test("an offer that the agent would refuse is not made", () => {
  const ek = new Uint8Array(1184);
  expect(() => offer({ min: 1, max: 1 }, [], ek)).toThrow(SealError);
  expect(() =>
    offer(
      { min: 1, max: 1 },
      Array.from({ length: 17 }, () => 1),
      ek,
    ),
  ).toThrow(SealError);
  expect(() => offer({ min: 2, max: 1 }, [1], ek)).toThrow(SealError);
});

test("every prefix of payload 2 fails", () => {
  const good = bytes("payload2");
  expect(good.length).toBe(3 + CIPHERTEXT_SIZE);
  for (let n = 0; n < good.length; n++) {
    expect(() => parseChoice(good.slice(0, n))).toThrow(SealError);
  }
});

import { describe, expect, test } from "vitest";
import { CertError } from "../cert/error.ts";
import { verify } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";
import { fromHex, toHex } from "../vectors/vectors.ts";
import { SealError } from "./error.ts";
import { bytes, config, fresh, identity, pattern, ScriptedPipe, value, x25519 } from "./sealtest.ts";
import { frame, Ratchet, unframe } from "./record.ts";
import { type DialConfig, dial, dialWith } from "./seal.ts";

/** The agent's records of handshake.vec on a channel. */
function agentRecord(channel: 0 | 1): Bytes {
  return fromHex(value.first.find((f) => f.channel === channel && f.direction === 1)?.record ?? "");
}

function secret(channel: 0 | 1, direction: 0 | 1): Bytes {
  return fromHex(value.secrets[2 * channel + direction] ?? "");
}

/** A record of the agent with the right key and any message. */
async function agentSays(message: Bytes): Promise<Bytes> {
  return new Ratchet(secret(0, 1), "encrypt").seal(frame(256, message, true));
}

async function attempt(control: ScriptedPipe, display: ScriptedPipe, changes: Partial<DialConfig> = {}) {
  return dialWith(control, display, { ...(await config()), ...changes }, fresh);
}

/** Resolves to the error that a viewer ends with, after checking that both pipes are closed. */
async function refusal(control: ScriptedPipe, changes: Partial<DialConfig> = {}): Promise<SealError> {
  const display = new ScriptedPipe([]);
  const error = await attempt(control, display, changes).then(
    () => new Error("opened"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(SealError);
  const code = (error as SealError).failure === "pipe" ? 4003 : 4010;
  expect([control.closed, display.closed]).toEqual([code, code]);
  return error as SealError;
}

describe("dial", () => {
  test("opens a session with the agent of handshake.vec", async () => {
    const control = new ScriptedPipe([bytes("message2"), agentRecord(0)], "waits");
    const display = new ScriptedPipe([agentRecord(1)], "waits");
    const session = await attempt(control, display);
    expect([session.version, session.coder, toHex(session.hash)]).toEqual([value.wire, value.coder, value["hash"]]);
    expect(toHex(await session.display.receive())).toBe(toHex(pattern(100)));

    expect(toHex(control.sent[0] as Bytes)).toBe(value["message1"]);
    const first = unframe(await new Ratchet(secret(0, 0), "decrypt").open(control.sent[1] as Bytes));
    const proof = new Uint8Array(first.payload);
    expect(await verify(bytes("device_key"), "jiseki-seal-1 viewer", session.hash, proof)).toBe(true);
    expect(await verify(bytes("device_key"), "jiseki-seal-1 desk", session.hash, proof)).toBe(false);
    const empty = unframe(await new Ratchet(secret(1, 0), "decrypt").open(display.sent[0] as Bytes));
    expect([empty.payload.length, empty.last]).toEqual([0, true]);

    session.close(4007, "done");
    session.close(4010, "again");
    expect([control.closed, display.closed]).toEqual([4007, 4007]);
    await expect(session.control.send(pattern(1))).rejects.toMatchObject({ failure: "closed" });
    await expect(session.control.receive()).rejects.toMatchObject({ failure: "closed" });
  });

  test("a failure on one channel ends both", async () => {
    const control = new ScriptedPipe([bytes("message2"), agentRecord(0)], "waits");
    const display = new ScriptedPipe([agentRecord(0)], "waits"); // a record of the other channel
    const session = await attempt(control, display);
    await expect(session.display.receive()).rejects.toMatchObject({ failure: "open" });
    expect([control.closed, display.closed]).toEqual([4010, 4010]);
    await expect(session.control.receive()).rejects.toMatchObject({ failure: "open" });
    expect(session.cause?.failure).toBe("open");
  });

  test("fresh keys do not fit a recorded agent", async () => {
    const control = new ScriptedPipe([bytes("message2"), agentRecord(0)]);
    const display = new ScriptedPipe([]);
    await expect(dial(control, display, await config())).rejects.toMatchObject({ failure: "handshake" });
    expect(control.sent.length).toBe(1);
  });

  test("a desk's signature by another key is refused", async () => {
    const thief = await identity("device", bytes("device_key"));
    const signed = new TextEncoder().encode("jiseki-seal-1 desk\0");
    const data = new Uint8Array([...signed, ...bytes("hash")]);
    const forged = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, thief.key, data));
    const error = await refusal(new ScriptedPipe([bytes("message2"), await agentSays(forged)]));
    expect(error.failure).toBe("peer_identity");
  });

  test("the viewer's own signature does not pass for the desk's", async () => {
    const own = await identity("device", bytes("device_key"));
    const signed = new TextEncoder().encode("jiseki-seal-1 viewer\0");
    const data = new Uint8Array([...signed, ...bytes("hash")]);
    const echo = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, own.key, data));
    expect((await refusal(new ScriptedPipe([bytes("message2"), await agentSays(echo)]))).failure).toBe("peer_identity");
  });

  test("a first message that is no signature is refused", async () => {
    const error = await refusal(new ScriptedPipe([bytes("message2"), await agentSays(pattern(63))]));
    expect(error.failure).toBe("order");
  });

  test("a link that ends", async () => {
    expect((await refusal(new ScriptedPipe([]))).failure).toBe("pipe");
    expect((await refusal(new ScriptedPipe([bytes("message2")]))).failure).toBe("pipe");
  });

  const other = "0102030405060708090a0b0c0d0e0f10";
  const days = (n: number) => () => value.now + n * 24 * 3600 * 1000;
  test.each<[string, Partial<DialConfig>, string, string | undefined]>([
    ["expired desk certificate", { now: days(91) }, "peer_identity", "expired"],
    ["old statement", { now: days(2) }, "peer_identity", "expired"],
    ["clock far behind", { now: days(-1) }, "peer_identity", "clock_skew"],
    ["desk CA not trusted", { deskCAs: [bytes("device_key")] }, "peer_identity", "issuer"],
    ["another desk's certificate", { desk: "desk-0305" }, "peer_identity", undefined],
    ["a statement that is none", { statement: bytes("certificate") }, "peer_identity", "magic"],
    ["another session", { session: fromHex(other) }, "grant", "viewer"],
    ["a grant that is none", { grant: bytes("statement") }, "grant", "magic"],
  ])("%s: nothing is sent", async (_, changes, failure, code) => {
    const control = new ScriptedPipe([bytes("message2"), agentRecord(0)]);
    const error = await refusal(control, changes);
    expect(error.failure).toBe(failure);
    expect(error.cause instanceof CertError ? error.cause.code : undefined).toBe(code);
    expect(control.sent).toEqual([]);
  });

  test("another X25519 key than the grant's: nothing is sent", async () => {
    const control = new ScriptedPipe([]);
    expect((await refusal(control, { key: await x25519("viewer_ephemeral") })).failure).toBe("grant");
    expect(control.sent).toEqual([]);
  });

  test("a statement with another key was not signed by the desk", async () => {
    const statement = bytes("statement").map((b, i) => (i === 3 ? b ^ 1 : b));
    const error = await refusal(new ScriptedPipe([]), { statement });
    expect([error.failure, (error.cause as CertError).code]).toEqual(["peer_identity", "signature"]);
  });
});

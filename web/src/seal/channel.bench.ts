import { bench, describe } from "vitest";
import { encrypt, importKey } from "./aead.ts";
import { Channel } from "./channel.ts";
import { config, fresh, LoneOwner, pattern, bytes, ScriptedPipe } from "./sealtest.ts";
import { Handshake, prologue } from "./handshake.ts";
import { frame, Ratchet, Shape } from "./record.ts";

const SECRET = new Uint8Array(32).fill(7);
const shape = new Shape(1, 1);

function channel(pipe: ScriptedPipe): Channel {
  const parts = {
    pipe,
    out: new Ratchet(SECRET, "encrypt"),
    outShape: shape,
    in: new Ratchet(SECRET, "decrypt"),
    inShape: shape,
  };
  return new Channel({ ...parts, owner: new LoneOwner() });
}

/** 64 records of 61,440 bytes: 3.9 MB. */
async function records(): Promise<Uint8Array<ArrayBuffer>[]> {
  const ratchet = new Ratchet(SECRET, "encrypt");
  return Promise.all(Array.from({ length: 64 }, () => ratchet.seal(frame(61_440, pattern(61_437), true))));
}

const sealed = await records();
const key = await importKey(SECRET, ["encrypt"]);

describe("display, agent to viewer", () => {
  bench("receive 64 records of 60 KB", async () => {
    const c = channel(new ScriptedPipe([...sealed]));
    for (const _ of sealed) {
      await c.receive();
    }
  });

  bench("bare AES-GCM of the same bytes", async () => {
    for (const r of sealed) {
      await encrypt(key, 0, r);
    }
  });
});

describe("handshake", () => {
  bench("both messages, bundled ML-KEM", async () => {
    const c = await config();
    const head = await prologue(c.session, c.grant);
    const keys = await fresh();
    const h = await Handshake.start(head, c.key, bytes("desk_static_public"), c.wire, c.coders, keys);
    await h.finish(bytes("message2"));
  });
});

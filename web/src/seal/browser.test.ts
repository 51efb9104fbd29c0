// The seal in a real Chromium: its own ML-KEM, and the vectors' handshake inside a Worker.
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type ViteDevServer } from "vite";
import { fileURLToPath } from "node:url";
import { value } from "./sealtest.ts";

let server: ViteDevServer;
let browser: Browser;
let page: Page;
let base: string;

beforeAll(async () => {
  server = await createServer({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    optimizeDeps: { noDiscovery: true },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
  });
  await server.listen();
  base = server.resolvedUrls?.local[0] ?? "";
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    chromiumSandbox: process.getuid?.() !== 0,
  });
  page = await browser.newPage();
  await page.goto(`${base}src/seal/error.ts`); // any page of a secure origin
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs the body of an async function in a module Worker; `load` imports a file of web/src, `input` is given to it. */
async function inWorker(body: string, input: unknown): Promise<unknown> {
  const code = `
    const load = (path) => import(${JSON.stringify(base)} + "src/" + path);
    onmessage = async ({ data: input }) => {
      try { postMessage({ ok: await (async () => { ${body} })() }); }
      catch (e) { postMessage({ error: String(e) }); }
    };`;
  return page.evaluate(
    ([text, data]) =>
      new Promise((resolve) => {
        const url = URL.createObjectURL(new Blob([text as string], { type: "text/javascript" }));
        const worker = new Worker(url, { type: "module" });
        worker.addEventListener("message", (e) => resolve(e.data));
        worker.addEventListener("error", (e) => resolve({ error: e.message }));
        worker.postMessage(data);
      }),
    [code, input],
  );
}

describe("in a Worker of Chromium", () => {
  test("the bundled ML-KEM agrees with the library, and so does the browser's where there is one", async () => {
    const got = await inWorker(
      `const { nativeKEM, bundledKEM } = await load("seal/mlkem.ts");
       const { ml_kem768 } = await import(${JSON.stringify(base)} + "node_modules/@noble/post-quantum/ml-kem.js");
       const same = [];
       const pairs = [await nativeKEM(), await bundledKEM(crypto.getRandomValues(new Uint8Array(64)))];
       for (const pair of pairs.filter((p) => p !== undefined)) {
         const { cipherText, sharedSecret } = ml_kem768.encapsulate(pair.encapsulationKey);
         const secret = await pair.decapsulate(cipherText);
         same.push(secret.length === 32 && secret.every((x, i) => x === sharedSecret[i]));
       }
       return same.length > 0 && same.every(Boolean);`,
      null,
    );
    expect(got).toEqual({ ok: true });
  });

  test("handshake.vec comes out as in Node", async () => {
    const got = await inWorker(
      `const { Handshake, prologue } = await load("seal/handshake.ts");
       const { bundledKEM } = await load("seal/mlkem.ts");
       const { fromHex, toHex } = {
         fromHex: (s) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16)),
         toHex: (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join(""),
       };
       const pair = async (name) => ({
         privateKey: await crypto.subtle.importKey("pkcs8",
           fromHex("302e020100300506032b656e04220420" + input[name]), { name: "X25519" }, false, ["deriveBits"]),
         publicKey: fromHex(input[name + "_public"]),
       });
       const fresh = { ephemeral: await pair("viewer_ephemeral"), kem: await bundledKEM(fromHex(input.kem_seed)) };
       const h = await Handshake.start(await prologue(fromHex(input.session), fromHex(input.grant)),
         await pair("viewer_static"), fromHex(input.desk_static_public),
         { min: input.wire_min, max: input.wire_max }, [...fromHex(input.coders)], fresh);
       const r = await h.finish(fromHex(input.message2));
       return { message1: toHex(h.message1), hash: toHex(r.hash), secrets: r.secrets.flat().map(toHex) };`,
      value,
    );
    expect(got).toEqual({ ok: { message1: value["message1"], hash: value["hash"], secrets: value.secrets } });
  });
});

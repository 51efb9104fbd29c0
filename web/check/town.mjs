// The demo's town in a temporary folder: gateway, a desk that runs, and a month of telework behind it.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./gateway.mjs";

/**
 * Starts jiseki-demo and waits until its desk is there. `office` is an address in the town hall, `home` one outside if
 * this machine has any.
 */
export async function startTown(program) {
  const folder = await mkdtemp(join(tmpdir(), "jiseki-town-"));
  const port = await freePort();
  const child = spawn(program, ["--dir", folder, "--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (d) => {
      said += d;
      if (said.includes("Ctrl-C")) {
        resolve();
      }
    });
    child.once("exit", () => reject(new Error(`the town did not start:\n${said}`)));
  }).catch(async (e) => {
    await stop();
    throw e;
  });
  const accounts = JSON.parse(await readFile(join(folder, "accounts.json"), "utf8"));
  const people = Object.fromEntries(accounts.people.map((p) => [p.id, p]));
  return {
    office: `https://127.0.0.1:${port}`,
    home: `https://${outside()}:${port}`,
    people,
    desk: accounts.desk,
    stop,
  };
}

/** An address of this machine that is not in the town hall. */
function outside() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((a) => a.family === "IPv4" && !a.internal)?.address ?? "127.0.0.1";
}

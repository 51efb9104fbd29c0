// A gateway of its own in a temporary folder, for checking pages against the real thing.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Makes an organisation and serves it. 127.0.0.1 is its office; [::1] is somebody's home. */
export async function startGateway(program) {
  const folder = await mkdtemp(join(tmpdir(), "jiseki-pages-"));
  const port = await freePort();
  const config = join(folder, "gateway.toml");
  await writeFile(
    config,
    [
      `data_dir = "${join(folder, "data")}"`,
      'log_level = "warn"',
      `[public]\naddress = ":${port}"`,
      "[office]\nshared = true",
      '[tls]\nnames = ["localhost", "127.0.0.1", "::1"]\n',
    ].join("\n"),
  );
  const command = async (...words) => (await run(program, ["--config", config, ...words])).stdout;
  const init = JSON.parse(
    await command(
      "--json",
      "init",
      "--organisation",
      "あおば町",
      "--address",
      `https://localhost:${port}`,
      "--admin",
      "admin",
      "--admin-name",
      "管理 太郎",
      "--office",
      "127.0.0.1/32",
    ),
  );
  const child = spawn(program, ["--config", config, "serve"], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { office: `https://127.0.0.1:${port}`, home: `https://[::1]:${port}`, slip: init.slips[0], command, stop };
}

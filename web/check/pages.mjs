// Walks through the built pages in Chromium against a real gateway, photographs each at three sizes, and fails on what
// axe finds.
//
//   node check/pages.mjs OUT [GATEWAY]
//
// This browser passes over errors of certificates: the gateway that it starts has a CA of its own, which nobody trusts.
// So it says nothing about them; the journeys (internal/journey) walk in a browser that trusts the CA and checks every
// certificate.
//
// OUT is the folder for the pictures; GATEWAY is the program, by default ../bin/jiseki-gateway. CHROMIUM names the
// browser.
import { resolve } from "node:path";
import { Checker, startBrowser } from "./browser.mjs";
import { startGateway } from "./gateway.mjs";
import { administrator } from "./administrator.mjs";
import { day } from "./day.mjs";
import { policy } from "./policy.mjs";
import { manuals } from "./manuals.mjs";
import { staff } from "./staff.mjs";
import { states } from "./states.mjs";

const [out = "pages", program = resolve(import.meta.dirname, "../../bin/jiseki-gateway")] = process.argv.slice(2);

const checker = new Checker(resolve(out));
await checker.start();
const gateway = await startGateway(resolve(program));
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
try {
  const slips = await administrator({ browser, checker, gateway });
  await staff({ browser, checker, gateway, slips });
  await states({ browser, checker, gateway });
  await manuals({ browser, checker, gateway });
  await day({ browser, checker, gateway });
  await policy({ browser, checker, gateway });
} catch (e) {
  checker.problem("journey", e.stack ?? String(e));
} finally {
  await browser.close();
  await gateway.stop();
}
for (const p of checker.problems) {
  process.stderr.write(`${p}\n`);
}
process.stdout.write(`${checker.shots} pictures in ${checker.out}, ${checker.problems.length} problems\n`);
process.exitCode = checker.problems.length === 0 ? 0 : 1;

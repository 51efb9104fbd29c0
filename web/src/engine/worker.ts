// The worker that holds a session: nothing but wiring.

import { dial } from "./dial.ts";
import { Engine } from "./engine.ts";
import type { ToEngine } from "./messages.ts";

const engine = new Engine({
  dial,
  emit: (message) => self.postMessage(message),
  now: () => performance.now(),
  random: () => Math.random(),
  after: (ms, f) => {
    const id = setTimeout(f, ms);
    return () => clearTimeout(id);
  },
});

self.addEventListener("message", (e: MessageEvent<ToEngine>) => engine.handle(e.data));

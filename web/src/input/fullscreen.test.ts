// @vitest-environment jsdom
import { describe, expect, test } from "vitest";
import { FullScreen, type LockNavigator } from "./fullscreen.ts";

function screen(lock?: () => Promise<void>) {
  const element = document.createElement("div");
  document.body.replaceChildren(element);
  let full: Element | null = null;
  const changed = (e: Element | null) => {
    full = e;
    document.dispatchEvent(new Event("fullscreenchange"));
  };
  Object.defineProperty(document, "fullscreenElement", { get: () => full, configurable: true });
  document.exitFullscreen = async () => changed(null);
  element.requestFullscreen = async () => changed(element);
  const calls: string[] = [];
  const navigator: LockNavigator =
    lock === undefined
      ? {}
      : {
          keyboard: {
            lock: () => {
              calls.push("lock");
              return lock();
            },
            unlock: () => void calls.push("unlock"),
          },
        };
  return { f: new FullScreen(element, navigator), calls, changed };
}

describe("full screen", () => {
  test("locks the keyboard and unlocks it in the end", async () => {
    const { f, calls } = screen(async () => {});
    await f.enter();
    expect([f.active, f.locked]).toEqual([true, true]);
    await f.leave();
    expect([f.active, f.locked]).toEqual([false, false]);
    expect(calls).toEqual(["lock", "unlock"]);
  });

  test("works without keyboard lock", async () => {
    const { f } = screen();
    await f.enter();
    expect([f.active, f.locked]).toEqual([true, false]);
  });

  test("stays when the lock is refused", async () => {
    const { f } = screen(async () => {
      throw new DOMException("no", "InvalidStateError");
    });
    await f.enter();
    expect([f.active, f.locked]).toEqual([true, false]);
  });

  test("that ends while the lock is on its way leaves nothing locked", async () => {
    const { f, calls, changed } = screen(async () => changed(null));
    await f.enter();
    expect([f.active, f.locked]).toEqual([false, false]);
    expect(calls.at(-1)).toBe("unlock");
  });
});

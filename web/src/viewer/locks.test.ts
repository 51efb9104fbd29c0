// @vitest-environment jsdom
import { expect, test } from "vitest";
import { CAPS_LOCK, NUM_LOCK, SCROLL_LOCK } from "../wire/locks.ts";
import { Locks } from "./locks.ts";
import { Text } from "./text.ts";

const lit = (l: Locks): string[] => [...l.element.querySelectorAll(".lock.on")].map((e) => e.textContent);

test("the lamps show what the desk says, and tell their names", () => {
  const locks = new Locks(new Text("ja"));
  expect(locks.element.hidden).toBe(true);
  locks.update(NUM_LOCK | SCROLL_LOCK);
  expect(locks.element.hidden).toBe(false);
  expect(lit(locks)).toEqual(["Num", "Scr"]);
  expect(locks.element.getAttribute("aria-label")).toBe(
    "自席端末のキーボード: CapsLock オフ, NumLock オン, ScrollLock オン",
  );
});

test("a change of Caps Lock is said, what a session begins with is not", () => {
  const locks = new Locks(new Text("ja"));
  expect(locks.update(CAPS_LOCK)).toBe("");
  expect(locks.update(CAPS_LOCK | NUM_LOCK)).toBe("");
  expect(locks.update(NUM_LOCK)).toBe("自席端末の CapsLock がオフになりました。");
  expect(locks.update(CAPS_LOCK)).toBe("自席端末の CapsLock がオンになりました。");
  locks.forget();
  expect(locks.element.hidden).toBe(true);
  expect(locks.update(0)).toBe("");
});

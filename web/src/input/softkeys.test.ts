// @vitest-environment jsdom
import { afterEach, describe, expect, test } from "vitest";
import { checkFaults, ready } from "./inputtest.ts";

afterEach(checkFaults);

/** A phone's keyboard: it edits the field and tells what it likes. */
function phone() {
  const s = ready();
  const { field } = s;
  field.focus();
  s.desk.take();
  const key = (name: string) =>
    field.dispatchEvent(
      new KeyboardEvent("keydown", { key: name, code: "", keyCode: 229, bubbles: true, cancelable: true }),
    );
  const edit = (change: (before: string) => string, isComposing = false) => {
    key("Unidentified");
    field.value = change(field.value);
    field.dispatchEvent(new InputEvent("input", { isComposing, bubbles: true }));
  };
  return {
    ...s,
    key,
    edit,
    add: (text: string) => edit((v) => v + text),
    compose: (from: string, to: string) => edit((v) => v.slice(0, v.length - from.length) + to, true),
    decide: () => field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true })),
  };
}

describe("a keyboard on the screen", () => {
  test("writes what it adds, character by character", () => {
    const { add, desk } = phone();
    for (const c of "pw 1@") {
      add(c);
    }
    expect(desk.take()).toEqual(["text p", "text w", "text  ", "text 1", "text @"]);
  });

  test("erases, also what it has not written", () => {
    const { edit, add, desk } = phone();
    edit((v) => v.slice(0, -1));
    add("ab");
    edit((v) => v.slice(0, -3));
    expect(desk.take()).toEqual(["tap Backspace", "text ab", "tap Backspace", "tap Backspace", "tap Backspace"]);
  });

  test("presses Enter once, whether it names the key or adds a line", () => {
    const { key, add, desk } = phone();
    key("Enter");
    add("\n");
    expect(desk.take()).toEqual(["tap Enter", "text \n"]);
  });

  test("writes Japanese when it is decided", () => {
    const { compose, decide, desk } = phone();
    compose("", "じ");
    compose("じ", "じせき");
    compose("じせき", "自席");
    expect(desk.take()).toEqual([]);
    decide();
    expect(desk.take()).toEqual(["text 自席"]);
  });

  test("writes letters at once though it keeps them for its corrections, and corrects them", () => {
    const { compose, decide, desk } = phone();
    compose("", "t");
    compose("t", "te");
    compose("te", "teh");
    compose("teh", "the");
    decide();
    expect(desk.take()).toEqual(["text t", "text e", "text h", "tap Backspace", "tap Backspace", "text he"]);
  });

  test("never cuts a character in two", () => {
    const { compose, decide, desk } = phone();
    compose("", "\u{20bb7}");
    decide();
    compose("", "\u{20bb8}");
    decide();
    expect(desk.take()).toEqual(["text \u{20bb7}", "text \u{20bb8}"]);
  });

  test("beside a physical one leaves its keys alone", () => {
    const { field, desk } = phone();
    const e = new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true, cancelable: true });
    field.dispatchEvent(e);
    field.dispatchEvent(new KeyboardEvent("keyup", { key: "a", code: "KeyA", bubbles: true, cancelable: true }));
    expect(e.defaultPrevented).toBe(true);
    expect(desk.take()).toEqual(["locks 0", "+KeyA", "-KeyA"]);
  });

  test("that goes away lets go of what a physical one held", () => {
    const { field, desk } = phone();
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true, cancelable: true }));
    desk.take();
    field.blur();
    expect(desk.take()).toEqual(["release_all"]);
  });
});

describe("fingers on the desk", () => {
  test("tap, and leave the focus with the keyboard on the screen", () => {
    const { finger, desk, field, clock } = phone();
    finger("pointerdown", 1, 20, 30);
    finger("pointerup", 1, 20, 30);
    clock.draw();
    expect(desk.take()).toEqual(["at 120,20 0", "at 120,20 1", "at 120,20 0"]);
    expect(document.activeElement).toBe(field);
    expect(clock.waiting).toBe(0);
  });

  test("rest for the right button", () => {
    const { finger, desk, clock } = phone();
    finger("pointerdown", 1, 20, 30);
    clock.pass(600);
    finger("pointerup", 1, 20, 30);
    expect(desk.take()).toEqual(["at 120,20 0", "at 120,20 4", "at 120,20 0"]);
  });

  test("scroll by two as far as the picture goes with them, and press nothing", () => {
    const { finger, desk } = phone();
    finger("pointerdown", 1, 20, 30);
    finger("pointerdown", 2, 60, 30);
    for (let y = 30; y <= 130; y += 20) {
      finger("pointermove", 1, 20, y);
      finger("pointermove", 2, 60, y);
    }
    finger("pointerup", 1, 20, 130);
    finger("pointerup", 2, 60, 130);
    const sent = desk.take();
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.every((m) => m.startsWith("wheel 0,-"))).toBe(true);
    const turns = sent.map((m) => Number(/,(-\d+) /.exec(m)?.[1]));
    expect(turns.reduce((a, b) => a + b)).toBe(-240); // 100 CSS pixels are 200 of the desk, which are two notches
    expect(desk.buttons).toBe(0);
  });

  test("zoom by two", () => {
    const { finger, desk } = phone();
    finger("pointerdown", 1, 20, 30);
    finger("pointerdown", 2, 60, 30);
    finger("pointermove", 2, 140, 30);
    expect(desk.zooms).toEqual([expect.objectContaining({ factor: 3, x: 80, y: 30 })]);
    expect(desk.take()).toEqual([]);
  });

  test("that drag when the desk loses the focus let go", () => {
    const { finger, desk, field } = phone();
    finger("pointerdown", 1, 20, 30);
    finger("pointermove", 1, 80, 30);
    expect(desk.buttons).toBe(1);
    field.blur();
    expect(desk.buttons).toBe(0);
  });
});

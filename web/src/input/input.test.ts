// @vitest-environment jsdom
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { CODES } from "../keys/codes.ts";
import { AREA, checkFaults, ready, setUp } from "./inputtest.ts";

afterEach(checkFaults);

describe("losing the focus", () => {
  const ways: [string, (element: HTMLElement) => void][] = [
    ["blur", (e) => e.blur()],
    ["window blur", () => window.dispatchEvent(new Event("blur"))],
    ["pagehide", () => window.dispatchEvent(new Event("pagehide"))],
    [
      "hidden",
      () => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
        Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
      },
    ],
  ];

  test.each(ways)("by %s releases everything and says so once", (_, lose) => {
    const { down, pointer, desk, element, clock, input } = ready();
    down("KeyA");
    pointer("pointerdown", 10, 20, 1);
    desk.take();
    lose(element);
    window.dispatchEvent(new Event("pagehide"));
    expect(desk.take()).toEqual(["release_all"]);
    clock.pass(10_000);
    expect(desk.take()).toEqual([]);
    input.stop();
  });

  test("forgets modifiers that were kept back", () => {
    const { down, up, desk, element, clock } = ready();
    down("AltLeft"); // Alt+Tab of the device
    element.blur();
    clock.pass(1000);
    element.focus();
    up("AltLeft");
    expect(desk.take()).toEqual(["locks 0"]);
  });

  test("after any events leaves nothing held and no timer", () => {
    const code = fc.constantFrom(
      "KeyA",
      "KeyB",
      "ControlLeft",
      "ControlRight",
      "AltLeft",
      "AltRight",
      "ShiftLeft",
      "ShiftRight",
      "MetaLeft",
      "Backquote",
      "CapsLock",
      "PrintScreen",
      "Sleep",
      "Unheard",
    );
    const step = fc.oneof(
      fc.record({
        do: fc.constantFrom("down" as const, "up" as const, "lose" as const),
        code,
        repeat: fc.boolean(),
        key: fc.constantFrom("x", "Process"),
      }),
      fc.record({
        do: fc.constantFrom(
          "pointerdown" as const,
          "pointermove" as const,
          "pointerup" as const,
          "pointercancel" as const,
        ),
        x: fc.integer({ min: -50, max: 900 }),
        y: fc.integer({ min: -50, max: 900 }),
        buttons: fc.integer({ min: 0, max: 31 }),
      }),
      fc.record({ do: fc.constant("wheel" as const), dy: fc.integer({ min: -500, max: 500 }) }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 700 }) }),
      fc.record({
        do: fc.constantFrom(
          "draw" as const,
          "refocus" as const,
          "picture" as const,
          "no picture" as const,
          "combo" as const,
        ),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom("mac" as const, "windows" as const, "other" as const),
        fc.boolean(),
        fc.constantFrom(...ways),
        (steps, system, systemKeys, [, lose]) => {
          const s = setUp({ system, systemKeys });
          for (const st of steps) {
            switch (st.do) {
              case "down":
                s.down(st.code, { repeat: st.repeat, key: st.key });
                break;
              case "up":
                s.up(st.code, { key: st.key });
                break;
              case "lose":
                s.device.delete(st.code);
                break;
              case "wheel":
                s.wheel({ deltaY: st.dy });
                break;
              case "pass":
                s.clock.pass(st.ms);
                break;
              case "draw":
                s.clock.draw();
                break;
              case "refocus":
                s.element.blur();
                expect(s.desk.keys.size + s.desk.buttons).toBe(0);
                s.element.focus();
                break;
              case "picture":
                s.state.area = AREA;
                break;
              case "no picture":
                s.state.area = null;
                break;
              case "combo":
                s.input.combo([CODES.ControlLeft, CODES.AltLeft, CODES.Delete]);
                break;
              case "pointerdown":
              case "pointermove":
              case "pointerup":
              case "pointercancel":
                s.pointer(st.do, st.x, st.y, st.buttons);
                break;
              default:
                throw new Error("no such step");
            }
          }
          lose(s.element);
          checkFaults();
          expect(s.desk.keys.size).toBe(0);
          expect(s.desk.buttons).toBe(0);
          expect(s.clock.waiting).toBe(0);
          s.desk.take();
          s.clock.draw();
          s.clock.pass(10_000);
          expect(s.desk.take()).toEqual([]);
          s.input.stop();
        },
      ),
      { numRuns: 500 },
    );
  });
});

test("stop releases everything and listens no more; start begins anew", () => {
  const { down, desk, input } = ready();
  down("KeyA");
  input.stop();
  down("KeyB");
  expect(desk.take()).toEqual(["+KeyA", "release_all"]);
  input.start();
  input.start();
  down("KeyC");
  expect(desk.take()).toEqual(["locks 0", "+KeyC"]);
});

test("the toolbar's keys", () => {
  const { input, desk, clock } = ready();
  input.combo([CODES.ControlLeft, CODES.AltLeft, CODES.Delete]);
  input.tap(CODES.Backquote);
  expect(desk.take()).toEqual([
    "+ControlLeft",
    "+AltLeft",
    "+Delete",
    "-Delete",
    "-AltLeft",
    "-ControlLeft",
    "tap Backquote",
  ]);
  expect(clock.waiting).toBe(0);
});

test("a combo is held for as long as a hand would", () => {
  const { input, desk, clock } = ready();
  input.combo([CODES.AltLeft, CODES.Tab]);
  clock.pass(50);
  expect(desk.take()).toEqual(["+AltLeft", "+Tab"]);
  clock.pass(50);
  expect(desk.take()).toEqual(["-Tab", "-AltLeft"]);
  expect(clock.waiting).toBe(0);
});

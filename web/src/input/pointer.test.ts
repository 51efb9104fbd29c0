// @vitest-environment jsdom
import { afterEach, describe, expect, test } from "vitest";
import { checkFaults, ready } from "./inputtest.ts";

afterEach(checkFaults);

describe("the pointer", () => {
  test("moves with the frame, the newest position only", () => {
    const { pointer, desk, clock } = ready();
    pointer("pointermove", 11, 20, 0);
    pointer("pointermove", 12, 21, 0);
    expect(desk.take()).toEqual([]);
    clock.draw();
    expect(desk.take()).toEqual(["at 104,2 0"]);
    clock.draw();
    expect(desk.take()).toEqual([]);
  });

  test("never changes places with buttons, keys and the wheel", () => {
    const { pointer, wheel, down, desk, clock } = ready();
    pointer("pointermove", 11, 20, 0);
    pointer("pointerdown", 12, 20, 1);
    pointer("pointermove", 13, 20, 1);
    pointer("pointerup", 14, 20, 0);
    pointer("pointermove", 15, 20, 0);
    down("KeyA");
    pointer("pointermove", 16, 20, 0);
    wheel({ deltaY: 100 });
    clock.draw();
    expect(desk.take()).toEqual([
      "at 102,0 0",
      "at 104,0 1",
      "at 106,0 1",
      "at 108,0 0",
      "at 110,0 0",
      "+KeyA",
      "at 112,0 0",
      "wheel 0,120 at 100,0",
    ]);
  });

  test("has five buttons, a second one comes as a move", () => {
    const { pointer, desk } = ready();
    pointer("pointerdown", 10, 20, 1);
    for (const buttons of [3, 7, 15, 31, 30, 0]) {
      pointer("pointermove", 10, 20, buttons);
    }
    // left, right, middle, back, forward in the DOM; left, middle, right, back, forward on the wire
    expect(desk.take().map((s) => s.split(" ")[2])).toEqual(["1", "5", "7", "15", "31", "30", "0"]);
  });

  test("is captured and takes the focus when a button goes down", () => {
    const { pointer, element } = ready();
    const captured: number[] = [];
    element.setPointerCapture = (id) => captured.push(id);
    element.blur();
    pointer("pointerdown", 10, 20, 2);
    expect(document.activeElement).toBe(element);
    expect(captured).toEqual([1]);
  });

  test("lets go when the system takes it away", () => {
    const { pointer, desk } = ready();
    pointer("pointerdown", 10, 20, 1);
    pointer("pointercancel", 10, 20, 1);
    expect(desk.buttons).toBe(0);
  });

  test("buttons that were down when everything was released count after they went up", () => {
    const { pointer, desk, input, clock } = ready();
    pointer("pointerdown", 10, 20, 1);
    input.releaseAll();
    desk.take();
    pointer("pointermove", 12, 20, 1);
    pointer("pointermove", 12, 20, 3);
    pointer("pointermove", 12, 20, 0);
    pointer("pointerdown", 12, 20, 1);
    clock.draw();
    expect(desk.take().map((s) => s.split(" ")[2])).toEqual(["0", "4", "0", "1"]);
  });

  test("presses nothing while there is no picture, but can let go", () => {
    const { pointer, wheel, desk, state } = ready();
    pointer("pointerdown", 12, 20, 1);
    state.area = null;
    pointer("pointerup", 50, 50, 0);
    pointer("pointerdown", 50, 50, 1);
    wheel({ deltaY: 100 });
    expect(desk.take()).toEqual(["at 104,0 1", "at 104,0 0"]);
  });

  test.each(["mousedown", "mouseup", "auxclick", "contextmenu", "dragstart", "selectstart"])(
    "%s does nothing on the page",
    (type) => {
      const { element } = ready();
      const e = new Event(type, { bubbles: true, cancelable: true });
      element.dispatchEvent(e);
      expect(e.defaultPrevented).toBe(true);
    },
  );
});

describe("the wheel", () => {
  test("turns in notches in every mode", () => {
    const { wheel, desk } = ready();
    expect(wheel({ deltaY: 100, deltaMode: 0 }).defaultPrevented).toBe(true);
    wheel({ deltaY: -3, deltaMode: 1 });
    wheel({ deltaX: 1, deltaMode: 2 });
    expect(desk.take()).toEqual(["wheel 0,120 at 100,0", "wheel 0,-120 at 100,0", "wheel 120,0 at 100,0"]);
  });

  test("with Shift is not turned around twice", () => {
    const { down, wheel, desk } = ready();
    down("ShiftLeft");
    wheel({ deltaX: 100 });
    expect(desk.take()).toEqual(["+ShiftLeft", "wheel 0,120 at 100,0"]);
  });

  test("of a pinch is not sent", () => {
    const { wheel, desk, down } = ready();
    expect(wheel({ deltaY: 5, ctrlKey: true }).defaultPrevented).toBe(true);
    expect(desk.take()).toEqual([]);
    down("ControlLeft");
    wheel({ deltaY: 100 });
    expect(desk.take()).toEqual(["+ControlLeft", "wheel 0,120 at 100,0"]);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { type WheelLike, Wheels } from "./wheel.ts";

test("the wheel prefers what the browser says in notches", () => {
  const e: WheelLike = { deltaX: 0, deltaY: 53, deltaMode: 0, shiftKey: false, wheelDeltaX: 0, wheelDeltaY: -120 };
  expect(new Wheels().turn(e)).toEqual({ dx: 0, dy: 120 });
});

test("the wheel loses nothing to rounding", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -300, max: 300, noNaN: true })), (deltas) => {
      const w = new Wheels();
      let sent = 0;
      let turned = 0;
      for (const deltaY of deltas) {
        turned += deltaY * 1.2;
        sent += w.turn({ deltaX: 0, deltaY, deltaMode: 0, shiftKey: false })?.dy ?? 0;
        expect(Math.abs(sent - turned)).toBeLessThan(1.0001);
      }
    }),
  );
});

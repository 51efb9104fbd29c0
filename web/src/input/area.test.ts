import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Area, toDesk } from "./area.ts";

describe("positions", () => {
  test.each([1, 1.25, 1.5, 1.75, 2, 3])(
    "at 1:1 and device pixel ratio %d each device pixel is its own desk pixel",
    (ratio) => {
      const width = 1920;
      const a: Area = {
        generation: 1,
        x: 0,
        y: 0,
        width,
        height: 1080,
        box: { left: 13.6, top: 7.2, width: width / ratio, height: 1080 / ratio },
      };
      for (let px = 0; px < width; px++) {
        expect(toDesk(a, a.box.left + px / ratio, a.box.top).x).toBe(px);
      }
    },
  );

  test("lie inside the part of the layout that is shown, and grow with the pointer", () => {
    const num = fc.double({ min: -5000, max: 5000, noNaN: true });
    const side = fc.integer({ min: 1, max: 16384 });
    fc.assert(
      fc.property(
        num,
        num,
        num,
        side,
        side,
        fc.double({ min: 0.01, max: 5000, noNaN: true }),
        (x1, x2, left, x, width, css) => {
          const a: Area = { generation: 1, x, y: 0, width, height: 1, box: { left, top: 0, width: css, height: 1 } };
          const [p, q] = [toDesk(a, Math.min(x1, x2), 0).x, toDesk(a, Math.max(x1, x2), 0).x];
          expect(p).toBeGreaterThanOrEqual(x);
          expect(q).toBeLessThan(x + width);
          expect(p).toBeLessThanOrEqual(q);
        },
      ),
    );
  });

  test("survive an area without size", () => {
    expect(
      toDesk({ generation: 1, x: 5, y: 6, width: 7, height: 8, box: { left: 0, top: 0, width: 0, height: 0 } }, 3, 3),
    ).toEqual({ x: 5, y: 6 });
  });
});

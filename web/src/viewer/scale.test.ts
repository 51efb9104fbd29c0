import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { belowNotice, pinched, place, unzoomed, zoomed, type Zoom } from "./scale.ts";

const picture = { width: 1920, height: 1080 };

describe("actual size", () => {
  test.each([1, 1.25, 1.5, 2])("is one desk pixel to one device pixel at ratio %d", (ratio) => {
    const p = place(picture, { width: 2000 / ratio, height: 1100 / ratio }, ratio, "actual");
    expect(p.width * ratio).toBeCloseTo(1920, 9);
    expect(p.height * ratio).toBeCloseTo(1080, 9);
    expect(p.exact).toBe(true);
    expect([p.left * ratio, p.top * ratio]).toEqual([40, 10]);
  });

  test("starts at the corner when the stage is too small", () => {
    expect(place(picture, { width: 800, height: 600 }, 1, "actual")).toEqual({
      left: 0,
      top: 0,
      width: 1920,
      height: 1080,
      exact: true,
    });
  });
});

describe("fit", () => {
  test("keeps the shape and leaves bars", () => {
    expect(place(picture, { width: 960, height: 800 }, 1, "fit")).toEqual({
      left: 0,
      top: 130,
      width: 960,
      height: 540,
      exact: false,
    });
  });

  test("is exact when the window is as large as the desk", () => {
    expect(place(picture, { width: 1536, height: 900 }, 1.25, "fit")).toMatchObject({ exact: true, width: 1536 });
  });
});

test("edges fall on device pixels, and fit never exceeds the stage", () => {
  const side = fc.integer({ min: 1, max: 5000 });
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.constantFrom(1, 1.25, 1.5, 2),
      fc.constantFrom("fit" as const, "actual" as const),
      (w, h, sw, sh, ratio, scale) => {
        const stage = { width: sw, height: sh };
        const p = place({ width: w, height: h }, stage, ratio, scale);
        for (const edge of [p.left, p.top]) {
          expect(Math.abs(edge * ratio - Math.round(edge * ratio))).toBeLessThan(1e-6);
        }
        expect(p.width / p.height).toBeCloseTo(w / h, 6);
        if (scale === "fit" && !p.exact) {
          expect(p.left + p.width).toBeLessThanOrEqual(sw + 1e-6);
          expect(p.top + p.height).toBeLessThanOrEqual(sh + 1e-6);
        }
      },
    ),
  );
});

test("the toolbar stands above the picture, or below the notice of the desk", () => {
  const below = (width: number, height: number): number => {
    const stage = { width, height };
    return belowNotice(place(picture, stage, 1, "fit"), picture);
  };
  expect(below(390, 844)).toBe(8);
  expect(below(1920, 1080)).toBe(28 + 8);
  expect(below(960, 540)).toBe(14 + 8);
  expect(below(960, 600)).toBe(30 + 14 + 8); // too little room above the picture
});

describe("two fingers", () => {
  const stage = { width: 390, height: 700 };
  const fit = place(picture, stage, 3, "fit");

  test("keep the point between them between them", () => {
    const at = { x: 200, y: 350 };
    const before = (at.x - fit.left) / fit.width;
    const z = pinched(fit, stage, unzoomed, { ...at, factor: 3, dx: 0, dy: 0 });
    const p = zoomed(fit, stage, z);
    expect(p.width).toBeCloseTo(fit.width * 3, 9);
    expect((at.x - p.left) / p.width).toBeCloseTo(before, 9);
    const moved = zoomed(fit, stage, pinched(fit, stage, z, { ...at, factor: 1, dx: -20, dy: 0 }));
    expect(moved.left).toBeCloseTo(p.left - 20, 9);
  });

  test("never leave a gap beside what is larger than the stage, nor shrink below the whole picture", () => {
    const step = fc.record({
      x: fc.integer({ min: 0, max: 390 }),
      y: fc.integer({ min: 0, max: 700 }),
      factor: fc.double({ min: 0.2, max: 5, noNaN: true }),
      dx: fc.integer({ min: -500, max: 500 }),
      dy: fc.integer({ min: -500, max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let z: Zoom = unzoomed;
        for (const s of steps) {
          z = pinched(fit, stage, z, s);
        }
        const p = zoomed(fit, stage, z);
        expect(p.width).toBeGreaterThanOrEqual(fit.width - 1e-6);
        for (const [at, size, room] of [
          [p.left, p.width, stage.width],
          [p.top, p.height, stage.height],
        ] as const) {
          if (size > room + 1) {
            expect(at).toBeLessThanOrEqual(1e-6);
            expect(at + size).toBeGreaterThanOrEqual(room - 1e-6);
          } else {
            expect(at).toBeGreaterThanOrEqual(-1);
          }
        }
      }),
    );
  });
});

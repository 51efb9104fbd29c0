import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Gesture, Touch } from "./touch.ts";

/** Fingers a and b on a screen, and what became of them. */
function screen() {
  const touch = new Touch();
  const seen: string[] = [];
  const note = (gestures: Gesture[]): void => {
    for (const g of gestures) {
      const more =
        g.kind === "click"
          ? ` ${g.button}`
          : g.kind === "scroll"
            ? ` by ${g.dx},${g.dy}`
            : g.kind === "pinch"
              ? ` x${g.factor.toFixed(2)} by ${g.dx},${g.dy}`
              : "";
      seen.push(`${g.kind}${more} at ${g.x},${g.y}`);
    }
  };
  const finger = (id: number) => ({
    down: (x: number, y: number) => note(touch.down({ id, x, y })),
    move: (x: number, y: number) => note(touch.move({ id, x, y })),
    up: () => note(touch.up({ id, x: 0, y: 0 })),
  });
  return {
    touch,
    seen,
    a: finger(1),
    b: finger(2),
    c: finger(3),
    rested: () => note(touch.rested()),
    cancel: () => note(touch.cancel()),
  };
}

test("a tap clicks where it began", () => {
  const { a, seen, rested } = screen();
  a.down(100, 200);
  a.move(104, 203); // a finger rolls
  a.up();
  rested();
  expect(seen).toEqual(["click left at 100,200"]);
});

test("a long press is the right button, once", () => {
  const { a, seen, rested } = screen();
  a.down(100, 200);
  rested();
  a.move(300, 300);
  a.up();
  expect(seen).toEqual(["click right at 100,200"]);
});

test("one finger drags from where it began", () => {
  const { a, seen, rested } = screen();
  a.down(100, 200);
  a.move(120, 200);
  rested();
  a.move(150, 220);
  a.up();
  expect(seen).toEqual(["press at 100,200", "drag at 120,200", "drag at 150,220", "release at 150,220"]);
});

describe("two fingers", () => {
  test("that tap are the right button, at the first", () => {
    const { a, b, seen } = screen();
    a.down(100, 200);
    b.down(160, 200);
    b.up();
    a.up();
    expect(seen).toEqual(["click right at 100,200"]);
  });

  test("that rest and go are nothing", () => {
    const { a, b, seen, rested } = screen();
    a.down(100, 200);
    b.down(160, 200);
    rested();
    a.up();
    b.up();
    expect(seen).toEqual([]);
  });

  test("that move together scroll and press nothing", () => {
    const { a, b, seen } = screen();
    a.down(100, 200);
    b.down(160, 200);
    a.move(100, 230);
    b.move(160, 230);
    a.up();
    b.up();
    expect(seen).toEqual(["scroll by 0,30 at 130,230"]);
  });

  test("one above the other scroll too, though events move one after the other", () => {
    const { a, b, seen } = screen();
    a.down(100, 200);
    b.down(100, 240);
    for (const y of [25, 50]) {
      a.move(100, 200 + y);
      b.move(100, 240 + y);
    }
    expect(seen.map((s) => s.split(" ")[0])).toEqual(["scroll", "scroll", "scroll"]);
  });

  test("that move apart zoom around their middle", () => {
    const { a, b, seen } = screen();
    a.down(100, 200);
    b.down(200, 200);
    b.move(300, 200);
    a.move(0, 200);
    a.up();
    b.up();
    expect(seen).toEqual(["pinch x2.00 by 50,0 at 200,200", "pinch x1.50 by -50,0 at 150,200"]);
  });

  test("of which the second comes while the first drags end the drag", () => {
    const { a, b, seen } = screen();
    a.down(100, 200);
    a.move(130, 200);
    b.down(200, 200);
    b.up();
    a.move(300, 300);
    a.up();
    expect(seen).toEqual(["press at 100,200", "drag at 130,200", "release at 130,200"]);
  });
});

test("three fingers are nothing", () => {
  const { a, b, c, seen } = screen();
  for (const f of [a, b, c]) {
    f.down(100, 100);
  }
  for (const f of [a, b, c]) {
    f.move(300, 300);
  }
  for (const f of [a, b, c]) {
    f.up();
  }
  expect(seen).toEqual([]);
});

test("what the system takes away is let go", () => {
  const { a, seen, cancel } = screen();
  a.down(0, 0);
  a.move(50, 0);
  cancel();
  a.move(90, 0);
  a.up();
  expect(seen).toEqual(["press at 0,0", "drag at 50,0", "release at 50,0"]);
});

test("whatever fingers do, each press is released and nothing is pressed in between", () => {
  const id = fc.integer({ min: 1, max: 4 });
  const at = fc.integer({ min: 0, max: 400 });
  const step = fc.record({
    do: fc.constantFrom("down" as const, "move" as const, "up" as const, "rested" as const, "cancel" as const),
    id,
    x: at,
    y: at,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const touch = new Touch();
      let pressed = false;
      const take = (gestures: Gesture[]): void => {
        for (const g of gestures) {
          expect(pressed).toBe(g.kind === "drag" || g.kind === "release");
          pressed = g.kind === "press" || g.kind === "drag";
          if (g.kind === "pinch") {
            expect(Number.isFinite(g.factor) && g.factor > 0).toBe(true);
          }
        }
      };
      for (const s of steps) {
        take(s.do === "rested" ? touch.rested() : s.do === "cancel" ? touch.cancel() : touch[s.do](s));
      }
      take(touch.cancel());
      expect(pressed).toBe(false);
    }),
  );
});

// @vitest-environment jsdom
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { CODES } from "../keys/codes.ts";
import { HELD_EVERY } from "../wire/limits.ts";
import { append, parse } from "../wire/parser.ts";
import { type Area } from "./area.ts";
import { Chord } from "./chord.ts";
import { Input } from "./input.ts";
import type { InputMessage, Timers } from "./sink.ts";

/** Timers that run when the test says so. */
class Clock implements Timers {
  now = 0;
  readonly #jobs = new Map<number, { at: number; every: number; f: () => void }>();
  readonly #frames = new Map<number, () => void>();
  #id = 0;

  #add(at: number, every: number, f: () => void): () => void {
    const id = ++this.#id;
    this.#jobs.set(id, { at, every, f });
    return () => this.#jobs.delete(id);
  }

  after(ms: number, f: () => void): () => void {
    return this.#add(this.now + ms, 0, f);
  }

  every(ms: number, f: () => void): () => void {
    return this.#add(this.now + ms, ms, f);
  }

  frame(f: () => void): () => void {
    const id = ++this.#id;
    this.#frames.set(id, f);
    return () => this.#frames.delete(id);
  }

  draw(): void {
    for (const [id, f] of this.#frames) {
      this.#frames.delete(id);
      f();
    }
  }

  pass(ms: number): void {
    for (const end = this.now + ms; ; ) {
      const next = [...this.#jobs].filter(([, j]) => j.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) {
        this.now = end;
        return;
      }
      const [id, job] = next;
      this.now = job.at;
      if (job.every > 0) {
        job.at += job.every;
      } else {
        this.#jobs.delete(id);
      }
      job.f();
    }
  }

  /** Timers that wait, frames not counted. */
  get waiting(): number {
    return this.#jobs.size;
  }
}

/** What desks complained about. Thrown inside of an event listener it would not reach the test. */
const faults: string[] = [];

afterEach(() => {
  if (faults.length > 0) {
    throw new Error(faults.splice(0).join("; "));
  }
});

/** A desk that does what it is told, and complains about nonsense. */
class Desk {
  readonly keys = new Set<number>();
  readonly log: InputMessage[] = [];
  buttons = 0;
  toolbar = 0;

  send(m: InputMessage): void {
    this.log.push(m);
    try {
      parse("control to_agent", append(m)); // what is sent must be what a reader takes
    } catch (e) {
      faults.push(`${m.kind}: ${String(e)}`);
    }
    if (m.kind === "key") {
      this.#key(m.code, m.down);
    } else if (m.kind === "held") {
      this.#held(m.codes, m.buttons);
    } else if (m.kind === "pointer") {
      this.buttons = m.buttons;
    } else if (m.kind === "release_all") {
      this.keys.clear();
      this.buttons = 0;
    }
  }

  #key(code: number, down: boolean): void {
    if (this.keys.has(code) === down) {
      faults.push(`${nameOf(code)} goes ${down ? "down" : "up"} twice`);
    }
    if (down) {
      this.keys.add(code);
    } else {
      this.keys.delete(code);
    }
  }

  #held(codes: readonly number[], buttons: number): void {
    const mine = [...this.keys].sort((x, y) => x - y);
    if (buttons !== this.buttons || mine.join() !== codes.join()) {
      faults.push(`held ${codes.join()} ${buttons}, the desk has ${mine.join()} ${this.buttons}`);
    }
  }

  toToolbar(): void {
    this.toolbar++;
  }

  /** What was sent since the last call, in short. */
  take(): string[] {
    return this.log.splice(0).map((m) => {
      switch (m.kind) {
        case "key":
          return `${m.down ? "+" : "-"}${nameOf(m.code)}`;
        case "key_tap":
          return `tap ${nameOf(m.code)}`;
        case "held":
          return `held ${m.buttons} ${m.codes.map(nameOf).join(" ")}`.trim();
        case "pointer":
          return `at ${m.x},${m.y} ${m.buttons}`;
        case "wheel":
          return `wheel ${m.dx},${m.dy} at ${m.x},${m.y}`;
        case "locks":
          return `locks ${m.locks}`;
        case "release_all":
          return "release_all";
        default:
          return "?";
      }
    });
  }
}

const names = new Map<number, string>(Object.entries(CODES).map(([n, c]) => [c, n]));

function nameOf(code: number): string {
  return names.get(code) ?? "?";
}

const AREA: Area = { generation: 7, x: 100, y: 0, width: 800, height: 600, box: { left: 10, top: 20, width: 400, height: 300 } };

interface Options {
  readonly mac?: boolean;
  readonly systemKeys?: boolean;
}

function setUp(options: Options = {}) {
  const element = document.createElement("div");
  element.tabIndex = 0;
  element.setPointerCapture = () => {}; // jsdom has none
  document.body.replaceChildren(element);
  const desk = new Desk();
  const clock = new Clock();
  const state: { area: Area | null } = { area: AREA };
  const input = new Input({
    element, sink: desk, timers: clock, area: () => state.area,
    systemKeys: () => options.systemKeys ?? false, mac: options.mac ?? false,
  });
  input.start();
  element.focus();
  const device = new Set<string>();
  const locks = new Set<string>();

  const modifiers = () => ({
    shiftKey: device.has("ShiftLeft") || device.has("ShiftRight"),
    ctrlKey: device.has("ControlLeft") || device.has("ControlRight"),
    altKey: device.has("AltLeft") || device.has("AltRight"),
    metaKey: device.has("MetaLeft") || device.has("MetaRight"),
    modifierCapsLock: locks.has("CapsLock"),
    modifierNumLock: locks.has("NumLock"),
  });
  const key = (type: "keydown" | "keyup", code: string, init: KeyboardEventInit = {}) => {
    if (type === "keydown") {
      device.add(code);
    } else {
      device.delete(code);
    }
    const e = new KeyboardEvent(type, { code, key: "x", bubbles: true, cancelable: true, ...modifiers(), ...init });
    element.dispatchEvent(e);
    return e;
  };
  const pointer = (type: string, clientX: number, clientY: number, buttons: number) =>
    element.dispatchEvent(new PointerEvent(type, { clientX, clientY, buttons, isPrimary: true, pointerId: 1, bubbles: true, cancelable: true, ...modifiers() }));
  const wheel = (init: WheelEventInit) => {
    const e = new WheelEvent("wheel", { clientX: 10, clientY: 20, bubbles: true, cancelable: true, ...modifiers(), ...init });
    element.dispatchEvent(e);
    return e;
  };
  return {
    element, desk, clock, state, input, locks, device, pointer, wheel,
    down: (code: string, init?: KeyboardEventInit) => key("keydown", code, init),
    up: (code: string, init?: KeyboardEventInit) => key("keyup", code, init),
  };
}

/** setUp with the lock states already told. */
function ready(options: Options = {}) {
  const s = setUp(options);
  s.pointer("pointermove", 10, 20, 0);
  s.clock.draw();
  expect(s.desk.take()).toEqual([options.mac === true ? "locks 2" : "locks 0", "at 100,0 0"]);
  return s;
}

describe("keys", () => {
  test("are physical, whatever layout and input method make of them", () => {
    const { down, up, desk } = ready();
    down("KeyA", { key: "Process", keyCode: 229, isComposing: true });
    up("KeyA", { key: "Process" });
    down("IntlRo", { key: "\\" });
    up("IntlRo");
    expect(desk.take()).toEqual(["+KeyA", "-KeyA", "+IntlRo", "-IntlRo"]);
  });

  test("do nothing on the page", () => {
    const { down, up } = ready();
    for (const code of ["KeyA", "F5", "Tab", "Backspace", "Space", "Unheard", ""]) {
      expect(down(code).defaultPrevented).toBe(true);
      expect(up(code).defaultPrevented).toBe(true);
    }
  });

  test("repeat on the desk, not here", () => {
    const { down, up, desk } = ready();
    down("KeyA");
    down("KeyA", { repeat: true });
    down("KeyB", { repeat: true }); // went down elsewhere
    up("KeyA");
    expect(desk.take()).toEqual(["+KeyA", "-KeyA"]);
  });

  test("whose key-up was lost are pressed anew", () => {
    const { down, desk } = ready();
    down("KeyA");
    down("KeyA");
    expect(desk.take()).toEqual(["+KeyA", "-KeyA", "+KeyA"]);
  });

  test("without key-up are taps", () => {
    const { down, up, desk, clock } = ready();
    for (const [code, key] of [["Backquote", "Zenkaku"], ["Backquote", "Process"], ["CapsLock", "Alphanumeric"], ["KanaMode", "Hiragana"], ["Lang1", "KanaMode"]] as const) {
      down(code, { key });
    }
    up("Backquote", { key: "Hankaku" });
    expect(desk.take()).toEqual(["tap Backquote", "tap Backquote", "tap CapsLock", "tap KanaMode", "tap Lang1"]);
    expect(clock.waiting).toBe(0);
  });

  test("Backquote that writes a character is an ordinary key", () => {
    const { down, up, desk } = ready();
    down("Backquote", { key: "`" });
    up("Backquote", { key: "`" });
    expect(desk.take()).toEqual(["+Backquote", "-Backquote"]);
  });

  test("変換 and 無変換 are held", () => {
    const { down, up, desk } = ready();
    down("Convert", { key: "Convert" });
    down("NonConvert", { key: "NonConvert" });
    up("NonConvert");
    up("Convert");
    expect(desk.take()).toEqual(["+Convert", "+NonConvert", "-NonConvert", "-Convert"]);
  });

  test("PrintScreen may come as key-up alone, or whole", () => {
    const { down, up, desk } = ready();
    up("PrintScreen");
    down("PrintScreen");
    up("PrintScreen");
    expect(desk.take()).toEqual(["tap PrintScreen", "+PrintScreen", "-PrintScreen"]);
  });

  test("Caps Lock of a Mac taps on both ways", () => {
    const { down, up, desk } = ready({ mac: true });
    down("CapsLock", { key: "CapsLock" });
    up("CapsLock", { key: "CapsLock" });
    expect(desk.take()).toEqual(["tap CapsLock", "tap CapsLock"]);
  });

  test("that would cut the desk off stay here", () => {
    const { down, up, desk } = ready();
    for (const code of ["Sleep", "Power", "WakeUp"]) {
      down(code);
      up(code);
    }
    expect(desk.take()).toEqual([]);
  });

  test("of the system stay here with their shortcuts, unless the keyboard is locked", () => {
    const windowed = ready();
    windowed.down("MetaLeft");
    windowed.down("KeyC");
    windowed.up("KeyC");
    windowed.up("MetaLeft");
    expect(windowed.desk.take()).toEqual([]);
    const locked = ready({ systemKeys: true });
    locked.down("MetaLeft");
    locked.down("KeyC");
    locked.up("MetaLeft"); // macOS: the key-up of C never comes
    expect(locked.desk.take()).toEqual(["+MetaLeft", "+KeyC", "-MetaLeft", "-KeyC"]);
  });

  test("of which many are held are refreshed, in ascending order, until they go up", () => {
    const { down, up, desk, clock } = ready();
    down("KeyA");
    down("Digit1");
    desk.take();
    clock.pass(HELD_EVERY * 2);
    expect(desk.take()).toEqual(["held 0 Digit1 KeyA", "held 0 Digit1 KeyA"]);
    up("KeyA");
    up("Digit1");
    desk.take();
    clock.pass(10_000);
    expect(desk.take()).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});

describe("modifiers", () => {
  test("are sent right before what they modify", () => {
    const { down, up, desk } = ready();
    down("ShiftLeft");
    expect(desk.take()).toEqual([]);
    down("KeyA");
    up("KeyA");
    up("ShiftLeft");
    expect(desk.take()).toEqual(["+ShiftLeft", "+KeyA", "-KeyA", "-ShiftLeft"]);
  });

  test("that are tapped or stay down alone are sent too", () => {
    const { down, up, desk, clock } = ready();
    down("AltLeft");
    up("AltLeft");
    expect(desk.take()).toEqual(["+AltLeft", "-AltLeft"]);
    down("ControlRight");
    clock.pass(Chord.PATIENCE - 1);
    expect(desk.take()).toEqual([]);
    clock.pass(1);
    expect(desk.take()).toEqual(["+ControlRight"]);
  });

  test("belong to a click and to the wheel", () => {
    const { down, desk, pointer, wheel } = ready();
    down("ControlLeft");
    pointer("pointerdown", 10, 20, 1);
    expect(desk.take()).toEqual(["+ControlLeft", "at 100,0 1"]);
    down("ShiftLeft"); // while a button is held nothing is kept back
    expect(desk.take()).toEqual(["+ShiftLeft"]);
    wheel({ deltaY: 100 });
    expect(desk.take()).toEqual(["wheel 0,120 at 100,0"]);
  });

  test("whose key-up was lost are released at the next event", () => {
    const { down, device, desk, pointer } = ready();
    down("AltLeft");
    down("KeyA");
    device.delete("AltLeft");
    pointer("pointermove", 10, 20, 0);
    expect(desk.take()).toEqual(["+AltLeft", "+KeyA", "-AltLeft"]);
  });

  test("two Shift keys with one key-up between them are both released", () => {
    const { down, up, device, desk } = ready();
    down("KeyA");
    down("ShiftLeft");
    down("ShiftRight");
    device.delete("ShiftLeft");
    up("ShiftRight");
    expect(desk.take()).toEqual(["+KeyA", "+ShiftLeft", "+ShiftRight", "-ShiftLeft", "-ShiftRight"]);
  });
});

describe("the release chord", () => {
  const orders = [
    ["ControlLeft", "AltLeft", "ShiftLeft"],
    ["AltLeft", "ShiftRight", "ControlRight"],
    ["ShiftLeft", "ControlLeft", "AltRight"],
  ];
  test.each(orders)("%s %s %s leads to the toolbar and sends nothing", (a, b, c) => {
    const { down, up, desk, clock } = ready();
    for (const code of [a, b, c]) {
      down(code);
      clock.pass(Chord.PATIENCE / 2);
    }
    expect(desk.toolbar).toBe(0);
    up(b);
    expect(desk.toolbar).toBe(1);
    up(a);
    up(c);
    clock.pass(10_000);
    expect(desk.toolbar).toBe(1);
    expect(desk.take()).toEqual([]);
  });

  test("pressed slowly releases what was sent", () => {
    const { down, up, desk, clock } = ready();
    down("ControlLeft");
    clock.pass(1000);
    down("AltLeft");
    down("ShiftLeft");
    up("ShiftLeft");
    expect(desk.toolbar).toBe(1);
    expect(desk.keys.size).toBe(0);
    expect(desk.take().filter((s) => !s.startsWith("held"))).toEqual(["+ControlLeft", "release_all"]);
  });

  test("with another key is the desk's", () => {
    const { down, up, desk } = ready();
    for (const code of ["ControlLeft", "AltLeft", "ShiftLeft", "KeyS"]) {
      down(code);
    }
    for (const code of ["KeyS", "ShiftLeft", "AltLeft", "ControlLeft"]) {
      up(code);
    }
    expect(desk.toolbar).toBe(0);
    expect(desk.take()).toEqual(["+ControlLeft", "+AltLeft", "+ShiftLeft", "+KeyS", "-KeyS", "-ShiftLeft", "-AltLeft", "-ControlLeft"]);
  });

  test("can be tried again after a miss", () => {
    const { down, up, desk } = ready();
    down("ControlLeft");
    down("KeyC");
    down("AltLeft");
    down("ShiftLeft");
    for (const code of ["KeyC", "ShiftLeft", "AltLeft", "ControlLeft"]) {
      up(code);
    }
    expect(desk.toolbar).toBe(0);
    for (const code of ["ControlLeft", "AltLeft", "ShiftLeft"]) {
      down(code);
    }
    up("ShiftLeft");
    expect(desk.toolbar).toBe(1);
  });
});

describe("lock states", () => {
  test("are told once after each focus, with the first event that is not a lock key's", () => {
    const { down, up, desk, locks, element } = setUp();
    locks.add("CapsLock");
    down("NumLock", { key: "NumLock" });
    up("NumLock", { key: "NumLock" });
    expect(desk.take()).toEqual(["+NumLock", "-NumLock"]);
    locks.add("NumLock");
    down("KeyA");
    up("KeyA");
    expect(desk.take()).toEqual(["locks 3", "+KeyA", "-KeyA"]);
    element.blur();
    locks.clear();
    element.focus();
    down("KeyA");
    expect(desk.take()).toEqual(["release_all", "locks 0", "+KeyA"]);
  });
});

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
    expect(desk.take()).toEqual(["at 102,0 0", "at 104,0 1", "at 106,0 1", "at 108,0 0", "at 110,0 0", "+KeyA", "at 112,0 0", "wheel 0,120 at 100,0"]);
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

  test.each(["mousedown", "mouseup", "auxclick", "contextmenu", "dragstart", "selectstart"])("%s does nothing on the page", (type) => {
    const { element } = ready();
    const e = new Event(type, { bubbles: true, cancelable: true });
    element.dispatchEvent(e);
    expect(e.defaultPrevented).toBe(true);
  });
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

describe("losing the focus", () => {
  const ways: [string, (element: HTMLElement) => void][] = [
    ["blur", (e) => e.blur()],
    ["window blur", () => window.dispatchEvent(new Event("blur"))],
    ["pagehide", () => window.dispatchEvent(new Event("pagehide"))],
    ["hidden", () => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
    }],
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
    const code = fc.constantFrom("KeyA", "KeyB", "ControlLeft", "ControlRight", "AltLeft", "AltRight", "ShiftLeft", "ShiftRight", "MetaLeft", "Backquote", "CapsLock", "PrintScreen", "Sleep", "Unheard");
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom("down" as const, "up" as const, "lose" as const), code, repeat: fc.boolean(), key: fc.constantFrom("x", "Process") }),
      fc.record({ do: fc.constantFrom("pointerdown" as const, "pointermove" as const, "pointerup" as const, "pointercancel" as const), x: fc.integer({ min: -50, max: 900 }), y: fc.integer({ min: -50, max: 900 }), buttons: fc.integer({ min: 0, max: 31 }) }),
      fc.record({ do: fc.constant("wheel" as const), dy: fc.integer({ min: -500, max: 500 }) }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 700 }) }),
      fc.record({ do: fc.constantFrom("draw" as const, "refocus" as const, "picture" as const, "no picture" as const, "combo" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), fc.boolean(), fc.constantFrom(...ways), (steps, mac, systemKeys, [, lose]) => {
        const s = setUp({ mac, systemKeys });
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
        expect(faults.splice(0)).toEqual([]);
        expect(s.desk.keys.size).toBe(0);
        expect(s.desk.buttons).toBe(0);
        expect(s.clock.waiting).toBe(0);
        s.desk.take();
        s.clock.draw();
        s.clock.pass(10_000);
        expect(s.desk.take()).toEqual([]);
        s.input.stop();
      }),
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
  expect(desk.take()).toEqual(["+ControlLeft", "+AltLeft", "+Delete", "-Delete", "-AltLeft", "-ControlLeft", "tap Backquote"]);
  expect(clock.waiting).toBe(0);
});

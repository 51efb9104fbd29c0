// A page, a clock and a desk for the tests of this folder.
import { CODES } from "../keys/codes.ts";
import { append, parse } from "../wire/parser.ts";
import { type Area } from "./area.ts";
import { Input } from "./input.ts";
import type { System } from "./keyboard.ts";
import type { InputMessage, Pinch, Timers } from "./sink.ts";
import type { Text } from "../wire/text.ts";

/** Timers that run when the test says so. */
export class Clock implements Timers {
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
    for (const end = this.now + ms; ;) {
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

/** Fails if a desk has complained; to be called after each test. */
export function checkFaults(): void {
  if (faults.length > 0) {
    throw new Error(faults.splice(0).join("; "));
  }
}

/** A desk that does what it is told, and complains about nonsense. */
export class Desk {
  readonly keys = new Set<number>();
  readonly log: (InputMessage | Text)[] = [];
  buttons = 0;
  toolbar = 0;
  unknown = 0;
  readonly zooms: Pinch[] = [];

  send(m: InputMessage | Text): void {
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

  /** A text, among the messages. */
  write(text: string): void {
    this.send({ kind: "text", text });
  }

  unknownKey(): void {
    this.unknown++;
  }

  zoom(pinch: Pinch): void {
    this.zooms.push(pinch);
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
        case "text":
          return `text ${m.text}`;
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

export const AREA: Area = {
  generation: 7,
  x: 100,
  y: 0,
  width: 800,
  height: 600,
  box: { left: 10, top: 20, width: 400, height: 300 },
};

export interface Options {
  readonly system?: System;
  readonly systemKeys?: boolean;
}

export function setUp(options: Options = {}) {
  const element = document.createElement("div");
  element.tabIndex = 0;
  element.setPointerCapture = () => {}; // jsdom has none
  const field = document.createElement("textarea");
  document.body.replaceChildren(element, field);
  const desk = new Desk();
  const clock = new Clock();
  const state: { area: Area | null } = { area: AREA };
  const input = new Input({
    element,
    field,
    sink: desk,
    timers: clock,
    area: () => state.area,
    systemKeys: () => options.systemKeys ?? false,
    system: options.system ?? "other",
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
  const pointer = (type: string, clientX: number, clientY: number, buttons: number, init: PointerEventInit = {}) =>
    element.dispatchEvent(
      new PointerEvent(type, {
        clientX,
        clientY,
        buttons,
        isPrimary: true,
        pointerId: 1,
        bubbles: true,
        cancelable: true,
        ...modifiers(),
        ...init,
      }),
    );
  const wheel = (init: WheelEventInit) => {
    const e = new WheelEvent("wheel", {
      clientX: 10,
      clientY: 20,
      bubbles: true,
      cancelable: true,
      ...modifiers(),
      ...init,
    });
    element.dispatchEvent(e);
    return e;
  };
  const finger = (type: string, pointerId: number, clientX: number, clientY: number) =>
    element.dispatchEvent(
      new PointerEvent(type, {
        clientX,
        clientY,
        buttons: type === "pointerup" ? 0 : 1,
        isPrimary: pointerId === 1,
        pointerId,
        pointerType: "touch",
        bubbles: true,
        cancelable: true,
      }),
    );
  return {
    element,
    field,
    finger,
    desk,
    clock,
    state,
    input,
    locks,
    device,
    pointer,
    wheel,
    down: (code: string, init?: KeyboardEventInit) => key("keydown", code, init),
    up: (code: string, init?: KeyboardEventInit) => key("keyup", code, init),
  };
}

/** setUp with the lock states already told. */
export function ready(options: Options = {}) {
  const s = setUp(options);
  s.pointer("pointermove", 10, 20, 0);
  s.clock.draw();
  s.desk.take();
  return s;
}

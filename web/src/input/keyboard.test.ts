// @vitest-environment jsdom
import { afterEach, describe, expect, test } from "vitest";
import { HELD_EVERY } from "../wire/limits.ts";
import { Chord } from "./chord.ts";
import { checkFaults, ready, setUp } from "./inputtest.ts";

afterEach(checkFaults);

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
    for (const [code, key] of [
      ["Backquote", "Zenkaku"],
      ["Backquote", "Process"],
      ["CapsLock", "Alphanumeric"],
      ["KanaMode", "Hiragana"],
      ["Lang1", "KanaMode"],
    ] as const) {
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
    const { down, up, desk } = ready({ system: "mac" });
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

describe("on a Mac, which tells no key-up while Command is held", () => {
  test("a letter that is held when Command goes down is let go, and does not repeat for ever", () => {
    const { down, up, desk, clock } = ready({ system: "mac" });
    down("KeyA");
    down("MetaLeft"); // the key-up of A never comes
    expect(desk.take()).toEqual(["+KeyA", "-KeyA"]);
    up("MetaLeft");
    clock.pass(10_000);
    expect(desk.take()).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("a letter whose Command is only seen in a later event is let go then", () => {
    const { down, desk, pointer } = ready({ system: "mac" });
    down("KeyA");
    pointer("pointermove", 10, 20, 0, { metaKey: true });
    expect(desk.take()).toEqual(["+KeyA", "-KeyA"]);
  });

  test("a letter with Command is a tap where the desk gets Command", () => {
    const { down, up, desk, clock } = ready({ system: "mac", systemKeys: true });
    down("ShiftLeft");
    down("MetaLeft");
    down("KeyC");
    clock.pass(5000);
    up("MetaLeft");
    up("ShiftLeft");
    expect(desk.take().filter((m) => !m.startsWith("held"))).toEqual([
      "+ShiftLeft",
      "+MetaLeft",
      "tap KeyC",
      "-MetaLeft",
      "-ShiftLeft",
    ]);
  });

  test("かな and 英数 are taps of their own", () => {
    const { down, up, desk } = ready({ system: "mac" });
    down("Lang1", { key: "KanaMode" });
    down("Lang2", { key: "Eisu" });
    up("Lang2", { key: "Eisu" });
    expect(desk.take()).toEqual(["tap Lang1", "tap Lang2"]);
  });
});

describe("keys that stay on the device", () => {
  test.each(["MetaLeft", "Sleep", "Unheard", ""])("%s still tells which modifiers are up", (code) => {
    const { down, device, desk } = ready();
    down("AltLeft");
    down("KeyA");
    device.delete("AltLeft");
    desk.take();
    down(code, { key: "Unidentified" });
    expect(desk.take()).toEqual(["-AltLeft"]);
  });

  test("take the modifiers of their shortcut with them", () => {
    const { down, up, desk } = ready();
    for (const order of [
      ["MetaLeft", "AltLeft", "KeyR"],
      ["AltLeft", "MetaLeft", "KeyR"],
    ]) {
      for (const code of order) {
        down(code);
      }
      for (const code of order.toReversed()) {
        up(code);
      }
    }
    expect(desk.take()).toEqual([]); // a lone Alt would open a menu
  });

  test("of Windows end with the focus: Win+L, Alt+Tab, the snipping tool", () => {
    const { down, up, desk, element, device, clock } = ready({ system: "windows", systemKeys: true });
    down("MetaLeft");
    down("KeyL");
    element.blur(); // the lock screen takes both key-ups
    device.clear();
    element.focus();
    expect(desk.take()).toEqual(["+MetaLeft", "+KeyL", "release_all"]);
    up("KeyL");
    clock.pass(10_000);
    expect(desk.keys.size).toBe(0);
    expect(clock.waiting).toBe(0);
  });
});

describe("keys without a code", () => {
  test("are written: handwriting, keyboards on the screen, programs that type", () => {
    const { down, up, desk } = ready({ system: "windows" });
    for (const key of ["あ", "𠮷", "a", "@"]) {
      down("", { key });
      up("", { key });
    }
    expect(desk.take()).toEqual(["text あ", "text 𠮷", "text a", "text @"]);
    expect(desk.unknown).toBe(0);
  });

  test("that have a name are that key", () => {
    const { down, desk } = ready();
    for (const key of ["Enter", "Backspace", "ArrowLeft", "Zenkaku"]) {
      down("", { key });
    }
    expect(desk.take()).toEqual(["tap Enter", "tap Backspace", "tap ArrowLeft", "tap Backquote"]);
  });

  test("that tell nothing are said to be lost, once each, and modifiers are not missed", () => {
    const { down, desk } = ready();
    for (const key of ["Unidentified", "Process", "Shift"]) {
      down("", { key });
    }
    expect(desk.take()).toEqual([]);
    expect(desk.unknown).toBe(2);
  });

  test("take no lock states along: those are of no keyboard", () => {
    const { down, desk } = setUp();
    down("", { key: "a" });
    expect(desk.take()).toEqual(["text a"]);
    down("KeyA");
    expect(desk.take()).toEqual(["locks 0", "+KeyA"]);
  });

  test("with Control are no text", () => {
    const { down, desk } = ready();
    down("", { key: "a", ctrlKey: true });
    expect(desk.take()).toEqual([]);
    expect(desk.unknown).toBe(1);
  });
});

describe("AltGr", () => {
  test("of Windows comes with a Control that nobody pressed: it is not sent", () => {
    const { down, up, desk } = ready({ system: "windows" });
    down("ControlLeft");
    down("AltRight", { key: "AltGraph" });
    down("KeyQ", { key: "@" });
    up("KeyQ");
    up("ControlLeft");
    up("AltRight", { key: "AltGraph" });
    expect(desk.take()).toEqual(["+AltRight", "+KeyQ", "-KeyQ", "-AltRight"]);
  });

  test("elsewhere leaves Control alone", () => {
    const { down, desk } = ready();
    down("ControlLeft");
    down("AltRight", { key: "AltGraph" });
    down("KeyQ", { key: "@" });
    expect(desk.take()).toEqual(["+ControlLeft", "+AltRight", "+KeyQ"]);
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
    expect(desk.take()).toEqual([
      "+ControlLeft",
      "+AltLeft",
      "+ShiftLeft",
      "+KeyS",
      "-KeyS",
      "-ShiftLeft",
      "-AltLeft",
      "-ControlLeft",
    ]);
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

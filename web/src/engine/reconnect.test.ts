import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cause, type Event, first, type Phase, reduce, type State } from "./reconnect.ts";

const network: Cause = { kind: "network" };
const refused = (retryAfter: number, code = "no_right"): Cause => ({
  kind: "refused",
  retryAfter,
  reasons: [{ code, ja: "", en: "", helpJa: "", helpEn: "" }],
});

function play(events: Event[], from: State = first, now = 1_000): State {
  return events.reduce((s, e) => reduce(s, e, now, 0.5).state, from);
}

const steps: Event[] = (["linking", "sealing", "starting", "live"] as const).map((phase) => ({
  type: "reached",
  phase,
}));
const lose = (cause: Cause): Event => ({ type: "lost", cause });

test("opens step by step", () => {
  const seen: Phase[] = [];
  let s = first;
  for (const e of steps) {
    seen.push((s = reduce(s, e, 0, 0).state).phase);
  }
  expect(seen).toEqual(["linking", "sealing", "starting", "live"]);
  expect(s).toMatchObject({ wasLive: true, cause: null });
});

test("waits longer and longer, never above 15 s, with jitter, and keeps the reason", () => {
  let s = play(steps);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    s = reduce(s, lose(network), 10_000, 0.999_999).state;
    expect(s).toMatchObject({ phase: "waiting", cause: network, lostAt: 10_000 });
    waits.push(Math.round(s.retryAt - 10_000));
    const half = reduce({ ...s, failures: s.failures - 1 }, lose(network), 10_000, 0).state;
    expect(Math.round((half.retryAt - 10_000) * 2)).toBe(waits[i]);
    expect(reduce(s, { type: "tick" }, s.retryAt - 1, 0).open).toBe(false);
    const next = reduce(s, { type: "tick" }, s.retryAt, 0);
    expect(next.open).toBe(true);
    s = next.state;
  }
  expect(waits).toEqual([300, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  s = play(steps, s, 50_000);
  expect(s).toMatchObject({ phase: "live", cause: null, lostAt: 0 });
  expect(reduce(s, lose(network), 59_999, 0).state.failures).toBe(9);
  expect(reduce(s, lose(network), 60_000, 0).state.failures).toBe(1);
});

test("hurry cuts the waiting short, but not when the gateway asked to wait", () => {
  expect(reduce(play([lose(network)]), { type: "hurry" }, 1_000, 0).open).toBe(true);
  const asked = play([lose(refused(30))]);
  expect(asked.retryAt).toBeGreaterThanOrEqual(31_000);
  expect(reduce(asked, { type: "hurry" }, 1_000, 0).open).toBe(false);
  expect(reduce(play(steps), { type: "hurry" }, 1_000, 0).open).toBe(false);
});

describe("ends", () => {
  const ends: [string, Cause][] = [
    ["by the user", { kind: "user" }],
    ["taken over", { kind: "agent", code: 2 }],
    ["ended at the desk", { kind: "agent", code: 3 }],
    ["revoked", { kind: "agent", code: 4 }],
    ["idle", { kind: "agent", code: 6 }],
    ["cannot lock", { kind: "agent", code: 10 }],
    ["opened again by the same device", { kind: "agent", code: 18 }],
    ["a code of a later release", { kind: "agent", code: 900 }],
    ["link revoked", { kind: "link", code: 4005 }],
    ["link replaced", { kind: "link", code: 4006 }],
    ["refused", refused(0)],
    ["signed out", { kind: "signed_out" }],
    ["no device", { kind: "no_device" }],
  ];
  test.each(ends)("%s", (_, cause) => {
    const s = play([...steps, lose(cause)]);
    expect(s).toMatchObject({ phase: "ended", cause });
    expect(reduce(s, { type: "hurry" }, 9e9, 0)).toEqual({ state: s, open: false });
    expect(reduce(s, { type: "tick" }, 9e9, 0)).toEqual({ state: s, open: false });
  });

  const passing: [string, Cause][] = [
    ["the agent stops", { kind: "agent", code: 8 }],
    ["the lease is lost", { kind: "agent", code: 11 }],
    ["the gateway stops", { kind: "link", code: 4007 }],
    ["the peer is gone", { kind: "link", code: 4003 }],
    ["closed without a Jiseki code", { kind: "link", code: 1006 }],
  ];
  test.each(passing)("not when %s", (_, cause) => expect(play([...steps, lose(cause)]).phase).toBe("waiting"));

  test.each([5, 7])("after end code %i the gateway is asked again, and its refusal is the end", (code) => {
    const asked = play([...steps, lose({ kind: "agent", code })]);
    expect(asked.phase).toBe("waiting");
    const refusal = refused(0, "hours_over");
    expect(play([...steps, lose({ kind: "agent", code }), lose(refusal)])).toMatchObject({
      phase: "ended",
      cause: refusal,
    });
    expect(play(Array.from({ length: 4 }, () => lose({ kind: "agent", code }))).phase).toBe("ended");
  });

  test("a network that stops WebSockets ends an opening at once; who was live may come into another one", () => {
    const blocked: Cause = { kind: "blocked" };
    expect(play([lose(blocked)])).toMatchObject({ phase: "ended", cause: blocked });
    expect(play([...steps, lose(blocked)]).phase).toBe("waiting");
    expect(play([...steps, ...Array.from({ length: 4 }, () => lose(blocked))]).phase).toBe("ended");
  });

  test("a relay that is not there is tried a few times before the first picture, and for ever after it", () => {
    const relay: Cause = { kind: "relay" };
    const many = Array.from({ length: 4 }, () => lose(relay));
    expect(play(many).phase).toBe("ended");
    expect(play([...steps, ...many]).phase).toBe("waiting");
    expect(play(Array.from({ length: 9 }, () => lose({ kind: "between" }))).phase).toBe("waiting");
  });

  test("a desk that is off ends an opening, but is waited for once it was live", () => {
    const off = refused(0, "desk_off");
    expect(play([lose(off)]).phase).toBe("ended");
    expect(play([...steps, lose(off)]).phase).toBe("waiting");
  });

  test.each<Cause>([
    { kind: "seal", detail: "x" },
    { kind: "broken", detail: "x" },
    { kind: "link", code: 4010 },
    { kind: "agent", code: 9 },
  ])("what should not happen is tried a few times: %o", (cause) => {
    const phases = [1, 2, 3, 4].map((n) => play(Array.from({ length: n }, () => lose(cause))).phase);
    expect(phases).toEqual(["waiting", "waiting", "waiting", "ended"]);
  });
});

test("whatever happens, it never opens twice at once and always knows when it goes on", () => {
  const event = fc.oneof(
    fc.constantFrom<Event>(...steps, { type: "tick" }, { type: "hurry" }),
    fc.constantFrom(network, refused(5), refused(0, "desk_off"), { kind: "agent", code: 8 } as Cause).map(lose),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(20_000), fc.double({ min: 0, max: 0.999, noNaN: true }))), (events) => {
      let s = first;
      let now = 0;
      for (const [e, dt, r] of events) {
        now += dt;
        const before = s;
        const step = reduce(s, e, now, r);
        s = step.state;
        if (step.open) {
          expect(before.phase).toBe("waiting");
        }
        if (s.phase === "waiting") {
          expect(s.retryAt).toBeGreaterThanOrEqual(before.phase === "waiting" ? 0 : now);
          expect(s.cause).not.toBeNull();
        }
        if (s.phase === "ended") {
          expect(s.cause).not.toBeNull();
        }
      }
    }),
  );
});

// How a session is opened, lost and opened again: a pure reducer. The engine feeds it events and does what it says.

/** One reason of the gateway's "no", for a person and for the help desk. */
export interface Reason {
  readonly code: string;
  readonly ja: string;
  readonly en: string;
  readonly helpJa: string;
  readonly helpEn: string;
}

/** Why a session is not open (any more). */
export type Cause =
  /** the gateway cannot be reached, or the line broke without a word */
  | { readonly kind: "network" }
  /** calls reach the gateway, WebSockets do not: something on the way stops them */
  | { readonly kind: "blocked" }
  /** the gateway is reached, also by WebSocket, its relay is not */
  | { readonly kind: "relay" }
  /** something on the way answers in place of the gateway */
  | { readonly kind: "between" }
  /** a link was closed with a code of docs/PROTOCOL.md section 3 */
  | { readonly kind: "link"; readonly code: number }
  /** the agent ended the session with a code of docs/PROTOCOL.md section 5.2 */
  | { readonly kind: "agent"; readonly code: number }
  /** the gateway said no */
  | { readonly kind: "refused"; readonly reasons: readonly Reason[]; readonly retryAfter: number }
  /** the sign-in has ended */
  | { readonly kind: "signed_out" }
  /** this browser holds no identity key for the user */
  | { readonly kind: "no_device" }
  /** the seal could not be made or did not open: who answers may not be the desk */
  | { readonly kind: "seal"; readonly detail: string }
  /** something came that no agent sends, or a part of this program failed */
  | { readonly kind: "broken"; readonly detail: string }
  /** the user ended it */
  | { readonly kind: "user" };

/** Where a session stands. Opening goes through the first four in order. */
export type Phase = "authorizing" | "linking" | "sealing" | "starting" | "live" | "waiting" | "ended";

export interface State {
  readonly phase: Phase;
  /** Failures since the session was last live for a while, or since the beginning. */
  readonly failures: number;
  /** Whether it was ever live. */
  readonly wasLive: boolean;
  /** Why it is waiting or ended, or had to be opened again; kept until it is live. */
  readonly cause: Cause | null;
  /** In `waiting`: when to try again, on the clock of `now`. */
  readonly retryAt: number;
  /** When it was lost, on the same clock; 0 if it was not. */
  readonly lostAt: number;
  /** When it became live last, on the same clock. */
  readonly liveAt: number;
}

export type Event =
  /** opening got this far */
  | { readonly type: "reached"; readonly phase: "linking" | "sealing" | "starting" | "live" }
  /** the attempt failed, or the session was lost */
  | { readonly type: "lost"; readonly cause: Cause }
  /** the time may have come */
  | { readonly type: "tick" }
  /** the network came back, the page became visible, or the user does not want to wait */
  | { readonly type: "hurry" };

/** What the engine has to do after an event: open anew, or nothing. */
export type Step = { readonly state: State; readonly open: boolean };

export const first: State = {
  phase: "authorizing",
  failures: 0,
  wasLive: false,
  cause: null,
  retryAt: 0,
  lostAt: 0,
  liveAt: 0,
};

/** Waiting times before the second, third, ... attempt in milliseconds; the last one repeats for ever. */
const DELAYS = [300, 1_000, 2_000, 4_000, 8_000, 15_000] as const;

/** How long a session must have been live for the failures before it to be forgotten, in milliseconds. */
const STANDING = 10_000;

/** How often something that should not happen at all is tried again. */
const FEW = 3;

/** now is in milliseconds, random from [0, 1). */
export function reduce(state: State, event: Event, now: number, random: number): Step {
  if (state.phase === "ended") {
    return { state, open: false };
  }
  switch (event.type) {
    case "reached":
      if (state.phase === "waiting") {
        return { state, open: false };
      }
      return { state: event.phase === "live" ? live(state, now) : { ...state, phase: event.phase }, open: false };
    case "lost":
      return { state: lost(state, event.cause, now, random), open: false };
    case "tick":
      return state.phase === "waiting" && now >= state.retryAt ? again(state) : { state, open: false };
    case "hurry":
      return state.phase === "waiting" && !isAskedToWait(state.cause) ? again(state) : { state, open: false };
  }
}

function live(state: State, now: number): State {
  return { ...state, phase: "live", wasLive: true, cause: null, lostAt: 0, liveAt: now };
}

function again(state: State): Step {
  return { state: { ...state, phase: "authorizing", retryAt: 0 }, open: true };
}

function lost(state: State, cause: Cause, now: number, random: number): State {
  const stood = state.phase === "live" && now - state.liveAt >= STANDING;
  const failures = stood ? 1 : state.failures + 1;
  if (isFinal(cause, failures, state.wasLive)) {
    return { ...state, phase: "ended", failures, cause, retryAt: 0 };
  }
  const lostAt = state.lostAt === 0 ? now : state.lostAt;
  return { ...state, phase: "waiting", failures, cause, lostAt, retryAt: now + delay(cause, failures, random) };
}

/** Half of the waiting time is random, so that a town hall's viewers do not come back in step. */
function delay(cause: Cause, failures: number, random: number): number {
  if (cause.kind === "refused" && cause.retryAfter > 0) {
    return cause.retryAfter * 1000 * (1 + random / 4);
  }
  const full = DELAYS[Math.min(failures, DELAYS.length) - 1] ?? 0;
  return full * (0.5 + random / 2);
}

function isAskedToWait(cause: Cause | null): boolean {
  return cause?.kind === "refused" && cause.retryAfter > 0;
}

/**
 * End codes of the agent after which a new session is worth a try: it stops, it lost its lease, it could not capture.
 */
const PASSING_ENDS: ReadonlySet<number> = new Set([8, 11, 12]);
const PROTOCOL_ERROR = 9;
/**
 * End codes after which the gateway is asked again: the time of the grant is over, or policy changed. Its answer goes
 * on, or says why not.
 */
const ASK_AGAIN: ReadonlySet<number> = new Set([5, 7]);

/** Link codes that mean that somebody decided: revoked, replaced. */
const FINAL_LINKS: ReadonlySet<number> = new Set([4005, 4006]);
const SEAL_FAILED = 4010;
const TOO_LARGE = 4008;

/** Whether trying again cannot help. */
function isFinal(cause: Cause, failures: number, wasLive: boolean): boolean {
  switch (cause.kind) {
    case "network":
    case "between":
      return false;
    case "blocked": // it does not pass by itself; but who was live may just be changing networks
      return !wasLive || failures > FEW;
    case "relay":
      return !wasLive && failures > FEW;
    case "link":
      if (cause.code === SEAL_FAILED || cause.code === TOO_LARGE) {
        return failures > FEW;
      }
      return FINAL_LINKS.has(cause.code);
    case "agent":
      if (cause.code === PROTOCOL_ERROR || ASK_AGAIN.has(cause.code)) {
        return failures > FEW;
      }
      return !PASSING_ENDS.has(cause.code);
    case "refused":
      return cause.retryAfter <= 0 && !(wasLive && cause.reasons.some((r) => PASSING_REASONS.has(r.code)));
    case "seal":
    case "broken":
      return failures > FEW;
    case "signed_out":
    case "no_device":
    case "user":
      return true;
  }
}

/** Reasons of the gateway that pass by themselves while a desk or its agent starts again. */
const PASSING_REASONS: ReadonlySet<string> = new Set([
  "desk_off",
  "desk_unknown",
  "agent_no_answer",
  "agent_refused",
  "session_state",
  "too_many_at_once",
  "busy",
  "internal",
]);

// Measures what 持ち帰り前の確認 needs to know of this browser and its line to the gateway.
import { call } from "../api/api.ts";
import type { GetSelfCheckResponseJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { millis } from "../kit/format.ts";
import { reach } from "../link/reach.ts";
import type { Measured } from "./selfcheck.ts";

/** The largest piece that the gateway gives or takes. */
const MOST = 4 * 1024 * 1024;
/** A piece that takes this long says enough about the speed. */
const LONG_MS = 500;

/** What is measured just now. */
export type Step = "delay" | "download" | "upload" | "socket" | "desk";

/** Measures everything. Calls `step` before each part, for people who wait. */
export async function measure(
  step: (name: Step) => void,
  signal: AbortSignal,
): Promise<{ server: GetSelfCheckResponseJson; measured: Measured }> {
  step("delay");
  const delayMs = await roundTrip(signal);
  step("download");
  const downBitsPerSecond = await rate(async (bytes) => take(bytes, signal), signal);
  step("upload");
  const upBitsPerSecond = await rate(async (bytes) => give(bytes, signal), signal);
  step("socket");
  const socket = await reach({ host: location.host }, signal);
  step("desk");
  // Asked last: the gateway then has counted the segments of what was measured.
  const before = Date.now();
  const server = await call("TeleworkService", "GetSelfCheck", {}, signal);
  const after = Date.now();
  return {
    server,
    measured: {
      nowMs: after,
      persisted: (await navigator.storage?.persisted?.()) ?? false,
      clockOffsetMs: millis(server.serverTimeMs) - (before + after) / 2,
      socket,
      keyboard: await keyboardKind(),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(downBitsPerSecond === undefined ? {} : { downBitsPerSecond }),
      ...(upBitsPerSecond === undefined ? {} : { upBitsPerSecond }),
    },
  };
}

/** The median of some short requests, the first of which may open a connection. */
async function roundTrip(signal: AbortSignal): Promise<number | undefined> {
  const times: number[] = [];
  try {
    for (let i = 0; i < 8; i++) {
      times.push(await take(0, signal));
    } // one after another: each is a round trip
  } catch (e) {
    if (signal.aborted) {
      throw e;
    }
    return undefined;
  }
  return times.slice(1).toSorted((a, b) => a - b)[3];
}

/** Bits a second, by pieces that grow until one takes long enough. */
async function rate(move: (bytes: number) => Promise<number>, signal: AbortSignal): Promise<number | undefined> {
  let best: number | undefined;
  try {
    for (let bytes = 32 * 1024; bytes <= MOST; bytes *= 4) {
      const ms = await move(bytes);
      best = Math.max(best ?? 0, (bytes * 8000) / Math.max(ms, 1));
      if (ms >= LONG_MS) {
        break;
      }
    }
  } catch (e) {
    if (signal.aborted) {
      throw e;
    }
  }
  return best;
}

async function take(bytes: number, signal: AbortSignal): Promise<number> {
  const begin = performance.now();
  const answer = await fetch(`/probe?bytes=${bytes}`, {
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
    signal,
  });
  if (!answer.ok) {
    throw new Error(`the gateway answered ${answer.status}`);
  }
  await answer.arrayBuffer();
  return performance.now() - begin;
}

async function give(bytes: number, signal: AbortSignal): Promise<number> {
  const body = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(body.subarray(at, at + 65_536));
  } // what is random cannot be packed on the way
  const begin = performance.now();
  const answer = await fetch("/probe", {
    method: "POST",
    body,
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
    signal,
  });
  if (!answer.ok) {
    throw new Error(`the gateway answered ${answer.status}`);
  }
  await answer.arrayBuffer();
  return performance.now() - begin;
}

interface KeyboardMap {
  readonly getLayoutMap?: () => Promise<ReadonlyMap<string, string>>;
}

/** The layout as the browser tells it: the key right of P gives @ on a Japanese keyboard. */
async function keyboardKind(): Promise<"jis" | "us" | "unknown"> {
  try {
    const map = await (navigator as { readonly keyboard?: KeyboardMap }).keyboard?.getLayoutMap?.();
    const key = map?.get("BracketLeft");
    if (key === undefined) {
      return "unknown";
    }
    return key === "@" ? "jis" : key === "[" ? "us" : "unknown";
  } catch {
    return "unknown";
  }
}

import { ApiError } from "../api/api.ts";
import type { ReasonJson, RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import type { Cause, Reason } from "../engine/reconnect.ts";

/** How long a call of the API may take, in milliseconds. */
const PATIENCE = 30_000;

/** Ends a call that takes too long. */
export const patience = (): AbortSignal => AbortSignal.timeout(PATIENCE);

/** Nobody has answered. */
const AWAY: ReadonlySet<string> = new Set(["unreachable", "deadline_exceeded"]);

/** When a gateway that could not answer now is asked again, if it does not say, in seconds. */
const SOON = 5;

/** Why there is no session, from what a call of the API, or anything else before the session, was rejected with. */
export function causeOf(e: unknown): Cause {
  if (e instanceof DOMException && e.name === "TimeoutError") {
    return { kind: "network" };
  }
  if (!(e instanceof ApiError)) {
    return { kind: "broken", detail: e instanceof Error ? e.message : String(e) };
  }
  if (e.signedOut) {
    return { kind: "signed_out" };
  }
  if (AWAY.has(e.code)) {
    return { kind: "network" };
  }
  if (e.code.startsWith("http_")) {
    return { kind: "between" };
  }
  const said = e.reasons.length > 0 ? e.refusal : { reasons: [{ code: e.code }] };
  return refused(e.code === "unavailable" ? { ...said, retryAfterS: said.retryAfterS ?? SOON } : said);
}

/** A "no" of the gateway as a cause. */
export function refused(r: RefusalJson): Cause {
  return { kind: "refused", reasons: (r.reasons ?? []).map(reason), retryAfter: r.retryAfterS ?? 0 };
}

function reason(r: ReasonJson): Reason {
  return { code: r.code ?? "", ja: r.ja ?? "", en: r.en ?? "", helpJa: r.helpJa ?? "", helpEn: r.helpEn ?? "" };
}

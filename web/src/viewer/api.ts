// Calls of the control API from the viewer: plain JSON, types from the .proto (web/src/gen).

import type { Cause, Reason } from "../reconnect.ts";
import type { ReasonJson, RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** A call that gave no answer; says why no session can be opened. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly why: Cause;

  constructor(why: Cause) {
    super(why.kind);
    this.why = why;
  }
}

/** Calls a method, such as "DeskService/PrepareSession". Rejects with CallError. */
export async function call<Response>(method: string, request: object): Promise<Response> {
  let answer: globalThis.Response;
  try {
    answer = await fetch(`/jiseki.control.v1.${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" },
      body: JSON.stringify(request),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new CallError({ kind: "network" });
  }
  if (answer.ok) return (await answer.json()) as Response;
  throw new CallError(causeOf(answer.status, await answer.json().catch(() => null)));
}

/** What Connect sends instead of an answer. */
interface ConnectError {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly debug?: RefusalJson }[];
}

const SIGN_IN = new Set(["not_signed_in", "sign_in_over"]);

/** Reads Connect's error. */
export function causeOf(status: number, body: unknown): Cause {
  const error = (typeof body === "object" && body !== null ? body : {}) as ConnectError;
  if (status === 401 || error.code === "unauthenticated" || SIGN_IN.has(error.message ?? "")) return { kind: "signed_out" };
  if (error.code === undefined || status === 502 || status === 503 || status === 504) return { kind: "network" };
  const refusal = error.details?.find((d) => d.debug?.reasons !== undefined)?.debug;
  if (refusal !== undefined) return refused(refusal);
  return refused({ reasons: [{ code: error.message ?? error.code }] });
}

/** A "no" of the gateway as a cause. */
export function refused(r: RefusalJson): Cause {
  return { kind: "refused", reasons: (r.reasons ?? []).map(reason), retryAfter: r.retryAfterS ?? 0 };
}

function reason(r: ReasonJson): Reason {
  return { code: r.code ?? "", ja: r.ja ?? "", en: r.en ?? "", helpJa: r.helpJa ?? "", helpEn: r.helpEn ?? "" };
}

/** Bytes of a bytes field. Throws on what is no base64. */
export function fromBase64(s: string | undefined): Bytes {
  return Uint8Array.from(atob(s ?? ""), (c) => c.charCodeAt(0));
}

export function toBase64(b: Uint8Array): string {
  return btoa(String.fromCharCode(...b));
}

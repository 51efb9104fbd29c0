// Calls the gateway's API: Connect with JSON, typed by the generated types. docs/PROTOCOL.md names the byte forms; in
// JSON they are base64.
import type { DescMessage, MessageJsonType } from "@bufbuild/protobuf";
import type { AdminService } from "../gen/jiseki/control/v1/admin_pb.js";
import type { AuthService } from "../gen/jiseki/control/v1/auth_pb.js";
import type { ApprovalService } from "../gen/jiseki/control/v1/approval_pb.js";
import type { DeskService } from "../gen/jiseki/control/v1/desk_pb.js";
import type { PolicyService } from "../gen/jiseki/control/v1/policy_pb.js";
import type { ReasonJson, RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import type { TeleworkService } from "../gen/jiseki/control/v1/telework_pb.js";
import { readRefusal } from "./refusal.ts";

interface Services {
  AuthService: typeof AuthService;
  DeskService: typeof DeskService;
  AdminService: typeof AdminService;
  TeleworkService: typeof TeleworkService;
  ApprovalService: typeof ApprovalService;
  PolicyService: typeof PolicyService;
}

/** A service that pages may call. */
export type Service = keyof Services;

type Methods<S extends Service> = Services[S]["method"];

/** A method of a service, as its .proto file writes it. */
export type Method<S extends Service> = Capitalize<keyof Methods<S> & string>;

/** The JSON of one side of a method. */
type Side<S extends Service, M extends Method<S>, Way extends "input" | "output"> =
  Methods<S>[Uncapitalize<M> & keyof Methods<S>] extends Record<Way, infer D extends DescMessage>
    ? MessageJsonType<D>
    : never;

/** The request of a method in JSON. */
export type Request<S extends Service, M extends Method<S>> = Side<S, M, "input">;

/** The response of a method in JSON. Fields that hold nothing are absent. */
export type Response<S extends Service, M extends Method<S>> = Side<S, M, "output">;

/** Why a call gave no response. `code` is Connect's, or `unreachable` when no answer came. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly refusal: RefusalJson;

  constructor(code: string, refusal: RefusalJson, options?: ErrorOptions) {
    super(`${code}: ${(refusal.reasons ?? []).map((r) => r.code).join(", ")}`, options);
    this.code = code;
    this.refusal = refusal;
  }

  /** The sign-in is over, or there was none. */
  get signedOut(): boolean {
    return this.code === "unauthenticated";
  }

  get reasons(): readonly ReasonJson[] {
    return this.refusal.reasons ?? [];
  }
}

/** Calls a method. Rejects with an ApiError, or with the signal's reason. */
export async function call<S extends Service, M extends Method<S>>(
  service: S,
  method: M,
  request: Request<S, M>,
  signal?: AbortSignal,
): Promise<Response<S, M>> {
  let answer: globalThis.Response;
  let body: unknown;
  try {
    answer = await fetch(`/api/jiseki.control.v1.${service}/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" },
      body: JSON.stringify(request),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      ...(signal === undefined ? {} : { signal }),
    });
    body = await json(answer);
  } catch (cause) {
    if (signal?.aborted === true) {
      throw cause;
    }
    throw new ApiError("unreachable", {}, { cause });
  }
  if (!answer.ok) {
    throw failure(answer.status, body);
  }
  return body as Response<S, M>;
}

/** Bytes as JSON carries them. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const b of bytes) {
    text += String.fromCharCode(b);
  }
  return btoa(text);
}

/** Reads bytes from JSON: standard or URL alphabet, padded or not. Throws a DOMException if it is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

/** Whatever stands between may answer with a page: that is no JSON, and no reason to stumble. */
async function json(answer: globalThis.Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (answer.ok) {
      throw new Error("the answer is not JSON", { cause });
    }
    return null;
  }
}

function failure(status: number, body: unknown): ApiError {
  const error = typeof body === "object" && body !== null ? (body as { code?: unknown; details?: unknown }) : {};
  const code = typeof error.code === "string" ? error.code : `http_${status}`;
  const details: unknown[] = Array.isArray(error.details) ? error.details : [];
  return new ApiError(code, details.map(refusalIn).find((r) => r !== null) ?? {});
}

function refusalIn(detail: unknown): RefusalJson | null {
  if (typeof detail !== "object" || detail === null) {
    return null;
  }
  const { type, value } = detail as { type?: unknown; value?: unknown };
  if (type !== "jiseki.control.v1.Refusal" || typeof value !== "string") {
    return null;
  }
  try {
    return readRefusal(fromBase64(value));
  } catch {
    return null; // the code alone must do
  }
}

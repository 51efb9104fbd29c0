// A gateway of a test's own for the pages: its answers have the API's types, its reasons are those of package access.
// What a page asks and nobody answers fails the test.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import type { Method, Request, Response, Service } from "../api/api.ts";
import type { RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";

/** The service that has a method. */
type ServiceOf<M> = { [S in Service]: M extends Method<S> ? S : never }[Service];
type AnyMethod = { [S in Service]: Method<S> }[Service];

/** What a method is asked. */
export type Asked<M extends AnyMethod> = Request<ServiceOf<M>, M & Method<ServiceOf<M>>>;
type Given<M extends AnyMethod> = Response<ServiceOf<M>, M & Method<ServiceOf<M>>> | Failing;

/** The answers by method; a function sees what was asked. */
export type Answers = { readonly [M in AnyMethod]?: Given<M> | ((asked: Asked<M>) => Given<M>) };

/** What was asked, in its order. */
export type Heard = (readonly [method: string, body: unknown])[];

/** An answer that is an error of the API, without reasons. */
export class Failing {
  readonly code: "aborted" | "internal";

  constructor(code: Failing["code"]) {
    this.code = code;
  }
}

/** Puts a gateway with these answers in the place of the real one until the test ends. Gives what it is asked. */
export function answering(answers: Answers): Heard {
  const heard: Heard = [];
  const unanswered: string[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const method = url.split("/").at(-1) ?? "";
    const body: unknown = JSON.parse(init.body as string);
    heard.push([method, body]);
    const known = (answers as Readonly<Record<string, object | ((asked: unknown) => object)>>)[method];
    if (known === undefined) {
      unanswered.push(method);
    }
    const answer = typeof known === "function" ? known(body) : (known ?? new Failing("internal"));
    return globalThis.Response.json(answer, { status: answer instanceof Failing ? 409 : 200 });
  });
  onTestFinished(() => expect(unanswered, "methods without an answer").toEqual([]));
  return heard;
}

/** What one method was asked. */
export function askedOf<M extends AnyMethod>(heard: Heard, method: M): Asked<M>[] {
  return heard.filter(([m]) => m === method).map(([, body]) => body as Asked<M>);
}

/** A refusal with reasons as the gateway words them. Throws for a code that it does not have. */
export function refusal(...codes: string[]): RefusalJson & { readonly reasons: NonNullable<RefusalJson["reasons"]> } {
  return { reasons: codes.map(reason) };
}

/** A file of package access. */
function source(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../../internal/access", name), "utf8");
}

function reason(code: string): NonNullable<RefusalJson["reasons"]>[number] {
  const name = new RegExp(`^\\t(\\w+)\\s+Code = "${code}"`, "m").exec(source("reason.go"))?.[1];
  const text = '\\s*"([^"]*)",?';
  const words = new RegExp(`^\\t${name}:\\s+\\{${text.repeat(4)}\\s*\\}`, "m").exec(source("words.go"));
  if (name === undefined || words === null) {
    throw new Error(`the gateway has no code ${code}`);
  }
  const [, ja = "", helpJa = "", en = "", helpEn = ""] = words;
  return { code, ja, en, helpJa, helpEn };
}

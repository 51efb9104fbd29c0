import { afterEach, expect, test, vi } from "vitest";
import type { NewUserJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { createInParts, PartError } from "./parts.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const users: NewUserJson[] = Array.from({ length: 25 }, (_, i) => ({ userId: `u${i}` }));

/** A gateway that answers the calls before `last`, and that one as `end` does. */
function gateway(last: number, end: () => Promise<Response>): void {
  let calls = 0;
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    calls++;
    if (calls === last) {
      return end();
    }
    const asked = JSON.parse(init.body as string) as { users: NewUserJson[] };
    return Response.json({ slips: asked.users.map((u) => ({ userId: u.userId })) });
  });
}

test("users are created ten at a time, in their order", async () => {
  gateway(0, async () => Response.error());
  const slips: string[] = [];
  const counts: number[] = [];
  await createInParts(users, (s, made) => {
    slips.push(...s.map((x) => x.userId ?? ""));
    counts.push(made);
  });
  expect(slips).toEqual(users.map((u) => u.userId));
  expect(counts).toEqual([10, 20, 25]);
});

test("what was answered before a refusal is kept, and nobody is in doubt", async () => {
  gateway(2, async () =>
    Response.json({ code: "already_exists", message: "", details: [] }, { status: 409, statusText: "Conflict" }),
  );
  const counts: number[] = [];
  const error = await createInParts(users, (_, made) => counts.push(made)).catch((e: unknown) => e);
  expect(counts).toEqual([10]);
  expect(error).toBeInstanceOf(PartError);
  expect(error).toMatchObject({ made: 10, doubtful: [] });
});

test("of those without an answer it is said that nobody knows", async () => {
  gateway(3, async () => Promise.reject(new TypeError("gone")));
  const error = await createInParts(users, () => undefined).catch((e: unknown) => e);
  expect(error).toMatchObject({ made: 20, doubtful: ["u20", "u21", "u22", "u23", "u24"] });
});

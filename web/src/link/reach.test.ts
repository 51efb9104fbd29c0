import { describe, expect, test, vi } from "vitest";
import type { Socket } from "./link.ts";
import { reach } from "./reach.ts";

/** A socket that does what a network makes of it. */
class FakeSocket extends EventTarget {
  binaryType: BinaryType = "blob";
  readonly bufferedAmount = 0;
  readonly claims: number[] = [];
  closed = false;
  answers = true;

  send(data: Uint8Array): void {
    this.claims.push(data.length);
    if (this.answers) {
      this.dispatchEvent(Object.assign(new Event("message"), { data: Uint8Array.of(0x4a, 0x4c, 1, 0).buffer }));
    }
  }
  close(): void {
    this.closed = true;
  }
  opens(): void {
    this.dispatchEvent(new Event("open"));
  }
  fails(): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "", wasClean: false }));
  }
}

type Answer = number | "nothing";

function network(socket: (s: FakeSocket) => void, answer: Answer) {
  const sockets: FakeSocket[] = [];
  const asked: string[] = [];
  const open = (url: string): Socket => {
    asked.push(url);
    const s = new FakeSocket();
    sockets.push(s);
    queueMicrotask(() => socket(s));
    return s as unknown as Socket;
  };
  const fetch = async (url: string | URL | Request): Promise<Response> => {
    asked.push(typeof url === "string" ? url : "?");
    if (answer === "nothing") {
      throw new TypeError("Failed to fetch");
    }
    return { status: answer } as Response;
  };
  return { sockets, asked, config: { host: "gateway.example:8443", open, fetch } };
}

const never = new AbortController().signal;

test("a socket that opens and answers is open, and is closed again", async () => {
  const { config, sockets, asked } = network((s) => s.opens(), 426);
  expect(await reach(config, never)).toBe("open");
  expect(asked).toEqual(["wss://gateway.example:8443/relay/check"]);
  expect(sockets[0]).toMatchObject({ claims: [37], closed: true });
});

describe("when no socket comes about, a plain request tells why", () => {
  test.each<[string, Answer, string]>([
    ["the gateway answers that it wants an upgrade", 426, "blocked"],
    ["the sign-in is over", 401, "signed_out"],
    ["too many ask", 429, "busy"],
    ["the gateway is busy", 503, "busy"],
    ["a proxy's page", 200, "between"],
    ["a proxy's no", 403, "between"],
    ["a proxy that finds no gateway", 502, "between"],
    ["a redirect to a sign-in page", 0, "between"],
    ["nobody answers", "nothing", "unreachable"],
  ])("%s", async (_, answer, found) => {
    const { config, asked } = network((s) => s.fails(), answer);
    expect(await reach(config, never)).toBe(found);
    expect(asked).toEqual(["wss://gateway.example:8443/relay/check", "https://gateway.example:8443/relay/check"]);
  });
});

describe("a network that lets", () => {
  test.each<[string, (s: FakeSocket) => void]>([
    ["the upgrade hang", () => undefined],
    [
      "the upgrade through and no bytes",
      (s) => {
        s.answers = false;
        s.opens();
      },
    ],
  ])("%s is blocked in the end", async (_, does) => {
    const limit = new AbortController();
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    const { config, sockets } = network(does, 426);
    const found = reach(config, never);
    await vi.waitUntil(() => sockets.length === 1);
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(never);
    limit.abort();
    expect(await found).toBe("blocked");
    expect(sockets[0]?.closed).toBe(true);
    vi.restoreAllMocks();
  });
});

test("whoever does not want to know any more is not told", async () => {
  const stop = new AbortController();
  const { config } = network((s) => {
    stop.abort();
    s.fails();
  }, 426);
  await expect(reach(config, stop.signal)).rejects.toThrow();
});

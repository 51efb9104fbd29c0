import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fromHex, readVectors, toHex } from "../vectors/vectors.ts";
import { ClaimError, encodeClaim, parseClaim, parsePaired, type Claim } from "./claim.ts";
import { Channel, codes, connect, Link, LinkError, maxMessage, readyBelow, Side, type Socket } from "./link.ts";

const paired = Uint8Array.of(0x4a, 0x4c, 1, 0);
const ticket = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);

/** A WebSocket whose events the test makes. As strict as a browser about what may be called when. */
class FakeSocket extends EventTarget {
  binaryType: BinaryType = "blob";
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  readonly closes: (number | undefined)[] = [];
  isOpen = false;

  send(data: Uint8Array): void {
    if (!this.isOpen) {
      throw new DOMException("still connecting", "InvalidStateError");
    }
    this.sent.push(data.slice());
  }

  close(code?: number): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException("code", "InvalidAccessError");
    }
    this.closes.push(code);
  }

  opens(): void {
    this.isOpen = true;
    this.dispatchEvent(new Event("open"));
  }

  brings(data: Uint8Array | string): void {
    const copy = typeof data === "string" ? data : data.slice().buffer;
    this.dispatchEvent(Object.assign(new Event("message"), { data: copy }));
  }

  closesWith(code: number, text = ""): void {
    this.dispatchEvent(new Event("error"));
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: text, wasClean: code !== 1006 }));
  }
}

let socket: FakeSocket;

function begin(signal?: AbortSignal): Promise<Link> {
  socket = new FakeSocket();
  return connect({
    url: "wss://gateway.example/relay",
    side: Side.viewer,
    channel: Channel.display,
    ticket,
    ...(signal === undefined ? {} : { signal }),
    open: () => socket as unknown as Socket,
  });
}

async function open(signal?: AbortSignal): Promise<Link> {
  const link = begin(signal);
  socket.opens();
  socket.brings(paired);
  return link;
}

/** The LinkError with which a promise rejects. */
async function reason(p: Promise<unknown>): Promise<LinkError> {
  try {
    await p;
  } catch (e) {
    expect(e).toBeInstanceOf(LinkError);
    return e as LinkError;
  }
  throw new Error("it did not reject");
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  if (vi.getTimerCount() !== 0) {
    throw new Error("a timer is left");
  }
  vi.useRealTimers();
});

describe("vectors", () => {
  function parse(message: string, b: Uint8Array): Claim | undefined {
    if (message === "claim") {
      return parseClaim(b);
    }
    parsePaired(b);
    return undefined;
  }

  for (const v of readVectors("link")) {
    test(v.name, () => {
      const message = v.header.get("message") ?? "";
      const expected = v.header.get("expect");
      if (expected !== "ok") {
        expect(() => parse(message, v.payload)).toThrow(expect.objectContaining({ class: expected }));
        return;
      }
      const claim = parse(message, v.payload);
      if (claim !== undefined) {
        const value = JSON.parse(v.header.get("value") ?? "") as { side: number; channel: number; ticket: string };
        expect({ ...claim, ticket: toHex(claim.ticket) }).toEqual(value);
        expect(encodeClaim({ ...claim, ticket: fromHex(value.ticket) })).toEqual(v.payload);
      }
      for (let n = 0; n < v.payload.length; n++) {
        expect(() => parse(message, v.payload.subarray(0, n))).toThrow(expect.objectContaining({ class: "short" }));
      }
    });
  }

  test("a ticket of another size is not sent", () => {
    expect(() => encodeClaim({ side: Side.viewer, channel: Channel.control, ticket: ticket.subarray(1) })).toThrow(
      ClaimError,
    );
  });
});

describe("connect", () => {
  test("claims when the socket opens, and is there when it is paired", async () => {
    const link = begin();
    expect(socket.sent).toEqual([]);
    expect(socket.binaryType).toBe("arraybuffer");
    socket.opens();
    expect(socket.sent).toEqual([encodeClaim({ side: Side.viewer, channel: Channel.display, ticket })]);
    socket.brings(paired);
    socket.brings(Uint8Array.of(1)); // in the same turn, before anybody waits
    expect(await (await link).receive()).toEqual(Uint8Array.of(1));
  });

  test.each([
    [4001, "badClaim"],
    [4002, "unpaired"],
    [4005, "revoked"],
    [1006, "lost"],
    [4999, "other"],
  ] as const)("is refused with %i", async (code, ending) => {
    const link = begin();
    socket.opens();
    socket.closesWith(code, "why");
    expect(await reason(link)).toMatchObject({ code, ending, reason: "why", remote: true });
  });

  test("ends when the socket never opens", async () => {
    const link = begin();
    socket.closesWith(1006);
    expect((await reason(link)).ending).toBe("lost");
  });

  test("gives up after a while, and sends no claim afterwards", async () => {
    const link = begin();
    const why = reason(link);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await why).toMatchObject({ ending: "unpaired", remote: false });
    socket.opens();
    expect(socket.sent).toEqual([]);
    expect(socket.closes).toEqual([4002]);
  });

  test.each([Uint8Array.of(), Uint8Array.of(0x4a, 0x4c, 2, 0), Uint8Array.of(0x4a, 0x4c, 1, 0, 0)])(
    "refuses the answer %o",
    async (answer) => {
      const link = begin();
      socket.opens();
      socket.brings(answer);
      socket.brings(paired); // too late
      expect((await reason(link)).ending).toBe("badClaim");
    },
  );

  test("wants TLS", async () => {
    const link = connect({ url: "ws://gateway.example/relay", side: Side.viewer, channel: Channel.control, ticket });
    expect((await reason(link)).ending).toBe("protocolError");
  });
});

describe("a link", () => {
  test("delivers in order, each message once, waited for or not", async () => {
    const link = await open();
    const got: number[] = [];
    const first = link.receive();
    for (let i = 0; i < 100; i++) {
      socket.brings(Uint8Array.of(i));
    }
    got.push((await first)[0] ?? -1);
    for (let i = 1; i < 100; i++) {
      got.push((await link.receive())[0] ?? -1);
    }
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => i));
    link.close();
  });

  test("delivers what came before the end, then why it ended", async () => {
    const link = await open();
    socket.brings(Uint8Array.of(1));
    socket.brings(Uint8Array.of()); // an empty message is one
    socket.closesWith(4003);
    socket.brings(Uint8Array.of(9));
    expect(await link.receive()).toEqual(Uint8Array.of(1));
    expect(await link.receive()).toEqual(Uint8Array.of());
    expect((await reason(link.receive())).ending).toBe("peerGone");
    expect((await link.ended).ending).toBe("peerGone");
    expect(() => link.send(Uint8Array.of(1))).toThrow(LinkError);
  });

  test("wakes who waits when it ends", async () => {
    const link = await open();
    const waits = reason(link.receive());
    socket.closesWith(1006);
    expect((await waits).ending).toBe("lost");
  });

  test("takes one receive at a time", async () => {
    const link = await open();
    const first = link.receive();
    await expect(link.receive()).rejects.toThrow("already");
    socket.brings(Uint8Array.of(5));
    expect(await first).toEqual(Uint8Array.of(5));
    link.close();
  });

  test("keeps its first reason", async () => {
    const link = await open();
    link.close(codes.sealFailed, "record 3");
    link.close();
    socket.closesWith(1006);
    expect(await link.ended).toMatchObject({ ending: "sealFailed", remote: false });
    expect(socket.closes[0]).toBe(4010);
  });

  test("closes also with a code that pages may not send", async () => {
    const link = await open();
    link.close(codes.protocolError);
    expect(socket.closes).toEqual([undefined]);
    expect((await link.ended).code).toBe(1002);
  });

  test("refuses text and what is too large", async () => {
    let link = await open();
    socket.brings("text");
    expect((await link.ended).ending).toBe("sealFailed");
    link = await open();
    socket.brings(new Uint8Array(maxMessage));
    socket.brings(new Uint8Array(maxMessage + 1));
    expect((await link.ended).ending).toBe("tooLarge");
    expect(() => link.send(new Uint8Array(1))).toThrow(LinkError);
  });

  test("does not send what is too large", async () => {
    const link = await open();
    expect(() => link.send(new Uint8Array(maxMessage + 1))).toThrow(LinkError);
    link.send(new Uint8Array(maxMessage));
    expect(socket.sent.at(-1)).toHaveLength(maxMessage);
    link.close();
  });

  test("says when there is room, and ends when nothing moves", async () => {
    const link = await open();
    expect(link.ready).toBe(true);
    socket.bufferedAmount = readyBelow;
    expect(link.ready).toBe(false);
    link.send(Uint8Array.of(1)); // it still sends: a sealed record cannot be left out
    socket.bufferedAmount = 1024 * 1024;
    expect(() => link.send(Uint8Array.of(1))).toThrow(LinkError);
    expect((await link.ended).ending).toBe("peerStalled");
  });

  test("holds only so much that nobody receives", async () => {
    const link = await open();
    for (let i = 0; i <= 256; i++) {
      socket.brings(new Uint8Array(maxMessage));
    }
    expect((await link.ended).ending).toBe("peerStalled");
  });

  test("counts empty messages, too", async () => {
    const link = await open();
    for (let i = 0; i <= 65_536; i++) {
      socket.brings(Uint8Array.of());
    }
    expect((await link.ended).ending).toBe("peerStalled");
  });

  test("ends when its signal aborts: before, while connecting, later", async () => {
    expect((await reason(begin(AbortSignal.abort()))).reason).toBe("aborted");
    const control = new AbortController();
    const link = begin(control.signal);
    control.abort();
    expect((await reason(link)).reason).toBe("aborted");
    const later = new AbortController();
    const opened = await open(later.signal);
    later.abort();
    expect(await opened.ended).toMatchObject({ ending: "normal", remote: false });
    expect(socket.closes).toEqual([1000]);
  });

  test("lets go of its signal when it has ended", async () => {
    const control = new AbortController();
    const link = await open(control.signal);
    socket.closesWith(4007);
    await link.ended;
    await Promise.resolve();
    control.abort();
    expect(socket.closes).toEqual([]);
  });
});

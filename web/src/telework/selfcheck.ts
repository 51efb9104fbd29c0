// 持ち帰り前の確認: judges what was measured. Pure; the page measures.
import type { ParseKeys } from "i18next";
import type { GetSelfCheckResponseJson, SelfCheckDeskJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { dayAt } from "../kit/days.ts";
import type { Reach } from "../link/reach.ts";

export type Outcome = "ok" | "warn" | "bad";

/** A text with what is filled in; `place` is itself a key. */
export interface Said {
  readonly key: ParseKeys;
  readonly values?: Readonly<Record<string, string | number>>;
  readonly place?: ParseKeys;
}

/** One line of the result. `name` never changes: the help desk reads it. */
export interface Item {
  readonly name: string;
  readonly title: Said;
  readonly outcome: Outcome;
  readonly value: Said;
  readonly help: ParseKeys;
}

/** What this browser measured. Absent: it could not. */
export interface Measured {
  readonly nowMs: number;
  readonly persisted: boolean;
  /** Milliseconds that the gateway's clock is ahead of this one. */
  readonly clockOffsetMs: number;
  readonly downBitsPerSecond?: number;
  readonly upBitsPerSecond?: number;
  readonly delayMs?: number;
  /** Whether a WebSocket of the relay's kind came about. */
  readonly socket: Reach;
  readonly keyboard: "jis" | "us" | "unknown";
}

const none: ParseKeys = "telework.check.help.none";
const DAY_MS = 86_400_000;

/**
 * The limits. A text page with a new screen is a few hundred kilobytes (docs/PERFORMANCE.md): at 1 Mbit/s it is there
 * in some seconds; below 0.3 Mbit/s typing is felt to lag.
 */
export const limits = {
  goodBits: 1_000_000,
  leastBits: 300_000,
  goodDelayMs: 100,
  mostDelayMs: 300,
  goodLoss: 0.01,
  mostLoss: 0.05,
  clockMs: 10_000,
  mostClockMs: 60_000,
} as const;

/** All lines of the result, in their order. */
export function judge(server: GetSelfCheckResponseJson, m: Measured): Item[] {
  return [
    certificate(server, m),
    storage(server, m),
    clock(m),
    route(server),
    socket(m.socket),
    speed("download", m.downBitsPerSecond),
    speed("upload", m.upBitsPerSecond),
    delay(m.delayMs),
    loss(server),
    ...(server.desks ?? []).map(desk),
    outside(server),
    keyboard(m),
  ];
}

function certificate(server: GetSelfCheckResponseJson, m: Measured): Item {
  const until = millis(server.certificateUntilMs);
  const item = { name: "certificate", title: { key: "telework.check.items.certificate" } } as const;
  if (until === 0) {
    return {
      ...item,
      outcome: "bad",
      value: { key: "telework.check.values.noDevice" },
      help: "telework.check.help.certificateNone",
    };
  }
  const value = { key: "telework.check.values.until", values: { date: shortDateTime(until).slice(0, 10) } } as const;
  const soon = until - m.nowMs < 14 * DAY_MS;
  return { ...item, outcome: soon ? "warn" : "ok", value, help: soon ? "telework.check.help.certificateSoon" : none };
}

function storage(server: GetSelfCheckResponseJson, m: Measured): Item {
  const kept = m.persisted || server.persistentStorage === true;
  return {
    name: "storage",
    title: { key: "telework.check.items.storage" },
    outcome: kept ? "ok" : "warn",
    value: { key: kept ? "telework.check.values.kept" : "telework.check.values.forgets" },
    help: kept ? none : "telework.check.help.storage",
  };
}

function clock(m: Measured): Item {
  const off = Math.abs(m.clockOffsetMs);
  const outcome = off > limits.mostClockMs ? "bad" : off > limits.clockMs ? "warn" : "ok";
  return {
    name: "clock",
    title: { key: "telework.check.items.clock" },
    outcome,
    value:
      outcome === "ok"
        ? { key: "telework.check.values.exact" }
        : { key: "telework.check.values.off", values: { seconds: Math.round(off / 1000) } },
    help: outcome === "ok" ? none : "telework.check.help.clock",
  };
}

function route(server: GetSelfCheckResponseJson): Item {
  const proxied = server.proxied === true;
  return {
    name: "route",
    title: { key: "telework.check.items.route" },
    outcome: "ok",
    value: {
      key: proxied ? "telework.check.values.proxy" : "telework.check.values.direct",
      place: placeKeys[server.place ?? "PLACE_UNSPECIFIED"],
    },
    help: proxied ? "telework.check.help.proxy" : none,
  };
}

/** The transfer of the screen needs a WebSocket, which some proxies stop though they pass all calls. */
function socket(reach: Reach): Item {
  const item = { name: "socket", title: { key: "telework.check.items.socket" } } as const;
  switch (reach) {
    case "open":
      return { ...item, outcome: "ok", value: { key: "telework.check.values.open" }, help: none };
    case "blocked":
      return {
        ...item,
        outcome: "bad",
        value: { key: "telework.check.values.blocked" },
        help: "telework.check.help.blocked",
      };
    case "between":
      return {
        ...item,
        outcome: "bad",
        value: { key: "telework.check.values.between" },
        help: "telework.check.help.between",
      };
    case "unreachable":
    case "busy":
    case "signed_out":
      return { ...item, outcome: "warn", value: notMeasured, help: "telework.check.help.socketAgain" };
  }
}

const notMeasured = { key: "telework.check.values.notMeasured" } as const;

function speed(name: "download" | "upload", bits: number | undefined): Item {
  const item = { name, title: { key: `telework.check.items.${name}` } } as const;
  if (bits === undefined) {
    return { ...item, outcome: "warn", value: notMeasured, help: "telework.check.help.slow" };
  }
  // Keys and the pointer need little: the way up may be a fifth of the way down.
  const share = name === "upload" ? 5 : 1;
  const outcome = bits * share >= limits.goodBits ? "ok" : bits * share >= limits.leastBits ? "warn" : "bad";
  const help =
    outcome === "ok" ? none : outcome === "warn" ? "telework.check.help.slow" : "telework.check.help.tooSlow";
  return {
    ...item,
    outcome,
    value: { key: "telework.check.values.speed", values: { amount: (bits / 1e6).toFixed(1) } },
    help,
  };
}

function delay(ms: number | undefined): Item {
  const item = { name: "delay", title: { key: "telework.check.items.delay" } } as const;
  if (ms === undefined) {
    return { ...item, outcome: "warn", value: notMeasured, help: "telework.check.help.slow" };
  }
  const outcome = ms <= limits.goodDelayMs ? "ok" : ms <= limits.mostDelayMs ? "warn" : "bad";
  return {
    ...item,
    outcome,
    value: { key: "telework.check.values.ms", values: { ms: Math.round(ms) } },
    help: outcome === "ok" ? none : "telework.check.help.slow",
  };
}

function loss(server: GetSelfCheckResponseJson): Item {
  const item = { name: "loss", title: { key: "telework.check.items.loss" } } as const;
  const sent = server.sentSegments ?? 0;
  if (sent === 0) {
    return { ...item, outcome: "ok", value: notMeasured, help: none };
  }
  const share = (server.retransmittedSegments ?? 0) / sent;
  const outcome = share <= limits.goodLoss ? "ok" : share <= limits.mostLoss ? "warn" : "bad";
  return {
    ...item,
    outcome,
    value: { key: "telework.check.values.percent", values: { percent: (share * 100).toFixed(1) } },
    help: outcome === "ok" ? none : "telework.check.help.loss",
  };
}

function desk(d: SelfCheckDeskJson): Item {
  const on = d.state === "DESK_STATE_ON" || d.state === "DESK_STATE_IN_SESSION";
  const outcome = on ? "ok" : d.wakeable === true ? "ok" : "warn";
  return {
    name: `desk ${d.name ?? ""}`,
    title: { key: "telework.check.items.desk", values: { name: d.name ?? "" } },
    outcome,
    value: {
      key: on
        ? "telework.check.values.on"
        : d.wakeable === true
          ? "telework.check.values.wakeable"
          : "telework.check.values.unreachable",
    },
    help: outcome === "ok" ? none : "telework.check.help.deskOff",
  };
}

function outside(server: GetSelfCheckResponseJson): Item {
  const last = millis(server.outsideMs);
  return {
    name: "outside",
    title: { key: "telework.check.items.outside" },
    outcome: last === 0 ? "warn" : "ok",
    value:
      last === 0
        ? { key: "telework.check.values.never" }
        : { key: "telework.check.values.last", values: { time: dayAt(last) } },
    help: last === 0 ? "telework.check.help.outside" : none,
  };
}

function keyboard(m: Measured): Item {
  return {
    name: "keyboard",
    title: { key: "telework.check.items.keyboard" },
    outcome: "ok",
    value: { key: `telework.check.values.${m.keyboard}` },
    help: m.keyboard === "us" ? "telework.check.help.keyboardUs" : none,
  };
}

// The general part of the policy while it is filled in. Pure.
import type { PolicyJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { clock, readClock } from "../kit/days.ts";

/** What is typed. */
export interface General {
  readonly employments: string;
  readonly start: string;
  readonly end: string;
  readonly breakStart: string;
  readonly breakEnd: string;
  readonly maxOffice: number;
  readonly gapMinutes: number;
  readonly wakeByPlan: boolean;
  readonly wakeLead: number;
  readonly wakeStagger: number;
  readonly mailServer: string;
  readonly mailTls: string;
  readonly mailUser: string;
  readonly mailFrom: string;
  readonly mailDigest: number;
}

/** The fields that the policy stands for. */
export function generalOf(p: PolicyJson): General {
  const { hours = {}, mail = {} } = p;
  return {
    employments: (p.employments ?? []).map((e) => `${e.id ?? ""} ${e.name ?? ""}`).join("\n"),
    start: clock(hours.startMinute ?? 0),
    end: clock(hours.endMinute ?? 0),
    breakStart: clock(hours.breakStartMinute ?? 0),
    breakEnd: clock(hours.breakEndMinute ?? 0),
    maxOffice: p.maxOfficeSessions ?? 0,
    gapMinutes: p.gapLimitMinutes ?? 0,
    wakeByPlan: p.wakeByPlan ?? false,
    wakeLead: p.wakeLeadMinutes ?? 0,
    wakeStagger: p.wakeStaggerMs ?? 0,
    mailServer: mail.server ?? "",
    mailTls: mail.tls ?? "starttls",
    mailUser: mail.user ?? "",
    mailFrom: mail.from ?? "",
    mailDigest: mail.digestMinutes ?? 0,
  };
}

const employmentLine = /^([a-z0-9._-]{1,32})[ \u3000]+(\S.{0,63})$/;

/** The fields that cannot stay as they are. */
export function generalErrors(g: General): ReadonlySet<keyof General> {
  const errors = new Set<keyof General>();
  if (lines(g.employments).some((l) => !employmentLine.test(l))) {
    errors.add("employments");
  }
  for (const f of ["start", "end", "breakStart", "breakEnd"] as const) {
    if (readClock(g[f]) === null) {
      errors.add(f);
    }
  }
  return errors;
}

/** The policy with what was typed; what has no field stays as it was. */
export function policyWith(p: PolicyJson, g: General): PolicyJson {
  return {
    ...p,
    employments: lines(g.employments).map((l) => {
      const [, id = "", name = ""] = employmentLine.exec(l) ?? [];
      return { id, name: name.trim() };
    }),
    hours: {
      startMinute: readClock(g.start) ?? 0,
      endMinute: readClock(g.end) ?? 0,
      breakStartMinute: readClock(g.breakStart) ?? 0,
      breakEndMinute: readClock(g.breakEnd) ?? 0,
    },
    maxOfficeSessions: g.maxOffice,
    gapLimitMinutes: g.gapMinutes,
    wakeByPlan: g.wakeByPlan,
    wakeLeadMinutes: g.wakeLead,
    wakeStaggerMs: g.wakeStagger,
    mail: {
      ...p.mail,
      server: g.mailServer.trim(),
      tls: g.mailTls,
      user: g.mailUser.trim(),
      from: g.mailFrom.trim(),
      digestMinutes: g.mailDigest,
    },
  };
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((l) => l.trim())
    .filter((l) => l !== "");
}

// The settings as a form has them: minutes and hours instead of seconds, networks as lines.
import type { TFunction } from "i18next";
import { z } from "zod";
import type { SettingsJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { KeyGradeJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { isName } from "./roster.ts";

/** What the form holds. Numbers are as typed. */
export interface SettingsFields {
  readonly organisationName: string;
  readonly address: string;
  readonly officeNetworks: string;
  readonly satelliteNetworks: string;
  readonly idleMinutes: number | string;
  readonly graceSeconds: number | string;
  readonly sessionHours: number | string;
  readonly signInHours: number | string;
  readonly maxSessions: number | string;
  readonly approvalRequired: boolean;
  readonly totpRequiredOutside: boolean;
  readonly privateDevices: boolean;
  readonly officeSessions: boolean;
  readonly requireLockable: boolean;
  readonly clipboardInternet: boolean;
  readonly emergency: boolean;
  readonly worstGrade: string;
  readonly watermark: string;
}

const MINUTE = 60;
const HOUR = 3600;
const LONGEST_WATERMARK = 400;

/** The form of settings. Absent fields of JSON are zero, false or empty. */
export function fieldsOf(s: SettingsJson): SettingsFields {
  return {
    organisationName: s.organisationName ?? "",
    address: s.address ?? "",
    officeNetworks: (s.officeNetworks ?? []).join("\n"),
    satelliteNetworks: (s.satelliteNetworks ?? []).join("\n"),
    idleMinutes: (s.idleS ?? 0) / MINUTE,
    graceSeconds: s.graceS ?? 0,
    sessionHours: (s.sessionMaxS ?? 0) / HOUR,
    signInHours: (s.signInMaxS ?? 0) / HOUR,
    maxSessions: s.maxSessions ?? 0,
    approvalRequired: s.approvalRequired ?? false,
    totpRequiredOutside: s.totpRequiredOutside ?? false,
    privateDevices: s.privateDevices ?? false,
    officeSessions: s.officeSessions ?? false,
    requireLockable: s.requireLockable ?? false,
    clipboardInternet: s.clipboardInternet ?? false,
    emergency: s.emergency ?? false,
    worstGrade: s.worstGrade ?? "KEY_GRADE_FILE",
    watermark: s.watermark ?? "",
  };
}

/** The settings of a form that is valid. */
export function settingsOf(f: SettingsFields): SettingsJson {
  return {
    organisationName: f.organisationName.trim(),
    address: f.address.trim().replace(/\/+$/, ""),
    officeNetworks: lines(f.officeNetworks),
    satelliteNetworks: lines(f.satelliteNetworks),
    idleS: Math.round(Number(f.idleMinutes) * MINUTE),
    graceS: Number(f.graceSeconds),
    sessionMaxS: Math.round(Number(f.sessionHours) * HOUR),
    signInMaxS: Math.round(Number(f.signInHours) * HOUR),
    maxSessions: Number(f.maxSessions),
    approvalRequired: f.approvalRequired,
    totpRequiredOutside: f.totpRequiredOutside,
    privateDevices: f.privateDevices,
    officeSessions: f.officeSessions,
    requireLockable: f.requireLockable,
    clipboardInternet: f.clipboardInternet,
    emergency: f.emergency,
    worstGrade: f.worstGrade as KeyGradeJson,
    watermark: f.watermark,
  };
}

/** A rule that keeps people out who could come in before. */
export type LockOut = "totp" | "approval";

/** Which rules a change switches on that lock people out. An emergency lifts the need of an approval. */
export function lockOuts(before: SettingsFields, after: SettingsFields): LockOut[] {
  const asks = (f: SettingsFields): boolean => f.approvalRequired && !f.emergency;
  const out: LockOut[] = [];
  if (after.totpRequiredOutside && !before.totpRequiredOutside) {
    out.push("totp");
  }
  if (asks(after) && !asks(before)) {
    out.push("approval");
  }
  return out;
}

/** What the gateway will accept. */
export function settingsFields(t: TFunction) {
  const number = (low: number, high: number, whole = true) =>
    z.union([z.number(), z.string()]).refine(
      (v) => {
        const n = Number(v);
        return v !== "" && Number.isFinite(n) && n >= low && n <= high && (!whole || Number.isInteger(n));
      },
      t("console.settings.numberBad", { low, high }),
    );
  const networks = z.string().check((c) => {
    const bad = lines(c.value).find((l) => !isNetwork(l));
    if (bad !== undefined) {
      c.issues.push({ code: "custom", message: t("console.settings.networkBad", { value: bad }), input: c.value });
    }
  });
  return z.object({
    organisationName: z.string().refine((s) => isName(s.trim()), t("console.settings.organisationNameBad")),
    address: z.string().refine((s) => s.trim() === "" || isAddress(s.trim()), t("console.settings.addressBad")),
    officeNetworks: networks,
    satelliteNetworks: networks,
    idleMinutes: number(0, 24 * 60),
    graceSeconds: number(0, 600),
    sessionHours: number(1, 24),
    signInHours: number(1, 24),
    maxSessions: number(0, 100_000),
    watermark: z
      .string()
      .refine((s) => new TextEncoder().encode(s).length <= LONGEST_WATERMARK, t("console.settings.watermarkBad")),
  });
}

function lines(text: string): string[] {
  return text.split(/\s+/).filter((l) => l !== "");
}

/** https://host or https://host:port, and nothing behind it. */
export function isAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return (
    url !== null &&
    url.protocol === "https:" &&
    url.host !== "" &&
    /^\/*$/.test(url.pathname) &&
    !/[?#@]/.test(text) &&
    url.username === ""
  );
}

/** An address and a length of 1 or more, with no bit set behind the length: the gateway refuses others. */
export function isNetwork(text: string): boolean {
  const match = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text);
  if (match === null) {
    return false;
  }
  const bytes = addressBytes(match[1] ?? "");
  const length = Number(match[2]);
  if (bytes === null || length < 1 || length > bytes.length * 8) {
    return false;
  }
  return bytes.every((b, i) => (b & (0xff >> Math.min(8, Math.max(0, length - i * 8)))) === 0);
}

function addressBytes(text: string): number[] | null {
  if (!text.includes(":")) {
    const parts = text.split(".");
    if (parts.length !== 4 || parts.some((p) => !/^(0|[1-9]\d{0,2})$/.test(p) || Number(p) > 255)) {
      return null;
    }
    return parts.map(Number);
  }
  const halves = text.split("::");
  if (halves.length > 2 || text.includes(".")) {
    return null;
  }
  const groups = halves.map((h) => (h === "" ? [] : h.split(":")));
  const given = groups.flat();
  if (given.some((g) => !/^[0-9a-fA-F]{1,4}$/.test(g))) {
    return null;
  }
  const missing = 8 - given.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) {
    return null;
  }
  const all = [
    ...(groups[0] ?? []),
    ...Array<string>(halves.length === 1 ? 0 : missing).fill("0"),
    ...(groups[1] ?? []),
  ];
  return all.flatMap((g) => [Number.parseInt(g, 16) >> 8, Number.parseInt(g, 16) & 0xff]);
}

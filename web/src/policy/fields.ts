// The fields of a policy rule, one table for the form, the list and the why page.
import type { ParseKeys, TFunction } from "i18next";
import type { PolicyRuleJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { listing } from "../kit/format.ts";
import type { Language } from "../kit/i18n.ts";
import { clock, readClock } from "../kit/days.ts";

const allow = ["ALLOW_YES", "ALLOW_NO"] as const;

/** The fields with one choice out of some. */
export const choiceFields = {
  telework: allow,
  approval: ["APPROVAL_NEED_ALWAYS", "APPROVAL_NEED_OUTSIDE_HOURS", "APPROVAL_NEED_NEVER"],
  atEnd: ["AT_END_NOTHING", "AT_END_WARN", "AT_END_END"],
  night: allow,
  daysOff: allow,
  secondFactor: ["SECOND_FACTOR_NEED_NEVER", "SECOND_FACTOR_NEED_OUTSIDE"],
  clipboard: allow,
  office: allow,
  onBreak: ["ON_BREAK_NOTHING", "ON_BREAK_LOCK"],
  powerAfter: ["POWER_AFTER_LEAVE", "POWER_AFTER_SLEEP", "POWER_AFTER_SHUT_DOWN"],
  registration: allow,
  personalData: allow,
  afterFact: allow,
} as const satisfies Partial<Record<keyof PolicyRuleJson, readonly string[]>>;

export type ChoiceField = keyof typeof choiceFields;

/** The fields with several choices. */
export const setFields = {
  viewers: ["VIEWER_KIND_BROWSER", "VIEWER_KIND_NATIVE"],
  devices: ["DEVICE_KIND_LENT", "DEVICE_KIND_PRIVATE"],
} as const satisfies Partial<Record<keyof PolicyRuleJson, readonly string[]>>;

export type SetField = keyof typeof setFields;

type ValueKey = (typeof choiceFields)[ChoiceField][number] | (typeof setFields)[SetField][number];

type Choice = (typeof choiceFields)[ChoiceField][number];

/** The key of a choice's words. The registration is needed or not; nobody is allowed it. */
export function choiceKey(field: ChoiceField, value: Choice): ParseKeys {
  if (field === "registration") {
    return value === "ALLOW_YES" ? "policy.policy.needed" : "policy.policy.notNeeded";
  }
  return `policy.value.${value}`;
}

/** The name of a field and what it is set to. */
export interface Told {
  readonly name: string;
  readonly value: string;
}

/** What a rule says, field by field, in words. */
export function tell(t: TFunction, language: Language, rule: PolicyRuleJson): Told[] {
  const told: Told[] = [];
  for (const field of Object.keys(choiceFields) as ChoiceField[]) {
    const value = rule[field];
    if (value !== undefined && !value.endsWith("_UNSPECIFIED")) {
      told.push({ name: t(`policy.field.${field}`), value: t(choiceKey(field, value as Choice)) });
    }
  }
  for (const field of Object.keys(setFields) as SetField[]) {
    const values = rule[field] ?? [];
    if (values.length > 0) {
      told.push({
        name: t(`policy.field.${field}`),
        value: listing(
          values.map((v) => t(`policy.value.${v as ValueKey}`)),
          language,
        ),
      });
    }
  }
  if ((rule.idleS ?? 0) > 0) {
    told.push({
      name: t("policy.field.idleS"),
      value: t("policy.value.minutes", { count: Math.floor((rule.idleS ?? 0) / 60) }),
    });
  }
  if ((rule.daysPerWeek ?? 0) > 0) {
    told.push({ name: t("policy.field.daysPerWeek"), value: perWeek(t, rule.daysPerWeek ?? 0) });
  }
  if (rule.applySet === true) {
    told.push({ name: t("policy.field.apply"), value: latest(t, rule) });
  }
  if (rule.watermark) {
    told.push({ name: t("policy.field.watermark"), value: rule.watermark });
  }
  return told;
}

function perWeek(t: TFunction, days: number): string {
  return days >= 7 ? t("policy.value.noLimit") : t("policy.value.days", { count: days });
}

function latest(t: TFunction, rule: PolicyRuleJson): string {
  const time = clock(rule.applyMinute ?? 0);
  return (rule.applyDaysBefore ?? 0) === 0
    ? t("policy.value.applyToday", { time })
    : t("policy.value.apply", { days: rule.applyDaysBefore ?? 0, time });
}

const known = new Set<string>([
  ...Object.values(choiceFields).flat(),
  ...Object.values(setFields).flat(),
  "VIEWER_KIND_HEADLESS",
]);

/**
 * A value of the why page in words, as its field needs it: names of the API as far as they are known, anything else as
 * it is.
 */
export function valueWords(t: TFunction, name: string, value: string): string {
  if (name === "idle_s") {
    return value === "0"
      ? t("policy.value.noLimit")
      : t("policy.value.minutes", { count: Math.floor(Number(value) / 60) });
  }
  if (name === "registration" && (value === "ALLOW_YES" || value === "ALLOW_NO")) {
    return t(choiceKey("registration", value));
  }
  if (name === "days_per_week") {
    return perWeek(t, Number(value));
  }
  const [, days = "", minute = ""] = name.startsWith("apply") ? (/^(\d+) (\d+:\d\d)$/.exec(value) ?? []) : [];
  if (days !== "") {
    return latest(t, { applyDaysBefore: Number(days), applyMinute: readClock(minute) ?? 0 });
  }
  return value
    .split(/[ ,]+/)
    .map((v) => (known.has(v) ? t(`policy.value.${v as ValueKey}`) : v))
    .join(" ");
}

/** The words of a field of PolicyRule as the API writes it (`at_end`). */
export function fieldWords(t: TFunction, name: string): string {
  const camel = name.replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase());
  const key = camel === "applyDaysBefore" || camel === "applyMinute" || camel === "applySet" ? "apply" : camel;
  const all: readonly string[] = [
    ...Object.keys(choiceFields),
    ...Object.keys(setFields),
    "idleS",
    "watermark",
    "daysPerWeek",
    "apply",
  ];
  return all.includes(key) ? t(`policy.field.${key as ChoiceField}`) : name;
}

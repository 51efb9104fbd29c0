import { Button, Chip, TextInput } from "@mantine/core";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { languageOf } from "../kit/i18n.ts";
import { IconButton } from "../kit/parts.tsx";
import { addDays, weekdayWord } from "../kit/days.ts";
import { useDay } from "../kit/today.ts";
import { lineProblem, newLine, type HoursLine } from "./dated.ts";

interface HoursFieldsProps {
  readonly lines: readonly HoursLine[];
  readonly set: (lines: readonly HoursLine[]) => void;
  readonly showErrors: boolean;
}

/** The dated working hours of one user. */
export function HoursFields({ lines, set, showErrors }: HoursFieldsProps): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  return (
    <fieldset className="fieldset">
      <legend>{t("policy.staff.hours")}</legend>
      <p className="hint">{t("policy.staff.hoursHelp")}</p>
      {lines.map((line, i) => (
        <Line
          key={line.key}
          line={line}
          number={i + 1}
          error={showErrors && lineProblem(line)}
          change={(to) => set(lines.map((l) => (l.key === line.key ? { ...l, ...to } : l)))}
          remove={() => set(lines.filter((l) => l.key !== line.key))}
        />
      ))}
      <Button variant="outline" size="sm" onClick={() => set([...lines, newLine(lines, today)])}>
        {t("policy.staff.addHours")}
      </Button>
    </fieldset>
  );
}

interface LineProps {
  readonly line: HoursLine;
  readonly number: number;
  readonly error: boolean;
  readonly change: (to: Partial<HoursLine>) => void;
  readonly remove: () => void;
}

/** A Monday: only its weekday counts. */
const MONDAY = "2026-11-23";

function Line({ line, number, error, change, remove }: LineProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const row = t("policy.staff.row", { number });
  return (
    <div className="dated">
      <div className="row">
        <TextInput
          size="sm"
          type="date"
          label={t("policy.staff.from")}
          value={line.from}
          onChange={(e) => change({ from: e.currentTarget.value })}
          error={error && line.from === ""}
        />
        <TextInput
          size="sm"
          label={t("policy.staff.note")}
          value={line.note}
          maxLength={100}
          onChange={(e) => change({ note: e.currentTarget.value })}
        />
        <IconButton icon="close" name={t("policy.staff.removeHours", { number })} onClick={remove} />
      </div>
      <Chip.Group
        multiple
        value={line.weekdays.map(String)}
        onChange={(v: string[]) => change({ weekdays: v.map(Number) })}
      >
        <fieldset className="fieldset row" aria-label={`${row} ${t("policy.staff.weekdays")}`}>
          {[0, 1, 2, 3, 4, 5, 6].map((w) => (
            <Chip key={w} value={String(w)} size="sm">
              {weekdayWord(addDays(MONDAY, w), languageOf(i18n))}
            </Chip>
          ))}
        </fieldset>
      </Chip.Group>
      <div className="row">
        {(["start", "end", "breakStart", "breakEnd"] as const).map((f) => (
          <TextInput
            key={f}
            size="sm"
            className="clock"
            label={t(`policy.policy.${f}`)}
            value={line[f]}
            onChange={(e) => change({ [f]: e.currentTarget.value })}
            error={error}
          />
        ))}
      </div>
    </div>
  );
}

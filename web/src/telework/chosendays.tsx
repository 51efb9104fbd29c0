import { Button, NativeSelect, TextInput } from "@mantine/core";
import type { Dispatch, JSX, SetStateAction } from "react";
import { useTranslation } from "react-i18next";
import type { DayUnitJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { languageOf } from "../kit/i18n.ts";
import { IconButton } from "../kit/parts.tsx";
import { dayWords } from "../kit/days.ts";
import { changeDay, hoursProblem, toggleDay, type ChosenDay, type Filled } from "./draft.ts";
import { unitKeys } from "./enums.ts";

interface ChosenDaysProps {
  readonly filled: Filled;
  readonly change: Dispatch<SetStateAction<Filled>>;
  readonly showErrors: boolean;
}

const units = [
  "DAY_UNIT_FULL",
  "DAY_UNIT_MORNING",
  "DAY_UNIT_AFTERNOON",
  "DAY_UNIT_HOURS",
] as const satisfies readonly DayUnitJson[];

/** The chosen days, each with its unit, hours and leave. */
export function ChosenDays({ filled, change, showErrors }: ChosenDaysProps): JSX.Element {
  const { t } = useTranslation();
  const [first] = filled.days;
  const mixed = filled.days.some((d) => d.unit !== first?.unit || d.from !== first.from || d.until !== first.until);
  return (
    <div className="stack-tight">
      <p className="hint" aria-live="polite">
        {t("telework.form.selected", { count: filled.days.length })}
      </p>
      <ul className="chosen-days">
        {filled.days.map((day) => (
          <ChosenDayRow key={day.date} day={day} filled={filled} change={change} showErrors={showErrors} />
        ))}
      </ul>
      {mixed && first !== undefined ? (
        <Button
          variant="subtle"
          size="sm"
          onClick={() =>
            change((f) => ({
              ...f,
              days: f.days.map((d) => ({ ...d, unit: first.unit, from: first.from, until: first.until })),
            }))
          }
        >
          {t("telework.form.sameForAll")}
        </Button>
      ) : null}
    </div>
  );
}

interface RowProps extends ChosenDaysProps {
  readonly day: ChosenDay;
}

function ChosenDayRow({ day, change, showErrors }: RowProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const words = dayWords(day.date, languageOf(i18n));
  const set = (to: Partial<ChosenDay>): void => change((f) => changeDay(f, day.date, to));
  const problem = showErrors ? hoursProblem(day) : null;
  return (
    <li className="chosen-day">
      <span>{words}</span>
      <NativeSelect
        size="sm"
        aria-label={`${words} ${t("telework.form.unit")}`}
        value={day.unit}
        onChange={(e) => set({ unit: e.currentTarget.value as DayUnitJson })}
        data={units.map((u) => ({ value: u, label: t(unitKeys[u]) }))}
      />
      <div className="chosen-hours">
        {day.unit === "DAY_UNIT_HOURS" ? (
          <>
            <TextInput
              size="sm"
              aria-label={`${words} ${t("telework.form.from")}`}
              value={day.from}
              placeholder="8:30"
              onChange={(e) => set({ from: e.currentTarget.value })}
              error={problem !== null}
            />
            ～
            <TextInput
              size="sm"
              aria-label={`${words} ${t("telework.form.until")}`}
              value={day.until}
              placeholder="12:00"
              onChange={(e) => set({ until: e.currentTarget.value })}
              error={problem !== null}
            />
          </>
        ) : null}
        <Leave day={day} words={words} onChange={(leave) => set({ leave })} />
        {problem === null ? null : (
          <p className="field-error">
            {t(problem === "clock" ? "telework.form.clockWrong" : "telework.form.clockOrder")}
          </p>
        )}
      </div>
      <IconButton
        icon="close"
        name={t("telework.form.remove", { day: words })}
        onClick={() => change((f) => toggleDay(f, day.date))}
      />
    </li>
  );
}

interface LeaveProps {
  readonly day: ChosenDay;
  readonly words: string;
  readonly onChange: (minutes: number) => void;
}

/** Hourly leave of the same day, in whole hours. */
function Leave({ day, words, onChange }: LeaveProps): JSX.Element {
  const { t } = useTranslation();
  const label = t("telework.form.leave");
  return (
    <label className="row">
      <span className="hint">{label}</span>
      <NativeSelect
        size="sm"
        aria-label={`${words} ${label}`}
        value={String(day.leave)}
        onChange={(e) => onChange(Number(e.currentTarget.value))}
        data={[0, 60, 120, 180, 240, 300, 360, 420].map((m) => ({
          value: String(m),
          label: m === 0 ? t("telework.form.leaveNone") : t("telework.form.leaveHours", { hours: m / 60 }),
        }))}
      />
    </label>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useId, useRef, useState, type JSX, type KeyboardEvent } from "react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import type { CalendarDayJson, DayRequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { languageOf } from "../kit/i18n.ts";
import { IconButton } from "../kit/parts.tsx";
import { addDays, addMonths, dayWords, monthOf, monthWords, weekdayWord, weeksOf } from "../kit/days.ts";
import { requestStateKeys } from "./enums.ts";
import { calendarQuery } from "./queries.ts";

interface DayPickerProps {
  readonly today: string;
  readonly chosen: ReadonlySet<string>;
  readonly onToggle: (day: string) => void;
  /** Whose calendar; empty: my own. */
  readonly userId: string;
  /** The request that is being changed: its days do not count as requested. */
  readonly except: string;
}

const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

/**
 * A month in which days are chosen by pressing them. Arrow keys go from day to day, PageUp and PageDown from month to
 * month.
 */
export function DayPicker({ today, chosen, onToggle, userId, except }: DayPickerProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const [month, setMonth] = useState(monthOf([...chosen].toSorted()[0] ?? today));
  const [at, setAt] = useState([...chosen].toSorted()[0] ?? today);
  const weeks = weeksOf(month);
  const { data } = useQuery({
    ...calendarQuery(weeks[0]?.[0] ?? today, weeks.at(-1)?.[6] ?? today, userId),
    placeholderData: (old) => old,
  });
  const known = new Map((data ?? []).map((d) => [d.date, d]));
  const grid = useRef<HTMLTableElement>(null);
  const go = (day: string): void => {
    setAt(day);
    setMonth(monthOf(day));
    requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus());
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    const by = moves[e.key];
    if (by !== undefined) {
      go(addDays(at, by));
    } else if (e.key === "PageUp") {
      go(`${addMonths(month, -1)}-01`);
    } else if (e.key === "PageDown") {
      go(`${addMonths(month, 1)}-01`);
    } else {
      return;
    }
    e.preventDefault();
  };
  const id = useId();
  return (
    <div className="days">
      <div className="days-head">
        <IconButton
          icon="down"
          way="back"
          name={t("telework.form.monthPrevious")}
          onClick={() => setMonth(addMonths(month, -1))}
        />
        <p id={id} aria-live="polite">
          {monthWords(month, languageOf(i18n))}
        </p>
        <IconButton
          icon="down"
          way="on"
          name={t("telework.form.monthNext")}
          onClick={() => setMonth(addMonths(month, 1))}
        />
      </div>
      <table ref={grid} aria-labelledby={id}>
        <thead>
          <tr>
            {(weeks[0] ?? []).map((day) => (
              <th key={day} scope="col">
                {weekdayWord(day, languageOf(i18n))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <td key={day}>
                  <Day
                    day={day}
                    known={known.get(day)}
                    other={monthOf(day) !== month}
                    chosen={chosen.has(day)}
                    reachable={day === (monthOf(at) === month ? at : `${month}-01`)}
                    except={except}
                    onKeyDown={onKeyDown}
                    onToggle={() => {
                      setAt(day);
                      onToggle(day);
                    }}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="legend" aria-hidden="true">
        <li className="chosen">{t("telework.form.legendChosen")}</li>
        <li className="approved">{t("telework.form.legendApproved")}</li>
        <li className="pending">{t("telework.form.legendPending")}</li>
        <li className="closed">{t("telework.form.legendClosed")}</li>
      </ul>
    </div>
  );
}

interface DayProps {
  readonly day: string;
  readonly known: CalendarDayJson | undefined;
  readonly other: boolean;
  readonly chosen: boolean;
  readonly reachable: boolean;
  readonly except: string;
  readonly onKeyDown: (e: KeyboardEvent) => void;
  readonly onToggle: () => void;
}

function Day({ day, known, other, chosen, reachable, except, onKeyDown, onToggle }: DayProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const words = dayWords(day, languageOf(i18n));
  const request = (known?.requests ?? []).find(
    (r) =>
      r.requestId !== except &&
      r.kind !== "REQUEST_KIND_OVERTIME_ORDER" &&
      (r.state === "REQUEST_STATE_APPROVED" || r.state === "REQUEST_STATE_PENDING"),
  );
  const closed = known !== undefined && known.open !== true;
  const shape =
    request === undefined
      ? closed
        ? "day-closed"
        : ""
      : request.state === "REQUEST_STATE_APPROVED"
        ? "day-approved"
        : "day-pending";
  const state = request === undefined ? "" : t(requestStateKeys[request.state ?? "REQUEST_STATE_UNSPECIFIED"]);
  const label = dayLabel(t, { words, chosen, closed, request, state, holiday: known?.holiday ?? "" });
  return (
    <button
      type="button"
      className={`day ${shape} ${other ? "day-other" : ""}`}
      aria-pressed={chosen}
      tabIndex={reachable ? 0 : -1}
      onClick={onToggle}
      onKeyDown={onKeyDown}
    >
      <span className="visually-hidden">{label}</span>
      <span aria-hidden="true">{Number(day.slice(8))}</span>
      <small aria-hidden="true">{request === undefined ? (known?.holiday ?? "") : state}</small>
    </button>
  );
}

interface Label {
  readonly words: string;
  readonly chosen: boolean;
  readonly closed: boolean;
  readonly request: DayRequestJson | undefined;
  readonly state: string;
  readonly holiday: string;
}

function dayLabel(t: TFunction, { words, chosen, closed, request, state, holiday }: Label): string {
  if (chosen) {
    return t("telework.form.dayChosen", { day: words });
  }
  if (request !== undefined) {
    return t("telework.form.dayRequested", { day: words, state });
  }
  return closed ? t("telework.form.dayClosed", { day: words, holiday }) : t("telework.form.dayOpen", { day: words });
}

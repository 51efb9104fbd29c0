import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { MINUTE } from "../kit/today.ts";
import type { SegmentKindJson, WorkdayJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Failed, IconButton, Needed, PageTitle, Refused, Section, Waiting } from "../kit/parts.tsx";
import { linesOf, linesProblem, segmentsOf, type Line } from "./corrected.ts";
import { fullDay, timeAt } from "../kit/days.ts";
import { segmentKeys } from "./enums.ts";
import { Segments } from "./month.tsx";
import "./telework.css";

const route = getRouteApi("/signed-in/workdays/$date");

/** One workday of mine: what was done, corrections, connections. */
export function WorkdayPage(): JSX.Element {
  const { t, i18n } = useTranslation();
  const { date } = route.useParams();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["workday", date],
    queryFn: async ({ signal }) => (await call("TeleworkService", "GetWorkday", { date }, signal)).workday ?? null,
    staleTime: 0,
    refetchInterval: MINUTE,
  });
  return (
    <div className="content">
      <PageTitle>{t("telework.day.title", { day: fullDay(date, languageOf(i18n)) })}</PageTitle>
      {isPending ? <Waiting lines={4} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === null ? <p>{t("telework.day.none")}</p> : null}
      {data ? (
        <>
          <Done key={`done ${data.done ?? ""}`} workday={data} />
          <Section title={t("telework.day.segments")}>
            <Correct key={JSON.stringify(data.segments)} workday={data} />
          </Section>
          <Connections workday={data} />
          <Corrections workday={data} />
        </>
      ) : null}
      <p>
        <Link to="/workdays">{t("telework.day.back")}</Link>
      </p>
    </div>
  );
}

function Done({ workday }: { readonly workday: WorkdayJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [done, setDone] = useState(workday.done ?? "");
  const save = useMutation({
    mutationFn: async () => call("TeleworkService", "SaveDone", { date: workday.date ?? "", done }),
    onSuccess: async () => {
      notifications.show({ message: t("telework.day.savedDone"), color: "green", role: "status" });
      await client.invalidateQueries({
        predicate: (q) => ["workday", "month", "today"].includes(String(q.queryKey[0])),
      });
    },
  });
  return (
    <div className="stack-tight">
      <Textarea
        label={t("telework.day.done")}
        value={done}
        onChange={(e) => setDone(e.currentTarget.value)}
        autosize
        minRows={3}
        maxLength={2000}
      />
      {save.error === null ? null : <Failed error={save.error} />}
      <div className="row row-end">
        <Button variant="outline" loading={save.isPending} onClick={() => save.mutate()}>
          {t("telework.day.saveDone")}
        </Button>
      </div>
    </div>
  );
}

function Correct({ workday }: { readonly workday: WorkdayJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [lines, setLines] = useState(linesOf(workday.segments ?? []));
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const problem = linesProblem(lines);
  const correct = useMutation({
    mutationFn: async () =>
      call("TeleworkService", "CorrectWorkday", {
        date: workday.date ?? "",
        segments: segmentsOf(lines, workday.date ?? ""),
        reason: reason.trim(),
      }),
    onSuccess: async (answer) => {
      if (answer.workday === undefined) {
        return;
      }
      notifications.show({ message: t("telework.day.saved"), color: "green", role: "status" });
      await client.invalidateQueries({
        predicate: (q) => ["workday", "month", "today"].includes(String(q.queryKey[0])),
      });
    },
  });
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (problem === null && reason.trim() !== "") {
      correct.mutate();
    }
  };
  const change = (key: number, to: Partial<Line>): void =>
    setLines(lines.map((l) => (l.key === key ? { ...l, ...to } : l)));
  const add = (): void => {
    const last = lines.at(-1);
    setLines([
      ...lines,
      {
        key: Math.max(-1, ...lines.map((l) => l.key)) + 1,
        kind: "SEGMENT_KIND_WORK",
        from: last?.until ?? "",
        until: "",
      },
    ]);
  };
  return (
    <form className="stack-tight" onSubmit={onSubmit} noValidate>
      <ol className="bare lines">
        {lines.map((line, i) => (
          <LineFields
            key={line.key}
            line={line}
            number={i + 1}
            change={(to) => change(line.key, to)}
            remove={() => setLines(lines.filter((l) => l.key !== line.key))}
          />
        ))}
      </ol>
      <div>
        <Button variant="outline" size="sm" onClick={add}>
          {t("telework.day.add")}
        </Button>
      </div>
      {tried && problem !== null ? (
        <p className="field-error">{t(problem === "clock" ? "telework.day.clockWrong" : "telework.day.order")}</p>
      ) : null}
      <TextInput
        label={<Needed>{t("telework.day.reason")}</Needed>}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
        maxLength={500}
        error={tried && reason.trim() === "" ? t("telework.day.reasonNeeded") : undefined}
      />
      {correct.data?.refusal === undefined ? null : <Refused refusal={correct.data.refusal} />}
      {correct.error === null ? null : <Failed error={correct.error} />}
      <div className="row row-end">
        <Button type="submit" loading={correct.isPending}>
          {t("telework.day.save")}
        </Button>
      </div>
    </form>
  );
}

interface LineFieldsProps {
  readonly line: Line;
  readonly number: number;
  readonly change: (to: Partial<Line>) => void;
  readonly remove: () => void;
}

const kinds = Object.keys(segmentKeys).filter((k) => k !== "SEGMENT_KIND_UNSPECIFIED") as SegmentKindJson[];

function LineFields({ line, number, change, remove }: LineFieldsProps): JSX.Element {
  const { t } = useTranslation();
  const row = t("telework.day.row", { number });
  return (
    <li className="line">
      <TextInput
        size="sm"
        aria-label={`${row} ${t("telework.day.from")}`}
        value={line.from}
        onChange={(e) => change({ from: e.currentTarget.value })}
      />
      ～
      <TextInput
        size="sm"
        aria-label={`${row} ${t("telework.day.until")}`}
        value={line.until}
        onChange={(e) => change({ until: e.currentTarget.value })}
      />
      <NativeSelect
        size="sm"
        aria-label={`${row} ${t("telework.day.kind")}`}
        value={line.kind}
        onChange={(e) => change({ kind: e.currentTarget.value as SegmentKindJson })}
        data={kinds.map((k) => ({ value: k, label: t(segmentKeys[k]) }))}
      />
      <IconButton icon="close" name={t("telework.day.remove", { number })} onClick={remove} />
    </li>
  );
}

function Connections({ workday }: { readonly workday: WorkdayJson }): JSX.Element | null {
  const { t } = useTranslation();
  const connections = workday.connections ?? [];
  if (connections.length === 0) {
    return null;
  }
  return (
    <Section title={t("telework.day.connections")}>
      <ul className="bare times">
        {connections.map((c) => (
          <li key={c.fromMs}>
            {t("telework.day.connection", {
              from: timeAt(millis(c.fromMs)),
              until: millis(c.untilMs) === 0 ? t("telework.day.now") : timeAt(millis(c.untilMs)),
              desk: c.deskName ?? "",
              place: t(placeKeys[c.place ?? "PLACE_UNSPECIFIED"]),
            })}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Corrections({ workday }: { readonly workday: WorkdayJson }): JSX.Element | null {
  const { t } = useTranslation();
  const corrections = workday.corrections ?? [];
  if (corrections.length === 0) {
    return null;
  }
  return (
    <Section title={t("telework.day.corrections")}>
      <ol className="bare stack-tight">
        {corrections.map((c, i) => (
          <li key={`${c.timeMs ?? ""} ${i}`} className="card">
            <strong>
              {t("telework.day.correctedBy", { time: shortDateTime(millis(c.timeMs)), name: c.byName ?? "" })}
            </strong>
            <p>{c.reason}</p>
            <span className="sub">{t("telework.day.before")}</span>
            <Segments segments={c.before ?? []} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

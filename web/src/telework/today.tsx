import { Button, Menu, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX, type ReactNode } from "react";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import type {
  GetTodayResponseJson,
  NextStepJson,
  RequestJson,
  SegmentKindJson,
  WorkdayJson,
} from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis } from "../kit/format.ts";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Banner, Failed, Refused, Tag, Waiting } from "../kit/parts.tsx";
import { addDays, daySpan, fullDay, span, timeAt, works } from "../kit/days.ts";
import { segmentKeys, workdayStateKeys } from "./enums.ts";
import { todayQuery, useDay } from "../kit/today.ts";
import { WakeButton } from "./wake.tsx";
import "./telework.css";

/** Today at a glance: what is approved, where the day stands, and one button for the next right thing. */
export function Today(): JSX.Element {
  const { t, i18n } = useTranslation();
  const { data, error, isPending, refetch } = useQuery(todayQuery);
  const day = useDay();
  if (isPending) {
    return <Waiting lines={1} height={240} />;
  }
  if (data === undefined) {
    return <Failed error={error} retry={() => void refetch()} />;
  }
  const date = data.date ?? day;
  return (
    <>
      <TodayNotices today={data} />
      <section className="card today" aria-label={t("telework.today.title")}>
        <div className="today-day">
          <p className="today-date">{fullDay(date, languageOf(i18n))}</p>
          <p className="today-hours">{hoursWords(t, data)}</p>
          <Plans today={data} />
        </div>
        <NextStep today={data} />
      </section>
      {data.workday === undefined || data.workday.state === "WORKDAY_STATE_NOT_STARTED" ? null : (
        <Now workday={data.workday} next={data.next} />
      )}
    </>
  );
}

type T = TFunction;

function hoursWords(t: T, today: GetTodayResponseJson): string {
  if (today.holiday) {
    return t("telework.today.holiday", { name: today.holiday });
  }
  if (today.openDay !== true) {
    return t("telework.today.closed");
  }
  const { hours } = today;
  if (!works(hours)) {
    return t("telework.today.noHours");
  }
  return t("telework.today.hours", { span: span(hours?.startMinute ?? 0, hours?.endMinute ?? 0) });
}

/** What stands in the way or waits: emergency, registration, inbox, notices. */
function TodayNotices({ today }: { readonly today: GetTodayResponseJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const day = useDay();
  const until = today.registeredUntil ?? "";
  const soon = until !== "" && today.registrationOver !== true && until < addDays(day, 30);
  return (
    <>
      {today.emergency === true ? <Banner tone="warning" title={t("telework.today.emergency")} /> : null}
      {today.registrationOver === true ? (
        <Banner tone="error" title={t("telework.today.registrationOver")}>
          {t("telework.today.registrationOverHelp")}
        </Banner>
      ) : null}
      {soon ? (
        <Banner tone="info" title={t("telework.today.registrationSoon", { date: fullDay(until, language) })} />
      ) : null}
      {(today.inbox ?? 0) > 0 ? (
        <Banner tone="info" title={t("telework.today.inbox", { count: today.inbox ?? 0 })}>
          <Link to="/inbox">{t("telework.today.inboxGo")}</Link>
        </Banner>
      ) : null}
    </>
  );
}

/** What today's requests and orders say. */
function Plans({ today }: { readonly today: GetTodayResponseJson }): JSX.Element {
  const { t } = useTranslation();
  const lines = (today.requests ?? []).flatMap((r) => planLine(t, r, today.date ?? ""));
  if (lines.length === 0) {
    return <p className="today-plan">{t("telework.today.nothing")}</p>;
  }
  return (
    <ul className="today-plans">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function planLine(t: T, r: RequestJson, date: string): string[] {
  const day = (r.draft?.days ?? []).find((d) => d.date === date);
  if (day === undefined) {
    return [];
  }
  const values = { span: daySpan(day), place: t(placeKeys[r.draft?.place ?? "PLACE_UNSPECIFIED"]) };
  if (r.kind === "REQUEST_KIND_OVERTIME_ORDER") {
    return [t("telework.today.overtime", values)];
  }
  if (r.kind === "REQUEST_KIND_TELEWORK_ORDER") {
    return [t("telework.today.ordered", values)];
  }
  if (r.state === "REQUEST_STATE_APPROVED") {
    return [t("telework.today.approved", values)];
  }
  return r.state === "REQUEST_STATE_PENDING" ? [t("telework.today.pendingToday", values)] : [];
}

/** The one big button with a sentence that says what it does. */
function NextStep({ today }: { readonly today: GetTodayResponseJson }): JSX.Element {
  const { t } = useTranslation();
  const desk = (today.desks ?? []).find((d) => d.deskId === today.nextDeskId);
  const name = desk?.name ?? "";
  const segment = t(segmentKeys[lastSegment(today.workday)?.kind ?? "SEGMENT_KIND_UNSPECIFIED"]);
  switch (today.next) {
    case "NEXT_STEP_REQUEST":
      return (
        <Step text={t("telework.today.requestText")}>
          <Big to="/requests/new">{t("telework.today.request")}</Big>
        </Step>
      );
    case "NEXT_STEP_ENROL":
      return (
        <Step text={t("telework.today.enrolText")}>
          <Big to="/enrol">{t("telework.today.enrol")}</Big>
        </Step>
      );
    case "NEXT_STEP_WAKE":
      return (
        <Step text={t("telework.today.wakeText", { name })}>
          <WakeButton deskId={today.nextDeskId ?? ""} name={name} size="xl" />
        </Step>
      );
    case "NEXT_STEP_CONNECT":
      return (
        <Step text={t("telework.today.connectText", { name })}>
          <Button component="a" size="xl" href={`/viewer?desk=${encodeURIComponent(today.nextDeskId ?? "")}`}>
            {t("telework.today.connect")}
          </Button>
        </Step>
      );
    case "NEXT_STEP_START":
      return (
        <Step text={t("telework.today.startText")}>
          <Report kind="SEGMENT_KIND_WORK">{t("telework.today.start")}</Report>
        </Step>
      );
    case "NEXT_STEP_RESUME":
      return (
        <Step text={t("telework.today.resumeText", { segment })}>
          <Report kind="SEGMENT_KIND_WORK">{t("telework.today.resume")}</Report>
        </Step>
      );
    case "NEXT_STEP_END":
      return (
        <Step text={t("telework.today.endText")}>
          <Finish workday={today.workday} />
        </Step>
      );
    default:
      return <Step text={t("telework.today.waitText")} />;
  }
}

function lastSegment(workday: WorkdayJson | undefined) {
  return (workday?.segments ?? []).at(-1);
}

function Step({ text, children }: { readonly text: string; readonly children?: ReactNode }): JSX.Element {
  return (
    <div className="today-next">
      {children}
      <p>{text}</p>
    </div>
  );
}

function Big({ to, children }: { readonly to: "/requests/new" | "/enrol"; readonly children: string }): JSX.Element {
  return (
    <ButtonLink to={to} size="xl">
      {children}
    </ButtonLink>
  );
}

/** Reports a segment, tells the result, and brings the page up to date. */
function useReport() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [refusal, setRefusal] = useState<RefusalJson | null>(null);
  const report = useMutation({
    mutationFn: async (r: { kind?: SegmentKindJson; finish?: boolean; done?: string }) =>
      call("TeleworkService", "ReportWorkday", r),
    onSuccess: async (answer, r) => {
      setRefusal(answer.refusal ?? null);
      if (answer.refusal !== undefined) {
        return;
      }
      const segment = t(segmentKeys[r.kind ?? "SEGMENT_KIND_UNSPECIFIED"]);
      const message = r.finish === true ? t("telework.today.finished") : t("telework.today.reported", { segment });
      notifications.show({ message, color: "green", role: "status" });
      await client.invalidateQueries({
        predicate: (q) => ["today", "desks", "workday", "month"].includes(String(q.queryKey[0])),
      });
    },
  });
  return { report, problem: <ReportProblem refusal={refusal} error={report.error} /> };
}

function ReportProblem({
  refusal,
  error,
}: {
  readonly refusal: RefusalJson | null;
  readonly error: unknown;
}): JSX.Element | null {
  if (refusal !== null) {
    return <Refused refusal={refusal} />;
  }
  return error === null ? null : <Failed error={error} />;
}

function Report({ kind, children }: { readonly kind: SegmentKindJson; readonly children: string }): JSX.Element {
  const { report, problem } = useReport();
  return (
    <>
      <Button size="xl" loading={report.isPending} onClick={() => report.mutate({ kind })}>
        {children}
      </Button>
      {problem}
    </>
  );
}

/** Ends the day, with what was done. */
function Finish({
  workday,
  size = "xl",
}: {
  readonly workday: WorkdayJson | undefined;
  readonly size?: "xl" | "md";
}): JSX.Element {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState(workday?.done ?? "");
  const { report, problem } = useReport();
  return (
    <>
      <Button size={size} variant={size === "xl" ? "filled" : "outline"} onClick={() => setOpen(true)}>
        {t("telework.today.end")}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t("telework.today.finishTitle")} size="lg">
        <div className="stack-tight">
          <Textarea
            label={t("telework.today.done")}
            description={t("telework.today.doneHint")}
            value={done}
            onChange={(e) => setDone(e.currentTarget.value)}
            autosize
            minRows={4}
            maxLength={2000}
            data-autofocus
          />
          {problem}
          <div className="row row-end">
            <Button variant="outline" onClick={() => setOpen(false)}>
              {t("cancel")}
            </Button>
            <Button
              loading={report.isPending}
              onClick={() =>
                report.mutate({ finish: true, done }, { onSuccess: (a) => a.refusal === undefined && setOpen(false) })
              }
            >
              {t("telework.today.finish")}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}

const others = [
  "SEGMENT_KIND_BREAK",
  "SEGMENT_KIND_INTERRUPTION",
  "SEGMENT_KIND_LEAVE",
  "SEGMENT_KIND_EXEMPTION",
  "SEGMENT_KIND_TRIP",
  "SEGMENT_KIND_MOVING",
  "SEGMENT_KIND_HALL",
] as const;

/** Where the day stands, with one click for everything that may come next. */
function Now({
  workday,
  next,
}: {
  readonly workday: WorkdayJson;
  readonly next: NextStepJson | undefined;
}): JSX.Element {
  const { t } = useTranslation();
  const { report, problem } = useReport();
  const last = lastSegment(workday);
  const open = last !== undefined && millis(last.untilMs) === 0;
  const tone =
    workday.state === "WORKDAY_STATE_WORKING" ? "green" : workday.state === "WORKDAY_STATE_AWAY" ? "orange" : "gray";
  return (
    <section className="card now" aria-label={t("telework.today.now")}>
      <p className="now-state">
        <Tag tone={tone}>{t(workdayStateKeys[workday.state ?? "WORKDAY_STATE_UNSPECIFIED"])}</Tag>
        {open
          ? t("telework.today.since", {
              segment: t(segmentKeys[last.kind ?? "SEGMENT_KIND_UNSPECIFIED"]),
              time: timeAt(millis(last.fromMs)),
            })
          : null}
      </p>
      {open ? (
        <div className="now-actions">
          {last.kind === "SEGMENT_KIND_WORK" || next === "NEXT_STEP_RESUME" ? null : (
            <NowButton kind="SEGMENT_KIND_WORK" onReport={(kind) => report.mutate({ kind })} busy={report.isPending} />
          )}
          {last.kind === "SEGMENT_KIND_BREAK" ? null : (
            <NowButton kind="SEGMENT_KIND_BREAK" onReport={(kind) => report.mutate({ kind })} busy={report.isPending} />
          )}
          <Menu position="bottom-start" width={240}>
            <Menu.Target>
              <Button variant="outline" rightSection={<Icon name="down" size={16} />}>
                {t("telework.today.other")}
              </Button>
            </Menu.Target>
            <Menu.Dropdown aria-label={t("telework.today.other")}>
              {others
                .filter((kind) => kind !== last.kind && kind !== "SEGMENT_KIND_BREAK")
                .map((kind) => (
                  <Menu.Item key={kind} onClick={() => report.mutate({ kind })}>
                    {t(segmentKeys[kind])}
                  </Menu.Item>
                ))}
            </Menu.Dropdown>
          </Menu>
          {next === "NEXT_STEP_END" ? null : <Finish workday={workday} size="md" />}
        </div>
      ) : null}
      {problem}
      {workday.endMissing === true ? <EndMissing date={workday.date ?? ""} /> : null}
    </section>
  );
}

/** Yesterday's end was forgotten: only a correction can say it. */
function EndMissing({ date }: { readonly date: string }): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <Banner tone="warning" title={t("telework.today.endMissing", { day: fullDay(date, languageOf(i18n)) })}>
      <Link to="/workdays/$date" params={{ date }}>
        {t("telework.today.endMissingGo")}
      </Link>
    </Banner>
  );
}

interface NowButtonProps {
  readonly kind: SegmentKindJson;
  readonly busy: boolean;
  readonly onReport: (kind: SegmentKindJson) => void;
}

function NowButton({ kind, busy, onReport }: NowButtonProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button variant="outline" disabled={busy} onClick={() => onReport(kind)}>
      {kind === "SEGMENT_KIND_WORK" ? t("telework.today.resume") : t(segmentKeys[kind])}
    </Button>
  );
}

import { Button, Checkbox, NativeSelect, Radio, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState, type Dispatch, type FormEvent, type JSX, type SetStateAction } from "react";
import { flushSync } from "react-dom";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { CheckRequestResponseJson, RequestJson, RequestReasonJson } from "../gen/jiseki/control/v1/telework_pb.js";
import type { PlaceJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { Banner, Failed, Needed, PageTitle, Refused, Waiting } from "../kit/parts.tsx";
import { DayPicker } from "./calendar.tsx";
import { ChosenDays } from "./chosendays.tsx";
import { weekday, weekdayWord, addDays, mondayOf } from "../kit/days.ts";
import { addChosen, blank, draftOf, filledFrom, hoursProblem, repeated, toggleDay, type Filled } from "./draft.ts";
import { reasonKeys } from "./enums.ts";
import { useDay } from "../kit/today.ts";
import { requestQuery } from "./queries.ts";
import { Limits } from "./requestlimits.tsx";
import { languageOf } from "../kit/i18n.ts";
import "./telework.css";

const route = getRouteApi("/signed-in/requests/new");

/** A new request: blank, a copy of a former one, a change, or on behalf of somebody. */
export function NewRequest(): JSX.Element {
  const { copy = "", by = 0, change = "", user = "", name = "" } = route.useSearch();
  const today = useDay();
  const former = useQuery({ ...requestQuery(copy || change), enabled: copy !== "" || change !== "" });
  if (copy === "" && change === "") {
    return <RequestForm start={blank} user={user} name={name} />;
  }
  if (former.isPending) {
    return (
      <div className="content">
        <Waiting />
      </div>
    );
  }
  if (former.data === undefined || former.data === null) {
    return (
      <div className="content">
        <Failed error={former.error} retry={() => void former.refetch()} />
      </div>
    );
  }
  const start = filledFrom(former.data, by);
  if (change !== "") {
    return <RequestForm start={start} changes={former.data} user="" name="" />;
  }
  const ahead = start.days.filter((d) => d.date >= today);
  return <RequestForm start={{ ...start, days: ahead }} copied user={user} name={name} />;
}

interface FormProps {
  readonly start: Filled;
  /** The request that is changed. */
  readonly changes?: RequestJson;
  readonly copied?: boolean;
  /** Somebody else, for 代理申請. */
  readonly user: string;
  readonly name: string;
}

/** The first field that says what is wrong with it. */
const WRONG = '[aria-invalid="true"]';

function RequestForm({ start, changes, copied = false, user, name }: FormProps): JSX.Element {
  const { t } = useTranslation();
  const [filled, setFilled] = useState(start);
  const [tried, setTried] = useState(false);
  const errors = errorsOf(filled);
  const set = (to: Partial<Filled>): void => setFilled((f) => ({ ...f, ...to }));
  const check = useCheck(filled, user, changes?.requestId ?? "");
  const submit = useSubmit(changes, user);
  const onSubmit = (e: FormEvent<HTMLFormElement>): void => {
    e.preventDefault();
    if (errors.size === 0) {
      return submit.mutate(filled);
    }
    flushSync(() => setTried(true)); // the errors must be there to be found
    e.currentTarget.querySelector<HTMLElement>(filled.days.length === 0 ? '.day[tabindex="0"]' : WRONG)?.focus();
  };
  const title =
    user !== ""
      ? t("telework.form.titleFor", { name })
      : t(changes === undefined ? "telework.form.titleNew" : "telework.form.titleChange");
  return (
    <div className="content">
      <PageTitle>{title}</PageTitle>
      {user === "" ? null : <Banner tone="info" title={t("telework.form.forText")} />}
      {copied ? <Banner tone="info" title={t("telework.form.copied")} /> : null}
      <form className="request-form" onSubmit={onSubmit} noValidate>
        <div className="stack">
          <Days
            filled={filled}
            change={setFilled}
            user={user}
            except={changes?.requestId ?? ""}
            error={tried && errors.has("days")}
          />
          <PlaceFields filled={filled} set={set} error={tried && errors.has("place")} />
          <ReasonFields filled={filled} set={set} />
          <WorkFields
            filled={filled}
            set={set}
            errors={tried ? errors : none}
            asked={check.data?.personalDataAsked === true}
          />
        </div>
        <aside className="request-side">
          <Limits check={check.data} busy={check.isFetching} />
          {submit.data?.refusal === undefined ? null : <Refused refusal={submit.data.refusal} />}
          {submit.error === null ? null : <Failed error={submit.error} />}
          <Button type="submit" size="lg" loading={submit.isPending}>
            {t(changes === undefined ? "telework.form.submit" : "telework.form.resubmit")}
          </Button>
        </aside>
      </form>
    </div>
  );
}

const none: ReadonlySet<string> = new Set<string>();

/** The fields that cannot stay as they are. */
function errorsOf(filled: Filled): ReadonlySet<string> {
  const errors = new Set<string>();
  if (filled.days.length === 0 || filled.days.some((d) => hoursProblem(d) !== null)) {
    errors.add("days");
  }
  if (filled.place === "PLACE_OTHER" && filled.placeNote.trim() === "") {
    errors.add("place");
  }
  if (filled.work.trim() === "") {
    errors.add("work");
  }
  if (filled.takeOut && filled.takeOutDevice.trim() === "") {
    errors.add("takeOut");
  }
  return errors;
}

/** Asks the gateway what policy says of the draft, a moment after each change. */
function useCheck(filled: Filled, userId: string, requestId: string) {
  const [settled] = useDebouncedValue(filled, 300);
  return useQuery({
    queryKey: ["check", userId, requestId, settled],
    queryFn: async ({ signal }): Promise<CheckRequestResponseJson> =>
      call("TeleworkService", "CheckRequest", { draft: draftOf(settled), userId, requestId }, signal),
    enabled: settled.days.length > 0 && settled.days.every((d) => hoursProblem(d) === null),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

function useSubmit(changes: RequestJson | undefined, userId: string) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (filled: Filled) =>
      call("TeleworkService", "SubmitRequest", {
        draft: draftOf(filled),
        userId,
        ...(changes === undefined ? {} : { requestId: changes.requestId ?? "", revision: changes.revision ?? 0 }),
      }),
    onSuccess: async (answer) => {
      if (answer.request === undefined) {
        return;
      }
      notifications.show({ message: t("telework.form.sent"), color: "green", role: "status" });
      await client.invalidateQueries({
        predicate: (q) => ["requests", "request", "today", "calendar"].includes(String(q.queryKey[0])),
      });
      await navigate({ to: "/requests/$id", params: { id: answer.request.requestId ?? "" } });
    },
  });
}

interface DaysProps {
  readonly filled: Filled;
  readonly change: Dispatch<SetStateAction<Filled>>;
  readonly user: string;
  readonly except: string;
  readonly error: boolean;
}

function Days({ filled, change, user, except, error }: DaysProps): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  return (
    <fieldset className="fieldset">
      <legend>
        <Needed>{t("telework.form.days")}</Needed>
      </legend>
      <p className="hint">{t("telework.form.daysHint")}</p>
      <DayPicker
        today={today}
        chosen={new Set(filled.days.map((d) => d.date))}
        onToggle={(day) => change((f) => toggleDay(f, day))}
        userId={user}
        except={except}
      />
      <Repeat today={today} onChoose={(days) => change((f) => addChosen(f, days))} />
      {error && filled.days.length === 0 ? <p className="field-error">{t("telework.form.noneSelected")}</p> : null}
      {filled.days.length === 0 ? null : <ChosenDays filled={filled} change={change} showErrors={error} />}
    </fieldset>
  );
}

/** Chooses weekdays for four weeks. */
function Repeat({
  today,
  onChoose,
}: {
  readonly today: string;
  readonly onChoose: (days: readonly string[]) => void;
}): JSX.Element {
  const { t, i18n } = useTranslation();
  const monday = mondayOf(today);
  return (
    <details>
      <summary>{t("telework.form.repeat")}</summary>
      <p className="hint">{t("telework.form.repeatHint")}</p>
      <div className="row">
        {[0, 1, 2, 3, 4].map((w) => (
          <Button
            key={w}
            variant="outline"
            size="sm"
            onClick={() => onChoose(repeated(addDays(today, 1), [w], weekday))}
          >
            {weekdayWord(addDays(monday, w), languageOf(i18n))}
          </Button>
        ))}
      </div>
    </details>
  );
}

interface PartProps {
  readonly filled: Filled;
  readonly set: (to: Partial<Filled>) => void;
}

const places = ["PLACE_HOME", "PLACE_SATELLITE", "PLACE_OTHER"] as const satisfies readonly PlaceJson[];

function PlaceFields({ filled, set, error }: PartProps & { readonly error: boolean }): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="stack-tight">
      <Radio.Group label={t("telework.form.place")} value={filled.place} onChange={(place) => set({ place })}>
        <div className="row">
          {places.map((p) => (
            <Radio key={p} value={p} label={t(placeKeys[p])} />
          ))}
        </div>
      </Radio.Group>
      {filled.place === "PLACE_OTHER" ? (
        <TextInput
          label={<Needed>{t("telework.form.placeNote")}</Needed>}
          value={filled.placeNote}
          onChange={(e) => set({ placeNote: e.currentTarget.value })}
          maxLength={200}
          error={error ? t("telework.form.placeNoteNeeded") : undefined}
        />
      ) : null}
    </div>
  );
}

const reasons = Object.keys(reasonKeys).filter((r) => r !== "REQUEST_REASON_UNSPECIFIED") as RequestReasonJson[];

function ReasonFields({ filled, set }: PartProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="stack-tight">
      <NativeSelect
        label={t("telework.form.reason")}
        description={t("telework.form.reasonHint")}
        value={filled.reason}
        onChange={(e) => set({ reason: e.currentTarget.value as RequestReasonJson })}
        data={reasons.map((r) => ({ value: r, label: t(reasonKeys[r]) }))}
      />
      <TextInput
        label={t("telework.form.reasonText")}
        value={filled.reasonText}
        onChange={(e) => set({ reasonText: e.currentTarget.value })}
        maxLength={500}
      />
    </div>
  );
}

interface WorkProps extends PartProps {
  readonly errors: ReadonlySet<string>;
  readonly asked: boolean;
}

function WorkFields({ filled, set, errors, asked }: WorkProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="stack-tight">
      <Textarea
        label={<Needed>{t("telework.form.work")}</Needed>}
        value={filled.work}
        onChange={(e) => set({ work: e.currentTarget.value })}
        autosize
        minRows={3}
        maxLength={1000}
        error={errors.has("work") ? t("telework.form.workNeeded") : undefined}
      />
      {asked ? (
        <Radio.Group
          label={t("telework.form.personal")}
          value={filled.personalData ? "yes" : "no"}
          onChange={(v) => set({ personalData: v === "yes" })}
        >
          <div className="row">
            <Radio value="no" label={t("telework.form.personalNo")} />
            <Radio value="yes" label={t("telework.form.personalYes")} />
          </div>
        </Radio.Group>
      ) : null}
      <Checkbox
        label={t("telework.form.takeOut")}
        checked={filled.takeOut}
        onChange={(e) => set({ takeOut: e.currentTarget.checked })}
      />
      {filled.takeOut ? (
        <TextInput
          label={<Needed>{t("telework.form.takeOutDevice")}</Needed>}
          value={filled.takeOutDevice}
          onChange={(e) => set({ takeOutDevice: e.currentTarget.value })}
          maxLength={100}
          error={errors.has("takeOut") ? t("telework.form.takeOutNeeded") : undefined}
        />
      ) : null}
    </div>
  );
}

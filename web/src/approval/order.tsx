import { Button, MultiSelect, Radio, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { RequestKindJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { Banner, Failed, Needed, PageTitle, Refused, Waiting } from "../kit/parts.tsx";
import { DayPicker } from "../telework/calendar.tsx";
import { ChosenDays } from "../telework/chosendays.tsx";
import { blank, draftOf, hoursProblem, toggleDay, type Filled } from "../telework/draft.ts";
import { useDay } from "../kit/today.ts";
import { useMembers } from "./members.tsx";
import "../telework/telework.css";

const route = getRouteApi("/signed-in/approval/orders/new");

/** Orders telework or overtime. */
export function NewOrder(): JSX.Element {
  const { t } = useTranslation();
  const { user } = route.useSearch();
  const { data, error, isPending, refetch } = useMembers();
  return (
    <>
      <PageTitle>{t("approval.order.title")}</PageTitle>
      {isPending ? <Waiting /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? null : (
        <OrderForm
          members={data
            .filter((m) => m.mayOrder === true)
            .map((m) => ({ value: m.userId ?? "", label: m.userName ?? "" }))}
          first={user === undefined ? [] : [user]}
        />
      )}
    </>
  );
}

interface OrderFormProps {
  readonly members: readonly { readonly value: string; readonly label: string }[];
  readonly first: readonly string[];
}

function OrderForm({ members, first }: OrderFormProps): JSX.Element {
  const { t } = useTranslation();
  const today = useDay();
  const [kind, setKind] = useState<RequestKindJson>("REQUEST_KIND_TELEWORK_ORDER");
  const [users, setUsers] = useState([...first]);
  const [filled, setFilled] = useState<Filled>(blank);
  const [tried, setTried] = useState(false);
  const order = useOrder(kind, users);
  const daysWrong = filled.days.length === 0 || filled.days.some((d) => hoursProblem(d) !== null);
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (users.length > 0 && !daysWrong && filled.work.trim() !== "") {
      order.mutate(filled);
    }
  };
  return (
    <form className="stack" onSubmit={onSubmit} noValidate>
      <Radio.Group label={t("approval.order.kind")} value={kind} onChange={setKind}>
        <div className="row">
          <Radio value="REQUEST_KIND_TELEWORK_ORDER" label={t("approval.order.telework")} />
          <Radio value="REQUEST_KIND_OVERTIME_ORDER" label={t("approval.order.overtime")} />
        </div>
      </Radio.Group>
      {kind === "REQUEST_KIND_OVERTIME_ORDER" ? <Banner tone="info" title={t("approval.order.overtimeHelp")} /> : null}
      <MultiSelect
        label={<Needed>{t("approval.order.users")}</Needed>}
        data={members}
        value={users}
        onChange={setUsers}
        searchable
        error={tried && users.length === 0 ? t("approval.order.usersNeeded") : undefined}
      />
      <fieldset className="fieldset">
        <legend>
          <Needed>{t("telework.form.days")}</Needed>
        </legend>
        <DayPicker
          today={today}
          chosen={new Set(filled.days.map((d) => d.date))}
          onToggle={(day) => setFilled((f) => toggleDay(f, day))}
          userId={users.length === 1 ? (users[0] ?? "") : ""}
          except=""
        />
        {tried && filled.days.length === 0 ? <p className="field-error">{t("telework.form.noneSelected")}</p> : null}
        {filled.days.length === 0 ? null : <ChosenDays filled={filled} change={setFilled} showErrors={tried} />}
      </fieldset>
      <Textarea
        label={<Needed>{t("telework.form.work")}</Needed>}
        value={filled.work}
        onChange={(e) => setFilled({ ...filled, work: e.currentTarget.value })}
        maxLength={1000}
        autosize
        minRows={2}
        error={tried && filled.work.trim() === "" ? t("telework.form.workNeeded") : undefined}
      />
      {order.data?.refusal === undefined ? null : <Refused refusal={order.data.refusal} />}
      {order.error === null ? null : <Failed error={order.error} />}
      <div className="row row-end">
        <Button type="submit" size="lg" loading={order.isPending}>
          {t("approval.order.submit")}
        </Button>
      </div>
    </form>
  );
}

function useOrder(kind: RequestKindJson, userIds: string[]) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (filled: Filled) =>
      call("ApprovalService", "PutOrder", { kind, userIds, draft: draftOf(filled) }),
    onSuccess: async (answer) => {
      if (answer.orders === undefined) {
        return;
      }
      notifications.show({
        message: t("approval.order.done", { count: answer.orders.requests?.length ?? 0 }),
        color: "green",
        role: "status",
      });
      await client.invalidateQueries();
      await navigate({ to: "/week" });
    },
  });
}

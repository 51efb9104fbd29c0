import { Button, Loader, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { WakeJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { Banner, Failed, ReasonList, Refused } from "../kit/parts.tsx";

interface WakeButtonProps {
  readonly deskId: string;
  readonly name: string;
  readonly size?: "xs" | "md" | "lg" | "xl";
  readonly variant?: "filled" | "outline";
}

/** Switches a desk on and shows how far it is. */
export function WakeButton({ deskId, name, size = "lg", variant = "filled" }: WakeButtonProps): JSX.Element {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const wake = useMutation({ mutationFn: async () => call("TeleworkService", "WakeDesk", { deskId }) });
  const begin = (): void => {
    setOpen(true);
    wake.mutate();
  };
  return (
    <>
      <Button size={size} variant={variant} loading={wake.isPending} onClick={begin}>
        {t("telework.today.wake")}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t("telework.wake.title")}>
        <div className="stack-tight">
          {wake.isPending ? <Loader /> : null}
          {wake.error === null ? null : <Failed error={wake.error} retry={() => wake.mutate()} />}
          {wake.data?.refusal === undefined ? null : <Refused refusal={wake.data.refusal} />}
          {wake.data?.wake === undefined ? null : (
            <Progress first={wake.data.wake} name={name} again={() => wake.mutate()} done={() => setOpen(false)} />
          )}
          <div className="row row-end">
            <AskColleagues deskId={deskId} />
            <Button variant="outline" onClick={() => setOpen(false)}>
              {t("telework.wake.close")}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}

interface ProgressProps {
  readonly first: WakeJson;
  readonly name: string;
  readonly again: () => void;
  readonly done: () => void;
}

/**
 * Follows one wake until it has failed or the desk is on. That is told by a notification: the button goes away with the
 * desk that was off.
 */
function Progress({ first, name, again, done }: ProgressProps): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: ["wake", first.wakeId],
    queryFn: async ({ signal }) =>
      (await call("TeleworkService", "GetWake", { wakeId: first.wakeId ?? "" }, signal)).wake ?? first,
    initialData: first,
    refetchInterval: ({ state }) =>
      state.data?.state === "WAKE_STATE_ON" || state.data?.state === "WAKE_STATE_FAILED" ? false : 2000,
  });
  const on = useEffectEvent(() => {
    notifications.show({ message: t("telework.wake.on", { name }), color: "green", role: "status" });
    done();
    void client.invalidateQueries({ predicate: (q) => ["today", "desks"].includes(String(q.queryKey[0])) });
  });
  useEffect(() => {
    if (data.state === "WAKE_STATE_ON") {
      on();
    }
  }, [data.state]);
  switch (data.state) {
    case "WAKE_STATE_FAILED":
      return (
        <Banner tone="error" title={t("telework.wake.failed", { name })} live>
          <ReasonList reasons={data.failure === undefined ? [] : [data.failure]} />
          <Button onClick={again}>{t("telework.wake.again")}</Button>
        </Banner>
      );
    case "WAKE_STATE_SENT":
      return (
        <output className="row">
          <Loader size="sm" />
          <span>
            {t("telework.wake.sent")}
            {data.wakerName ? (
              <span className="sub">{t("telework.wake.sentBy", { waker: data.wakerName })}</span>
            ) : null}
          </span>
        </output>
      );
    default:
      return (
        <output className="row">
          <Loader size="sm" />
          {t("telework.wake.queued")}
        </output>
      );
  }
}

/** Tells colleagues in the hall, for desks that cannot be woken. */
function AskColleagues({ deskId }: { readonly deskId: string }): JSX.Element {
  const { t } = useTranslation();
  const ask = useMutation({
    mutationFn: async () => call("TeleworkService", "AskPowerOn", { deskId }),
    onSuccess: (answer) =>
      notifications.show({
        message: t("telework.today.asked", { count: answer.told ?? 0 }),
        color: "green",
        role: "status",
      }),
  });
  return (
    <>
      {ask.error === null ? null : <Failed error={ask.error} />}
      <Button
        variant="subtle"
        loading={ask.isPending}
        onClick={() => ask.mutate()}
        title={t("telework.today.askPowerText")}
      >
        {t("telework.today.askPower")}
      </Button>
    </>
  );
}

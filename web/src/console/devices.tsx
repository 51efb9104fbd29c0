import { Button, Switch, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { DeviceJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { gradeKeys, kindKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { normalUser } from "../device/identity.ts";
import { Empty, Failed, Needed, PageTitle, Tag } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { Table } from "../kit/table.tsx";
import { MINUTE } from "../kit/today.ts";
import { Dialog, DialogButtons, List, PAGE, say, useChange } from "../kit/lists.tsx";

const LONGEST_REASON = 200;

/** The enrolled devices; a lost one is revoked here. */
export function Devices(): JSX.Element {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [owner, setOwner] = useState("");
  const [revokedToo, setRevokedToo] = useState(false);
  const [revoking, setRevoking] = useState<DeviceJson | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["devices", owner],
    queryFn: async ({ pageParam, signal }) =>
      call("AdminService", "ListDevices", { page: { limit: PAGE, token: pageParam }, owner }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: MINUTE,
  });
  const submit = (e: React.SubmitEvent): void => {
    e.preventDefault();
    const user = normalUser(typed);
    setOwner(user === "" ? "" : `user:${user}`);
  };
  return (
    <>
      <PageTitle>{t("console.devices.title")}</PageTitle>
      <search>
        <form className="filters" onSubmit={submit}>
          <TextInput
            label={t("console.devices.user")}
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
          />
          <Button type="submit" variant="outline">
            {t("console.searchDo")}
          </Button>
          <Switch
            label={t("console.devices.all")}
            checked={revokedToo}
            onChange={(e) => setRevokedToo(e.currentTarget.checked)}
            my="xs"
          />
        </form>
      </search>
      <List
        query={query}
        rows={(p) => (p.devices ?? []).filter((d) => revokedToo || millis(d.revokedMs) === 0)}
        empty={<Empty icon="device" title={t(owner === "" ? "console.nothingYet" : "console.noMatch")} />}
      >
        {(devices) => (
          <Table
            caption={t("console.devices.title")}
            rows={devices}
            id={(d) => d.deviceId ?? ""}
            columns={[
              {
                name: t("console.devices.label"),
                heads: true,
                cell: (d) => (
                  <span>
                    <strong>{d.label}</strong>
                    <span className="sub mono">{d.deviceId}</span>
                  </span>
                ),
              },
              {
                name: t("console.devices.owner"),
                cell: (d) => (d.owner === "all" ? t("console.devices.ownerAll") : d.ownerName || d.owner),
              },
              { name: t("console.devices.kind"), cell: (d) => <Kind device={d} /> },
              { name: t("console.state"), cell: (d) => <DeviceState device={d} now={query.dataUpdatedAt} /> },
              { name: t("console.devices.grade"), cell: (d) => t(gradeKeys[d.grade ?? "KEY_GRADE_UNSPECIFIED"]) },
              { name: t("console.devices.until"), narrow: true, cell: (d) => when(d.certificateUntilMs) },
              { name: t("console.devices.used"), narrow: true, cell: (d) => when(d.lastUsedMs) },
              { name: t("console.actions"), narrow: true, cell: (d) => <Revoke device={d} ask={setRevoking} /> },
            ]}
          />
        )}
      </List>
      {revoking === null ? null : <RevokeDialog device={revoking} close={() => setRevoking(null)} />}
    </>
  );
}

function when(ms: string | undefined): string {
  return millis(ms) === 0 ? "—" : shortDateTime(millis(ms));
}

/** Whose machine it is by the administrator's record, a lent one with its inventory number. */
function Kind({ device }: { readonly device: DeviceJson }): JSX.Element {
  const { t } = useTranslation();
  const { kind = "DEVICE_KIND_UNSPECIFIED", inventoryNumber = "" } = device;
  const number = inventoryNumber === "" ? t("console.devices.inventoryUnknown") : inventoryNumber;
  return (
    <span>
      <span className="whole">{t(kindKeys[kind])}</span>
      {kind === "DEVICE_KIND_LENT" ? (
        <span className="sub">{inventoryNumber === "-" ? t("console.devices.inventoryNone") : number}</span>
      ) : null}
    </span>
  );
}

function DeviceState({ device, now }: { readonly device: DeviceJson; readonly now: number }): JSX.Element {
  const { t } = useTranslation();
  if (millis(device.revokedMs) !== 0) {
    return (
      <span>
        <Tag tone="red">{t("console.devices.revoked")}</Tag>
        <span className="sub">{device.revokedReason}</span>
      </span>
    );
  }
  const expired = millis(device.certificateUntilMs) <= now;
  return (
    <span className="tags">
      <Tag tone={expired ? "orange" : "green"}>{t(expired ? "console.devices.expired" : "console.devices.valid")}</Tag>
      {device.persistentStorage === true ? null : <Tag tone="gray">{t("console.devices.mayBeCleared")}</Tag>}
    </span>
  );
}

function Revoke({
  device,
  ask,
}: {
  readonly device: DeviceJson;
  readonly ask: (d: DeviceJson) => void;
}): JSX.Element | null {
  const { t } = useTranslation();
  if (millis(device.revokedMs) !== 0) {
    return null;
  }
  const user = device.owner?.startsWith("user:") === true ? device.owner.slice(5) : "";
  return (
    <span className="row">
      {user === "" ? null : (
        <Link
          to="/lost"
          search={{ user, name: device.ownerName ?? user }}
          aria-label={`${t("approval.members.lost")}: ${device.label ?? ""}`}
        >
          {t("approval.members.lost")}
        </Link>
      )}
      <Button
        size="xs"
        variant="outline"
        color="red"
        onClick={() => ask(device)}
        aria-label={`${t("console.devices.revoke")}: ${device.label ?? ""}`}
      >
        {t("console.devices.revoke")}
      </Button>
    </span>
  );
}

function RevokeDialog({ device, close }: { readonly device: DeviceJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const label = device.label ?? "";
  const form = useForm({
    initialValues: { reason: "" },
    validate: {
      reason: (v) =>
        v.trim() === "" || Array.from(v.trim()).length > LONGEST_REASON ? t("console.devices.reasonNeeded") : null,
    },
  });
  const revoke = useChange(
    ["devices", "sessions"],
    async (reason: string) => call("AdminService", "RevokeDevice", { deviceId: device.deviceId ?? "", reason }),
    (r) => {
      close();
      say(t("console.devices.done", { label, count: r.endedSessions ?? 0 }));
    },
  );
  return (
    <Dialog title={t("console.devices.revokeTitle")} close={close}>
      <form
        className="stack"
        onSubmit={form.onSubmit((v) => revoke.mutate(v.reason.trim()), focusFirstError)}
        noValidate
      >
        <div>{t("console.devices.revokeText", { label, owner: device.ownerName || device.owner || "" })}</div>
        {revoke.isError ? <Failed error={revoke.error} /> : null}
        <Textarea
          label={<Needed>{t("console.devices.reason")}</Needed>}
          description={t("console.devices.reasonHint")}
          rows={3}
          data-autofocus
          {...form.getInputProps("reason")}
        />
        <DialogButtons close={close}>
          <Button type="submit" color="red" loading={revoke.isPending}>
            {t("console.devices.revoke")}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

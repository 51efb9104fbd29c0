import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { OwnDeviceJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { kindKeys } from "../kit/enums.ts";
import { day, millis, shortDateTime } from "../kit/format.ts";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Empty, Failed, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { MINUTE } from "../kit/today.ts";

/** All my devices, also those that are revoked. */
export function MyDevices(): JSX.Element {
  const { t, i18n } = useTranslation();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["my-devices", ""],
    queryFn: async ({ signal }) => (await call("TeleworkService", "ListMyDevices", {}, signal)).devices ?? [],
    staleTime: 0,
    refetchInterval: MINUTE,
  });
  if (isPending) {
    return <Waiting lines={2} />;
  }
  if (data === undefined) {
    return <Failed error={error} retry={() => void refetch()} />;
  }
  if (data.length === 0) {
    return <Empty icon="device" title={t("telework.lost.none")} />;
  }
  return (
    <Table
      caption={t("telework.devices.title")}
      rows={data}
      id={(d) => d.deviceId ?? ""}
      columns={columns(t, languageOf(i18n))}
    />
  );
}

function columns(t: TFunction, language: Language): Column<OwnDeviceJson>[] {
  return [
    { name: t("account.label"), heads: true, cell: (d) => <Name device={d} /> },
    { name: t("account.kind"), cell: (d) => t(kindKeys[d.kind ?? "DEVICE_KIND_UNSPECIFIED"]) },
    { name: t("telework.devices.enrolled"), narrow: true, cell: (d) => day(millis(d.enrolledMs), language) },
    { name: t("account.until"), narrow: true, cell: (d) => day(millis(d.certificateUntilMs), language) },
    {
      name: t("telework.devices.used"),
      narrow: true,
      cell: (d) => (millis(d.lastUsedMs) === 0 ? "—" : shortDateTime(millis(d.lastUsedMs))),
    },
  ];
}

function Name({ device }: { readonly device: OwnDeviceJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <span className="row">
      {device.label}
      {device.current === true ? <Tag tone="green">{t("telework.devices.current")}</Tag> : null}
      {millis(device.revokedMs) === 0 ? null : <Tag tone="red">{t("telework.lost.revoked")}</Tag>}
    </span>
  );
}

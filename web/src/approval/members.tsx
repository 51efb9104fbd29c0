import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MemberJson } from "../gen/jiseki/control/v1/approval_pb.js";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { deskStateKeys } from "../kit/enums.ts";
import { Empty, Failed, PageTitle, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { WakeButton } from "../telework/wake.tsx";

/** The members of my sections as the gateway lists them. */
export function useMembers() {
  return useQuery({
    queryKey: ["members"],
    queryFn: async ({ signal }) => (await call("ApprovalService", "ListMembers", {}, signal)).members ?? [],
    staleTime: 30_000,
  });
}

/** The staff of my sections, with what I may do for them. */
export function Members(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useMembers();
  const may = (data ?? []).some((m) => m.mayOrder === true);
  return (
    <>
      <PageTitle actions={may ? <ButtonLink to="/orders/new">{t("approval.order.title")}</ButtonLink> : undefined}>
        {t("approval.members.title")}
      </PageTitle>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? <Empty icon="user" title={t("approval.members.empty")} /> : null}
      {data === undefined || data.length === 0 ? null : (
        <Table caption={t("approval.members.caption")} rows={data} id={(m) => m.userId ?? ""} columns={columns(t)} />
      )}
    </>
  );
}

function columns(t: TFunction): Column<MemberJson>[] {
  return [
    { name: t("approval.members.user"), heads: true, cell: (m) => <Person member={m} /> },
    { name: t("approval.members.desks"), cell: (m) => <Desks member={m} /> },
    { name: t("approval.members.actions"), cell: (m) => <Actions member={m} /> },
  ];
}

function Person({ member }: { readonly member: MemberJson }): JSX.Element {
  return (
    <>
      {member.userName}
      <span className="sub">{member.sectionName}</span>
    </>
  );
}

function Desks({ member }: { readonly member: MemberJson }): JSX.Element {
  const { t } = useTranslation();
  const desks = member.desks ?? [];
  if (desks.length === 0) {
    return <>—</>;
  }
  return (
    <ul className="bare">
      {desks.map((d) => (
        <li key={d.deskId} className="row">
          {d.name}
          <span>{t(deskStateKeys[d.state ?? "DESK_STATE_UNSPECIFIED"])}</span>
          {d.state === "DESK_STATE_OFF" && member.mayOrder === true ? (
            <WakeButton deskId={d.deskId ?? ""} name={d.name ?? ""} size="xs" variant="outline" />
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function Actions({ member }: { readonly member: MemberJson }): JSX.Element {
  const { t } = useTranslation();
  const user = member.userId ?? "";
  const name = member.userName ?? "";
  return (
    <span className="row">
      {member.mayApplyFor === true ? (
        <Link to="/requests/new" search={{ user, name }} aria-label={`${name} ${t("approval.members.apply")}`}>
          {t("approval.members.apply")}
        </Link>
      ) : null}
      {member.mayOrder === true ? (
        <>
          <Link to="/orders/new" search={{ user }} aria-label={`${name} ${t("approval.members.order")}`}>
            {t("approval.members.order")}
          </Link>
          <Link to="/lost" search={{ user, name }} aria-label={`${name} ${t("approval.members.lost")}`}>
            {t("approval.members.lost")}
          </Link>
        </>
      ) : null}
    </span>
  );
}

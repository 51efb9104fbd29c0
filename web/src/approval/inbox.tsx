import { Button, Checkbox } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { Banner, Empty, Failed, PageTitle, Section, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { RequestDays, RequestState } from "../telework/requests.tsx";
import { reasonKeys } from "../telework/enums.ts";
import { Answers } from "./answers.tsx";

/** How often the inbox asks again, in milliseconds. */
const EVERY = 15_000;

/** What waits for my decision, what I have to confirm or read, and what I decided lately. */
export function Inbox(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["inbox"],
    queryFn: async ({ signal }) => call("ApprovalService", "ListInbox", {}, signal),
    refetchInterval: EVERY,
    staleTime: 0,
  });
  return (
    <>
      <PageTitle>{t("approval.inbox.title")}</PageTitle>
      {isPending ? <Waiting lines={4} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? null : <WaitingRequests requests={data.waiting ?? []} />}
      {data?.more === true ? <Banner tone="info" title={t("approval.inbox.more")} /> : null}
      <Reviews />
      {data === undefined ? null : (
        <Section title={t("approval.inbox.decided")}>
          <Decided requests={data.decided ?? []} />
        </Section>
      )}
    </>
  );
}

function WaitingRequests({ requests }: { readonly requests: readonly RequestJson[] }): JSX.Element {
  const { t } = useTranslation();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const chosen = requests.filter((r) => picked.has(r.requestId ?? ""));
  if (requests.length === 0) {
    return (
      <Empty icon="success" title={t("approval.inbox.empty")}>
        <p>{t("approval.inbox.emptyHelp")}</p>
      </Empty>
    );
  }
  const pick = (id: string, on: boolean): void => setPicked(toggled(picked, id, on));
  return (
    <div className="stack-tight">
      <div className="row bulk">
        <Checkbox
          label={t("approval.inbox.all")}
          checked={chosen.length === requests.length}
          indeterminate={chosen.length > 0 && chosen.length < requests.length}
          onChange={(e) => setPicked(new Set(e.currentTarget.checked ? requests.map((r) => r.requestId ?? "") : []))}
        />
        <span aria-live="polite">{t("approval.inbox.selected", { count: chosen.length })}</span>
        <Answers requests={chosen} onDone={() => setPicked(new Set())} />
      </div>
      <Table
        caption={t("approval.inbox.caption")}
        rows={requests}
        id={(r) => r.requestId ?? ""}
        columns={waitingColumns(t, picked, pick)}
      />
    </div>
  );
}

function toggled(set: ReadonlySet<string>, id: string, on: boolean): ReadonlySet<string> {
  const next = new Set(set);
  if (on) {
    next.add(id);
  } else {
    next.delete(id);
  }
  return next;
}

function waitingColumns(
  t: TFunction,
  picked: ReadonlySet<string>,
  pick: (id: string, on: boolean) => void,
): Column<RequestJson>[] {
  return [
    { name: t("approval.inbox.user"), heads: true, cell: (r) => <Picked request={r} picked={picked} pick={pick} /> },
    { name: t("approval.inbox.days"), cell: (r) => <LinkedDays request={r} /> },
    { name: t("approval.inbox.place"), cell: (r) => t(placeKeys[r.draft?.place ?? "PLACE_UNSPECIFIED"]) },
    { name: t("approval.inbox.reason"), cell: (r) => reason(t, r) },
    { name: t("approval.inbox.work"), cell: (r) => <span className="clip">{r.draft?.work}</span> },
    { name: t("approval.inbox.submitted"), narrow: true, cell: (r) => shortDateTime(millis(r.submittedMs)) },
  ];
}

function reason(t: TFunction, r: RequestJson): string {
  return t(reasonKeys[r.draft?.reason ?? "REQUEST_REASON_UNSPECIFIED"]);
}

interface PickedProps {
  readonly request: RequestJson;
  readonly picked: ReadonlySet<string>;
  readonly pick: (id: string, on: boolean) => void;
}

function Picked({ request, picked, pick }: PickedProps): JSX.Element {
  const { t } = useTranslation();
  const id = request.requestId ?? "";
  const name = request.userName ?? "";
  return (
    <div className="picked">
      <Checkbox
        aria-label={t("approval.inbox.select", { name })}
        checked={picked.has(id)}
        onChange={(e) => pick(id, e.currentTarget.checked)}
      />
      <span>
        {name}
        <span className="sub">{request.sectionName}</span>
        <Marks request={request} />
      </span>
    </div>
  );
}

/** What is unusual about a request. */
function Marks({ request }: { readonly request: RequestJson }): JSX.Element | null {
  const { t } = useTranslation();
  const usual =
    request.afterFact !== true &&
    request.byUserId === request.userId &&
    !request.replaces &&
    request.draft?.personalData !== true;
  if (usual) {
    return null;
  }
  return (
    <span className="tags">
      {request.afterFact === true ? <Tag tone="orange">{t("approval.inbox.after")}</Tag> : null}
      {request.byUserId !== request.userId ? <Tag tone="orange">{t("approval.inbox.proxy")}</Tag> : null}
      {request.replaces ? <Tag tone="blue">{t("approval.inbox.change")}</Tag> : null}
      {request.draft?.personalData === true ? <Tag tone="red">{t("approval.inbox.personal")}</Tag> : null}
    </span>
  );
}

function LinkedDays({ request }: { readonly request: RequestJson }): JSX.Element {
  return (
    <Link to="/inbox/$id" params={{ id: request.requestId ?? "" }}>
      <RequestDays request={request} />
    </Link>
  );
}

function Decided({ requests }: { readonly requests: readonly RequestJson[] }): JSX.Element {
  const { t } = useTranslation();
  if (requests.length === 0) {
    return <p>{t("approval.inbox.decidedEmpty")}</p>;
  }
  return (
    <Table
      caption={t("approval.inbox.decidedCaption")}
      rows={requests}
      id={(r) => r.requestId ?? ""}
      columns={decidedColumns(t)}
    />
  );
}

function decidedColumns(t: TFunction): Column<RequestJson>[] {
  return [
    { name: t("approval.inbox.user"), heads: true, cell: (r) => r.userName },
    { name: t("approval.inbox.days"), cell: (r) => <LinkedDays request={r} /> },
    { name: t("approval.inbox.place"), cell: (r) => t(placeKeys[r.draft?.place ?? "PLACE_UNSPECIFIED"]) },
    { name: t("approval.inbox.state"), narrow: true, cell: (r) => <RequestState request={r} /> },
    { name: t("approval.inbox.submitted"), narrow: true, cell: (r) => shortDateTime(millis(r.submittedMs)) },
  ];
}

/** 後閲 and 供覧: nothing is shown when there is nothing to confirm. */
function Reviews(): JSX.Element | null {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["reviews"],
    queryFn: async ({ signal }) => call("ApprovalService", "ListReviews", {}, signal),
    staleTime: 0,
  });
  const confirm = useMutation({
    mutationFn: async (requestIds: string[]) => call("ApprovalService", "ConfirmReviews", { requestIds }),
    onSuccess: async () => {
      notifications.show({ message: t("approval.inbox.confirmed"), color: "green", role: "status" });
      await client.invalidateQueries({ queryKey: ["reviews"] });
    },
  });
  const requests = data?.requests ?? [];
  if (data === undefined && error !== null) {
    return <Failed error={error} retry={() => void refetch()} />;
  }
  if (requests.length === 0) {
    return null;
  }
  return (
    <Section title={t("approval.inbox.reviews")}>
      <p className="lead">{t("approval.inbox.reviewsHelp")}</p>
      {data?.more === true ? <Banner tone="info" title={t("approval.inbox.moreReviews")} /> : null}
      {confirm.error === null ? null : <Failed error={confirm.error} />}
      <Table
        caption={t("approval.inbox.reviewsCaption")}
        rows={requests}
        id={(r) => r.requestId ?? ""}
        columns={reviewColumns(t, confirm.isPending, (id) => confirm.mutate([id]))}
      />
    </Section>
  );
}

function reviewColumns(t: TFunction, busy: boolean, confirm: (id: string) => void): Column<RequestJson>[] {
  return [
    ...decidedColumns(t),
    { name: t("approval.inbox.reviews"), cell: (r) => deputyOf(t, r) },
    {
      name: t("console.actions"),
      narrow: true,
      cell: (r) => <ConfirmButton name={r.userName ?? ""} busy={busy} onClick={() => confirm(r.requestId ?? "")} />,
    },
  ];
}

function ConfirmButton({
  name,
  busy,
  onClick,
}: {
  readonly name: string;
  readonly busy: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button
      size="xs"
      variant="outline"
      disabled={busy}
      onClick={onClick}
      aria-label={`${name} ${t("approval.inbox.confirm")}`}
    >
      {t("approval.inbox.confirm")}
    </Button>
  );
}

function deputyOf(t: TFunction, r: RequestJson): string {
  const step = (r.steps ?? []).find((s) => s.forName && millis(s.seenMs) === 0);
  return step === undefined ? t("approval.inbox.read") : t("approval.inbox.deputy", { name: step.decidedByName ?? "" });
}

import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { List, PAGE, say, useChange } from "../kit/lists.tsx";
import type { MailJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { millis, shortDateTime } from "../kit/format.ts";
import { Empty, Failed, PageTitle, Tag } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";

/** How often the outbox is read again, in milliseconds. */
const EVERY = 10_000;

/** The outbox: what was sent, what waits, and why something was not sent. */
export function Mails(): JSX.Element {
  const { t } = useTranslation();
  const query = useInfiniteQuery({
    queryKey: ["mails"],
    queryFn: async ({ pageParam, signal }) =>
      call("PolicyService", "ListMails", { page: { limit: PAGE, token: pageParam } }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY,
  });
  const retry = useChange(
    ["mails"],
    async () => call("PolicyService", "RetryMails", {}),
    (r) => say(t("policy.mails.retried", { count: r.retried ?? 0 })),
  );
  const first = query.data?.pages[0];
  const unsent = (first?.waiting ?? 0) + (first?.failed ?? 0);
  return (
    <>
      <PageTitle
        actions={
          <Button
            variant="outline"
            disabled={unsent === 0}
            loading={retry.isPending}
            onClick={() => retry.mutate(undefined)}
          >
            {t("policy.mails.retry")}
          </Button>
        }
      >
        {t("policy.mails.title")}
      </PageTitle>
      {first === undefined ? null : (
        <p className="lead">{t("policy.mails.summary", { waiting: first.waiting ?? 0, failed: first.failed ?? 0 })}</p>
      )}
      {retry.isError ? <Failed error={retry.error} /> : null}
      <List query={query} rows={(p) => p.mails ?? []} empty={<Empty icon="info" title={t("policy.mails.empty")} />}>
        {(mails) => (
          <Table caption={t("policy.mails.caption")} rows={mails} id={(m) => m.mailId ?? ""} columns={columns(t)} />
        )}
      </List>
    </>
  );
}

function columns(t: TFunction): Column<MailJson>[] {
  return [
    { name: t("policy.mails.user"), heads: true, cell: (m) => <To mail={m} /> },
    { name: t("policy.mails.subject"), cell: (m) => m.subject },
    { name: t("policy.mails.state"), narrow: true, cell: (m) => <State mail={m} /> },
    { name: t("policy.mails.created"), narrow: true, cell: (m) => shortDateTime(millis(m.createdMs)) },
    {
      name: t("policy.mails.next"),
      narrow: true,
      cell: (m) => (m.state === "MAIL_STATE_WAITING" ? shortDateTime(millis(m.nextMs)) : "—"),
    },
    { name: t("policy.mails.error"), cell: (m) => m.lastError || "—" },
  ];
}

function To({ mail }: { readonly mail: MailJson }): JSX.Element {
  return (
    <>
      {mail.userName}
      <span className="sub">{mail.address}</span>
    </>
  );
}

function State({ mail }: { readonly mail: MailJson }): JSX.Element {
  const { t } = useTranslation();
  if (mail.state === "MAIL_STATE_SENT") {
    return <Tag tone="green">{t("policy.mails.sent")}</Tag>;
  }
  const failed = mail.state === "MAIL_STATE_FAILED";
  return (
    <>
      <Tag tone={failed ? "red" : "blue"}>{t(failed ? "policy.mails.failed" : "policy.mails.waiting")}</Tag>
      {(mail.tries ?? 0) === 0 ? null : (
        <span className="sub">{t("policy.mails.tries", { count: mail.tries ?? 0 })}</span>
      )}
    </>
  );
}

import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { JSX } from "react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, Tag, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { addDays, daySpan, dayWords, mondayOf } from "../kit/days.ts";
import { requestKindKeys, requestStateKeys, requestStateTones } from "./enums.ts";
import { useDay } from "../kit/today.ts";

const PAGE = 30;

/** My requests and orders, the newest first. */
export function Requests(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["requests"],
    queryFn: async ({ pageParam, signal }) =>
      call("TeleworkService", "ListMyRequests", { page: { limit: PAGE, token: pageParam } }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    staleTime: 0,
  });
  const requests = data?.pages.flatMap((p) => p.requests ?? []) ?? [];
  return (
    <div className="content">
      <PageTitle actions={<Actions requests={requests} />}>{t("telework.requests.title")}</PageTitle>
      {isPending ? <Waiting lines={5} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data !== undefined && requests.length === 0 ? (
        <Empty icon="plus" title={t("telework.requests.empty")}>
          <p>{t("telework.requests.emptyHelp")}</p>
        </Empty>
      ) : null}
      {requests.length === 0 ? null : <RequestTable requests={requests} />}
      {hasNextPage ? (
        <Button variant="outline" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {t("more")}
        </Button>
      ) : null}
    </div>
  );
}

/** A new request, and the same as last week in one click more. */
function Actions({ requests }: { readonly requests: readonly RequestJson[] }): JSX.Element {
  const { t } = useTranslation();
  const monday = mondayOf(useDay());
  const last = requests.find(
    (r) =>
      r.kind === "REQUEST_KIND_TELEWORK" &&
      (r.draft?.days ?? []).some((d) => inWeek(d.date ?? "", addDays(monday, -7))),
  );
  return (
    <>
      {last === undefined ? null : (
        <ButtonLink to="/requests/new" search={{ copy: last.requestId ?? "", by: 7 }} variant="outline">
          {t("telework.requests.lastWeek")}
        </ButtonLink>
      )}
      <ButtonLink to="/requests/new">{t("telework.requests.new")}</ButtonLink>
    </>
  );
}

function inWeek(day: string, monday: string): boolean {
  return day >= monday && day < addDays(monday, 7);
}

function RequestTable({ requests }: { readonly requests: readonly RequestJson[] }): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <Table
      caption={t("telework.requests.caption")}
      rows={requests}
      id={(r) => r.requestId ?? ""}
      columns={columns(t, languageOf(i18n))}
    />
  );
}

function columns(t: TFunction, language: Language): Column<RequestJson>[] {
  return [
    { name: t("telework.requests.days"), heads: true, cell: (r) => <Days request={r} /> },
    { name: t("telework.requests.place"), cell: (r) => t(placeKeys[r.draft?.place ?? "PLACE_UNSPECIFIED"]) },
    { name: t("telework.requests.state"), narrow: true, cell: (r) => <RequestState request={r} /> },
    { name: t("telework.requests.submitted"), narrow: true, cell: (r) => shortDateTime(millis(r.submittedMs)) },
    {
      name: t("telework.requests.copy"),
      narrow: true,
      cell: (r) => <Copy request={r} words={daysWords(t, r, language)} />,
    },
  ];
}

/** The days as a link to the request. */
function Days({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <Link to="/requests/$id" params={{ id: request.requestId ?? "" }}>
        <RequestDays request={request} />
      </Link>
      {request.kind === "REQUEST_KIND_TELEWORK" ? null : (
        <span className="sub">{t(requestKindKeys[request.kind ?? "REQUEST_KIND_UNSPECIFIED"])}</span>
      )}
    </>
  );
}

function Copy({ request, words }: { readonly request: RequestJson; readonly words: string }): JSX.Element {
  const { t } = useTranslation();
  if (request.kind !== "REQUEST_KIND_TELEWORK") {
    return <>—</>;
  }
  return (
    <Link
      to="/requests/new"
      search={{ copy: request.requestId ?? "" }}
      aria-label={`${t("telework.requests.copy")}: ${words}`}
    >
      {t("telework.requests.copy")}
    </Link>
  );
}

/** The state of a request as a tag. */
export function RequestState({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  const state = request.state ?? "REQUEST_STATE_UNSPECIFIED";
  return <Tag tone={requestStateTones[state]}>{t(requestStateKeys[state])}</Tag>;
}

/** The days of a request in a line. */
export function RequestDays({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  return <>{daysWords(t, request, languageOf(i18n))}</>;
}

function daysWords(t: TFunction, request: RequestJson, language: Language): string {
  const [first, ...others] = request.draft?.days ?? [];
  if (first === undefined) {
    return "—";
  }
  const words = `${dayWords(first.date ?? "", language)} ${daySpan(first)}`;
  return others.length === 0 ? words : t("telework.requests.andMore", { first: words, count: others.length });
}

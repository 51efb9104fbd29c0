import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call, fromBase64 } from "../api/api.ts";
import type { EventJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { foldId } from "../typed/fold.ts";
import { dateTime, hex, millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Banner, Empty, Fact, Facts, Failed, PageTitle, Section, Tag } from "../kit/parts.tsx";
import { Table } from "../kit/table.tsx";
import { kindsJa } from "../kit/words/kinds.ja.ts";
import { Dialog, List, PAGE } from "../kit/lists.tsx";

interface Filter {
  readonly from: string;
  readonly until: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject: string;
}

const EVERYTHING: Filter = { from: "", until: "", kind: "", actor: "", subject: "" };

/** The audit log: what was done, by whom, and that nobody altered it. */
export function Events(): JSX.Element {
  const { t } = useTranslation();
  const [filter, setFilter] = useState(EVERYTHING);
  const [shown, setShown] = useState<EventJson | null>(null);
  const query = useInfiniteQuery({
    queryKey: ["events", filter],
    queryFn: async ({ pageParam, signal }) =>
      call("AdminService", "ListEvents", { page: { limit: PAGE, token: pageParam }, ...requestOf(filter) }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
  });
  const head = query.data?.pages[0]?.head ?? "";
  return (
    <>
      <PageTitle>{t("console.events.title")}</PageTitle>
      <Filters set={setFilter} />
      <List query={query} rows={(p) => p.events ?? []} empty={<Empty icon="info" title={t("console.events.empty")} />}>
        {(events) => <EventTable events={events} show={setShown} />}
      </List>
      <Section title={t("console.events.verifyTitle")}>
        <Verify head={head} read={query.dataUpdatedAt} />
      </Section>
      {shown === null ? null : <EventDialog event={shown} close={() => setShown(null)} />}
    </>
  );
}

const start = (date: string, plus: number): string => {
  return String(Date.parse(`${date}T00:00:00+09:00`) + plus * 86_400_000);
};

/** Days are those of Japan: from the start of the first to the end of the last. */
export function requestOf(f: Filter): {
  kind: string;
  actor: string;
  subject: string;
  fromMs?: string;
  untilMs?: string;
} {
  return {
    kind: f.kind,
    actor: foldId(f.actor),
    subject: foldId(f.subject),
    ...(f.from === "" ? {} : { fromMs: start(f.from, 0) }),
    ...(f.until === "" ? {} : { untilMs: start(f.until, 1) }),
  };
}

function Filters({ set }: { readonly set: (f: Filter) => void }): JSX.Element {
  const { t } = useTranslation();
  const form = useForm<Filter>({
    initialValues: EVERYTHING,
    validate: {
      until: (v, all) => (v !== "" && all.from !== "" && v < all.from ? t("console.events.untilBad") : null),
    },
  });
  const kinds = Object.keys(kindsJa) as (keyof typeof kindsJa)[];
  return (
    <search>
      <form className="filters" onSubmit={form.onSubmit(set)} noValidate>
        <TextInput type="date" label={t("console.events.from")} {...form.getInputProps("from")} />
        <TextInput type="date" label={t("console.events.until")} {...form.getInputProps("until")} />
        <NativeSelect
          label={t("console.events.kind")}
          data={[
            { value: "", label: t("console.events.kindHint") },
            ...kinds.map((k) => ({ value: k as string, label: t(`console.events.kinds.${k}`) })),
          ]}
          {...form.getInputProps("kind")}
        />
        <TextInput
          label={t("console.events.actor")}
          placeholder={t("console.events.actorHint")}
          {...form.getInputProps("actor")}
        />
        <TextInput
          label={t("console.events.subject")}
          placeholder={t("console.events.subjectHint")}
          {...form.getInputProps("subject")}
        />
        <Button type="submit" variant="outline">
          {t("console.searchDo")}
        </Button>
      </form>
    </search>
  );
}

function EventTable({
  events,
  show,
}: {
  readonly events: readonly EventJson[];
  readonly show: (e: EventJson) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Table
      caption={t("console.events.title")}
      rows={events}
      id={(e) => e.number ?? ""}
      columns={[
        { name: t("console.events.number"), right: true, narrow: true, cell: (e) => e.number },
        { name: t("console.events.time"), narrow: true, cell: (e) => shortDateTime(millis(e.timeMs), true) },
        { name: t("console.events.kind"), heads: true, cell: (e) => <KindName event={e} /> },
        { name: t("console.events.actor"), cell: (e) => <Party of={e.actor ?? ""} /> },
        { name: t("console.events.subject"), cell: (e) => <Party of={e.subject ?? ""} /> },
        { name: t("console.events.outcome"), narrow: true, cell: (e) => <Outcome event={e} /> },
        {
          name: t("console.events.details"),
          narrow: true,
          cell: (e) => (
            <Button
              size="xs"
              variant="subtle"
              onClick={() => show(e)}
              aria-label={t("console.events.showFor", { number: e.number ?? "" })}
            >
              {t("console.events.show")}
            </Button>
          ),
        },
      ]}
    />
  );
}

/** Who or what, `desk:8923…`. A line ends behind the colon sooner than within an id. */
function Party({ of }: { readonly of: string }): JSX.Element {
  const colon = of.indexOf(":") + 1;
  if (of === "") {
    return <>—</>;
  }
  return (
    <span>
      {of.slice(0, colon)}
      <wbr />
      {of.slice(colon)}
    </span>
  );
}

function KindName({ event }: { readonly event: EventJson }): JSX.Element {
  const { i18n } = useTranslation();
  return <>{languageOf(i18n) === "ja" ? event.kindJa : event.kindEn}</>;
}

function Outcome({ event }: { readonly event: EventJson }): JSX.Element {
  const { t } = useTranslation();
  const known = {
    done: ["green", t("console.events.done")],
    refused: ["orange", t("console.events.refused")],
    failed: ["red", t("console.events.failed")],
  } as const;
  const [tone, word] = known[event.outcome as keyof typeof known] ?? (["gray", event.outcome] as const);
  return (
    <span>
      <Tag tone={tone}>{word}</Tag>
      <span className="sub mono">{event.code}</span>
    </span>
  );
}

function EventDialog({ event, close }: { readonly event: EventJson; readonly close: () => void }): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <Dialog title={t("console.events.showFor", { number: event.number ?? "" })} close={close}>
      <Facts>
        <Fact name={t("console.events.time")}>{dateTime(millis(event.timeMs), languageOf(i18n))}</Fact>
        <Fact name={t("console.events.kind")}>
          <KindName event={event} />
        </Fact>
        <Fact name={t("console.events.actor")}>{event.actor}</Fact>
        <Fact name={t("console.events.subject")}>{event.subject || "—"}</Fact>
        <Fact name={t("console.events.outcome")}>
          <Outcome event={event} />
        </Fact>
        <Fact name={t("console.events.session")}>
          <span className="mono">{digits(event.sessionId)}</span>
        </Fact>
        <Fact name={t("console.events.details")}>
          <pre className="mono details">{pretty(event.details ?? "")}</pre>
        </Fact>
        <Fact name={t("console.events.hash")}>
          <span className="mono">{digits(event.hash)}</span>
        </Fact>
      </Facts>
    </Dialog>
  );
}

const digits = (bytes: string | undefined): string => (bytes === undefined ? "—" : hex(fromBase64(bytes)));

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json || "—";
  }
}

function Verify({ head, read }: { readonly head: string; readonly read: number }): JSX.Element {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const verify = useMutation({ mutationFn: async () => call("AdminService", "VerifyEvents", { head: typed.trim() }) });
  const result = verify.data;
  const newest = result?.head || head;
  return (
    <div className="columns">
      <div className="stack-tight">
        <Textarea
          label={t("console.events.verifyHead")}
          description={t("console.events.verifyHeadHint")}
          rows={2}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          spellCheck={false}
        />
        <div>
          <Button loading={verify.isPending} onClick={() => verify.mutate()}>
            {t("console.events.verify")}
          </Button>
        </div>
        {verify.isError ? <Failed error={verify.error} /> : null}
        {result === undefined ? null : result.intact === true ? (
          <Banner tone="success" title={t("console.events.intact", { count: millis(result.checked) })} live>
            {t("console.events.keptHeads", { count: millis(result.keptHeads) })}
          </Banner>
        ) : (
          <Banner tone="error" title={t("console.events.broken", { at: result.at ?? "" })} live>
            {result.problem}
          </Banner>
        )}
      </div>
      <div className="stack-tight">
        <h3 className="small-heading">{t("console.events.head")}</h3>
        <p className="sub">{t("console.events.headHelp")}</p>
        <code className="command">{newest}</code>
        <div>
          <Button variant="outline" onClick={printHead}>
            {t("console.events.printHead")}
          </Button>
        </div>
        <HeadPaper head={newest} at={result === undefined ? read : verify.submittedAt} />
      </div>
    </div>
  );
}

/** What is printed: the line, when, and nothing else. */
function HeadPaper({ head, at }: { readonly head: string; readonly at: number }): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <div className="head-paper">
      <h1>{t("console.events.headPaper")}</h1>
      <p>{dateTime(at, languageOf(i18n))}</p>
      <p className="mono">{head}</p>
    </div>
  );
}

function printHead(): void {
  document.body.classList.add("print-head");
  window.print();
  document.body.classList.remove("print-head");
}

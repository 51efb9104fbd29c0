import { Button, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import { call } from "../api/api.ts";
import type { CreateDeskTokenResponseJson, DeskJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { ZoneJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { deskStateKeys, zoneKeys } from "../kit/enums.ts";
import { dateTime, listing, millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Banner, Empty, Failed, Needed, PageTitle, Tag } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { Table } from "../kit/table.tsx";
import { allUsersQuery, sectionChoices, sectionPath, sectionsQuery, userChoices } from "../kit/choices.ts";
import { Confirm, Dialog, DialogButtons, List, PAGE, RowMenu, say, useChange, type Act } from "../kit/lists.tsx";
import { isName } from "./roster.ts";

type Asking = { readonly what: "edit" | "token" | "lock" | "remove"; readonly desk: DeskJson };

/** How often states are read again, in milliseconds. */
const EVERY = 10_000;

/** The desks of the organisation, and what can be done with them. */
export function Desks(): JSX.Element {
  const { t, i18n } = useTranslation();
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [asking, setAsking] = useState<Asking | null>(null);
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: users = [] } = useQuery(allUsersQuery);
  const query = useInfiniteQuery({
    queryKey: ["all-desks", "list", search],
    queryFn: async ({ pageParam, signal }) =>
      call("AdminService", "ListAllDesks", { page: { limit: PAGE, token: pageParam }, query: search }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY,
  });
  const submit = (e: React.SubmitEvent): void => {
    e.preventDefault();
    setSearch(typed.trim());
  };
  const userName = (id: string): string => users.find((u) => u.userId === id)?.name ?? id;
  return (
    <>
      <PageTitle
        actions={
          <Button leftSection={<Icon name="plus" size={20} />} onClick={() => setAsking({ what: "edit", desk: {} })}>
            {t("console.desks.add")}
          </Button>
        }
      >
        {t("console.desks.title")}
      </PageTitle>
      <search>
        <form className="filters" onSubmit={submit}>
          <TextInput
            className="grow"
            label={t("console.desks.query")}
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
          />
          <Button type="submit" variant="outline">
            {t("console.searchDo")}
          </Button>
        </form>
      </search>
      <List
        query={query}
        rows={(p) => p.desks ?? []}
        empty={<Empty icon="desk" title={t(search === "" ? "console.nothingYet" : "console.noMatch")} />}
      >
        {(desks) => (
          <Table
            caption={t("console.desks.title")}
            rows={desks}
            id={(d) => d.deskId ?? ""}
            columns={[
              {
                name: t("console.desks.name"),
                heads: true,
                cell: (d) => (
                  <span>
                    <strong>{d.name}</strong>
                    <span className="sub">{d.hostname}</span>
                  </span>
                ),
              },
              { name: t("console.state"), cell: (d) => <DeskTags desk={d} /> },
              {
                name: t("console.desks.assigned"),
                cell: (d) => listing((d.userIds ?? []).map(userName), languageOf(i18n)) || t("none"),
              },
              { name: t("console.desks.section"), cell: (d) => sectionPath(sections, d.sectionId ?? "") || "—" },
              { name: t("console.desks.zone"), cell: (d) => t(zoneKeys[d.zone ?? "ZONE_UNSPECIFIED"]) },
              {
                name: t("console.desks.version"),
                cell: (d) => (
                  <span>
                    {d.agentVersion || "—"}
                    <span className="sub">{d.system}</span>
                  </span>
                ),
              },
              {
                name: t("console.desks.seen"),
                narrow: true,
                cell: (d) => (millis(d.lastSeenMs) === 0 ? "—" : shortDateTime(millis(d.lastSeenMs))),
              },
              { name: t("console.actions"), narrow: true, cell: (d) => <DeskMenu desk={d} ask={setAsking} /> },
            ]}
          />
        )}
      </List>
      {asking === null ? null : <Asked asking={asking} close={() => setAsking(null)} />}
    </>
  );
}

function DeskTags({ desk }: { readonly desk: DeskJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const fault = desk.screenFault;
  const state = desk.state ?? "DESK_STATE_UNSPECIFIED";
  const on = state === "DESK_STATE_ON" || state === "DESK_STATE_IN_SESSION";
  return (
    <span className="tags">
      <Tag tone={state === "DESK_STATE_ON" ? "green" : state === "DESK_STATE_IN_SESSION" ? "blue" : "gray"}>
        {t(deskStateKeys[state])}
      </Tag>
      {on && desk.loggedIn === true ? <Tag tone="gray">{t("console.desks.loggedIn")}</Tag> : null}
      {on && desk.locked === true ? <Tag tone="gray">{t("console.desks.locked")}</Tag> : null}
      {on && fault !== undefined ? (
        <>
          <Tag tone="red">{t("console.desks.unshown")}</Tag>
          <small>
            {languageOf(i18n) === "ja" ? fault.ja : fault.en} {t("code", { code: fault.code ?? "" })}
          </small>
        </>
      ) : null}
      {on && desk.lockable !== true ? <Tag tone="orange">{t("console.desks.unlockable")}</Tag> : null}
    </span>
  );
}

function DeskMenu({ desk, ask }: { readonly desk: DeskJson; readonly ask: (a: Asking) => void }): JSX.Element {
  const { t } = useTranslation();
  const acts: Act[] = [
    { name: t("console.desks.edit"), do: () => ask({ what: "edit", desk }) },
    { name: t("console.desks.token"), do: () => ask({ what: "token", desk }) },
  ];
  if (desk.lockable === true) {
    acts.push({ name: t("console.desks.lock"), do: () => ask({ what: "lock", desk }) });
  }
  acts.push({ name: t("console.desks.remove"), do: () => ask({ what: "remove", desk }), danger: true });
  return <RowMenu name={desk.name ?? ""} acts={acts} />;
}

function Asked({
  asking: { what, desk },
  close,
}: {
  readonly asking: Asking;
  readonly close: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const deskId = desk.deskId ?? "";
  const name = desk.name ?? "";
  const changes = ["all-desks"];
  switch (what) {
    case "edit":
      return <EditDesk desk={desk} close={close} />;
    case "token":
      return <DeskToken desk={desk} close={close} />;
    case "lock":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.desks.lockTitle")}
          text={t("console.desks.lockText", { name })}
          yes={t("console.desks.lock")}
          act={async () => call("AdminService", "LockDesk", { deskId })}
          done={() => say(t("console.desks.lockDone", { name }))}
        />
      );
    case "remove":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.desks.removeTitle")}
          text={t("console.desks.removeText", { name })}
          yes={t("console.desks.remove")}
          danger
          act={async () => call("AdminService", "DeleteDesk", { deskId })}
          done={() => say(t("console.desks.removed", { name }))}
        />
      );
  }
}

/** What a desk must have. */
export function deskFields(t: TFunction) {
  return z.object({
    name: z.string().refine((s) => isName(s.trim()), t("console.desks.nameBad")),
    zone: z.string().min(1, t("console.desks.zoneNeeded")),
  });
}

function EditDesk({ desk, close }: { readonly desk: DeskJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: users = [] } = useQuery(allUsersQuery);
  const form = useForm({
    initialValues: {
      name: desk.name ?? "",
      zone: desk.zone ?? "",
      sectionId: desk.sectionId ?? "",
      userIds: desk.userIds ?? [],
    },
    validate: schemaResolver(deskFields(t), { sync: true }),
  });
  const change = useChange(
    ["all-desks"],
    async (v: typeof form.values) =>
      call("AdminService", "PutDesk", {
        ...v,
        deskId: desk.deskId ?? "",
        name: v.name.trim(),
        zone: v.zone as ZoneJson,
      }),
    () => {
      close();
      say(t("console.desks.saved"));
    },
  );
  const zones = (["ZONE_LGWAN", "ZONE_INTERNET", "ZONE_MYNUMBER"] as const).map((zone) => ({
    value: zone as string,
    label: t(zoneKeys[zone]),
  }));
  return (
    <Dialog title={t(desk.deskId === undefined ? "console.desks.addTitle" : "console.desks.editTitle")} close={close}>
      {change.isError ? <Failed error={change.error} /> : null}
      <form className="stack" onSubmit={form.onSubmit((v) => change.mutate(v), focusFirstError)} noValidate>
        <TextInput
          label={<Needed>{t("console.desks.name")}</Needed>}
          autoComplete="off"
          {...form.getInputProps("name")}
        />
        <NativeSelect
          label={<Needed>{t("console.desks.zone")}</Needed>}
          description={desk.enrolled === true ? t("console.desks.zoneFixed") : undefined}
          disabled={desk.enrolled === true}
          data={[{ value: "", label: "—" }, ...zones]}
          {...form.getInputProps("zone")}
        />
        <NativeSelect
          label={t("console.desks.section")}
          data={[{ value: "", label: t("console.sectionNone") }, ...sectionChoices(sections)]}
          {...form.getInputProps("sectionId")}
        />
        <MultiSelect
          label={t("console.desks.users")}
          description={t("console.desks.usersHint")}
          data={userChoices(users)}
          searchable
          {...form.getInputProps("userIds")}
        />
        <DialogButtons close={close}>
          <Button type="submit" loading={change.isPending}>
            {t("save")}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

function DeskToken({ desk, close }: { readonly desk: DeskJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const make = useChange(
    ["all-desks"],
    async () => call("AdminService", "CreateDeskToken", { deskId: desk.deskId ?? "" }),
    () => undefined,
  );
  return (
    <Dialog title={t("console.desks.tokenTitle")} close={close}>
      {make.data === undefined ? (
        <div className="stack-tight">
          <div>{t("console.desks.tokenText", { name: desk.name ?? "" })}</div>
          {desk.enrolled === true ? <Banner tone="warning" title={t("console.desks.tokenAgain")} /> : null}
          {make.isError ? <Failed error={make.error} /> : null}
          <DialogButtons close={close}>
            <Button loading={make.isPending} onClick={() => make.mutate(undefined)}>
              {t("console.desks.tokenDo")}
            </Button>
          </DialogButtons>
        </div>
      ) : (
        <TokenShown token={make.data} close={close} />
      )}
    </Dialog>
  );
}

function TokenShown({
  token,
  close,
}: {
  readonly token: CreateDeskTokenResponseJson;
  readonly close: () => void;
}): JSX.Element {
  const { t, i18n } = useTranslation();
  const copy = (text: string): void => {
    navigator.clipboard.writeText(text).then(
      () => say(t("copied")),
      () => say(t("copyFailed")),
    );
  };
  return (
    <div className="stack-tight">
      <output>{t("console.desks.tokenShown")}</output>
      <code className="command" aria-label={t("console.desks.tokenCommand")}>
        {token.command}
      </code>
      <div>{t("console.desks.tokenAsked")}</div>
      <code className="command" aria-label={t("console.desks.tokenItself")}>
        {token.token}
      </code>
      <Banner
        tone="warning"
        title={t("console.desks.tokenUntil", { date: dateTime(millis(token.untilMs), languageOf(i18n)) })}
      />
      <div className="row row-end">
        <Button variant="outline" onClick={() => copy(token.command ?? "")}>
          {t("console.desks.copyCommand")}
        </Button>
        <Button variant="outline" onClick={() => copy(token.token ?? "")}>
          {t("console.desks.copyToken")}
        </Button>
        <Button onClick={close}>{t("close")}</Button>
      </div>
    </div>
  );
}

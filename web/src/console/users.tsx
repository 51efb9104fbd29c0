import { Button, NativeSelect, TextInput } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { SlipJson, UserJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { RoleJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { roleKeys } from "../kit/enums.ts";
import { listing, millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Empty, Failed, PageTitle, Tag } from "../kit/parts.tsx";
import { Table } from "../kit/table.tsx";
import { MINUTE } from "../kit/today.ts";
import { sectionChoices, sectionPath, sectionsQuery } from "../kit/choices.ts";
import { Confirm, Dialog, List, PAGE, RowMenu, say, useChange, type Act } from "../kit/lists.tsx";
import { NewCode } from "./newcode.tsx";
import { useSlips } from "./slips.tsx";
import { UserForm } from "./userform.tsx";

type Asking = {
  readonly what: "edit" | "disable" | "enable" | "unlock" | "reset" | "totp" | "code";
  readonly user: UserJson;
};

/** The users, and what can be done with them. */
export function Users(): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const [filter, setFilter] = useState({ query: "", sectionId: "" });
  const [asking, setAsking] = useState<Asking | null>(null);
  const { data: sections = [] } = useQuery(sectionsQuery);
  const query = useInfiniteQuery({
    queryKey: ["users", "list", filter],
    queryFn: async ({ pageParam, signal }) =>
      call("AdminService", "ListUsers", { page: { limit: PAGE, token: pageParam }, ...filter }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: MINUTE,
  });
  const filtered = filter.query !== "" || filter.sectionId !== "";
  return (
    <>
      <PageTitle
        actions={
          <Button component={Link} to="/console/users/new" leftSection={<Icon name="plus" size={20} />}>
            {t("console.users.add")}
          </Button>
        }
      >
        {t("console.users.title")}
      </PageTitle>
      <Filters set={setFilter} />
      <List
        query={query}
        rows={(p) => p.users ?? []}
        empty={<Empty icon="user" title={t(filtered ? "console.noMatch" : "console.nothingYet")} />}
      >
        {(users) => (
          <Table
            caption={t("console.users.title")}
            rows={users}
            id={(u) => u.userId ?? ""}
            columns={[
              {
                name: t("console.users.name"),
                heads: true,
                cell: (u) => (
                  <span>
                    <strong>{u.name}</strong>
                    <span className="sub">{u.kana}</span>
                  </span>
                ),
              },
              { name: t("console.users.id"), cell: (u) => u.userId },
              { name: t("console.users.section"), cell: (u) => sectionPath(sections, u.mainSectionId ?? "") || "—" },
              {
                name: t("console.users.roles"),
                cell: (u) =>
                  listing(
                    (u.roles ?? []).map((r: RoleJson) => t(roleKeys[r])),
                    language,
                  ),
              },
              { name: t("console.state"), cell: (u) => <UserState user={u} now={query.dataUpdatedAt} /> },
              { name: t("console.users.devices"), right: true, cell: (u) => u.deviceCount ?? 0 },
              {
                name: t("console.users.lastSignIn"),
                narrow: true,
                cell: (u) => (millis(u.lastSignInMs) === 0 ? "—" : shortDateTime(millis(u.lastSignInMs))),
              },
              {
                name: t("console.actions"),
                narrow: true,
                cell: (u) => <UserMenu user={u} now={query.dataUpdatedAt} ask={setAsking} />,
              },
            ]}
          />
        )}
      </List>
      {asking === null ? null : <Asked asking={asking} close={() => setAsking(null)} />}
    </>
  );
}

function Filters({ set }: { readonly set: (f: { query: string; sectionId: string }) => void }): JSX.Element {
  const { t } = useTranslation();
  const { data: sections = [] } = useQuery(sectionsQuery);
  const [query, setQuery] = useState("");
  const [sectionId, setSectionId] = useState("");
  const submit = (e: React.SubmitEvent): void => {
    e.preventDefault();
    set({ query: query.trim(), sectionId });
  };
  return (
    <search>
      <form className="filters" onSubmit={submit}>
        <TextInput
          className="grow"
          label={t("console.users.query")}
          value={query}
          onChange={(e) => setQuery(e.currentTarget.value)}
        />
        <NativeSelect
          label={t("console.nav.sections")}
          data={[{ value: "", label: "—" }, ...sectionChoices(sections)]}
          value={sectionId}
          onChange={(e) => setSectionId(e.currentTarget.value)}
        />
        <Button type="submit" variant="outline">
          {t("console.searchDo")}
        </Button>
      </form>
    </search>
  );
}

function isLocked(u: UserJson, now: number): boolean {
  return millis(u.lockedUntilMs) > now;
}

function UserState({ user, now }: { readonly user: UserJson; readonly now: number }): JSX.Element {
  const { t } = useTranslation();
  return (
    <span className="tags">
      {user.disabled === true ? (
        <Tag tone="gray">{t("console.users.disabled")}</Tag>
      ) : (
        <Tag tone="green">{t("console.users.active")}</Tag>
      )}
      {isLocked(user, now) ? <Tag tone="red">{t("console.users.locked")}</Tag> : null}
      {user.mustChangePassword === true ? <Tag tone="orange">{t("console.users.initial")}</Tag> : null}
    </span>
  );
}

function UserMenu({
  user,
  now,
  ask,
}: {
  readonly user: UserJson;
  readonly now: number;
  readonly ask: (a: Asking) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const acts: Act[] = [
    { name: t("console.users.edit"), do: () => ask({ what: "edit", user }) },
    { name: t("console.users.newCode"), do: () => ask({ what: "code", user }) },
    { name: t("console.users.reset"), do: () => ask({ what: "reset", user }) },
  ];
  if (user.hasTotp === true) {
    acts.push({ name: t("console.users.resetTotp"), do: () => ask({ what: "totp", user }) });
  }
  if (isLocked(user, now)) {
    acts.push({ name: t("console.users.unlock"), do: () => ask({ what: "unlock", user }) });
  }
  acts.push(
    user.disabled === true
      ? { name: t("console.users.enable"), do: () => ask({ what: "enable", user }) }
      : { name: t("console.users.disable"), do: () => ask({ what: "disable", user }), danger: true },
  );
  return <RowMenu name={user.name ?? ""} acts={acts} />;
}

/** The dialog of an act. */
function Asked({
  asking: { what, user },
  close,
}: {
  readonly asking: Asking;
  readonly close: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { lay } = useSlips();
  const userId = user.userId ?? "";
  const name = user.name ?? "";
  const changes = ["users"];
  const show = (slip: SlipJson | undefined): void => {
    lay(slip === undefined ? [] : [slip]);
    void navigate({ to: "/console/slips" });
  };
  switch (what) {
    case "edit":
      return <EditUser user={user} close={close} />;
    case "disable":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.users.disableTitle")}
          text={t("console.users.disableText", { name })}
          yes={t("console.users.disable")}
          danger
          act={async () => call("AdminService", "SetUserDisabled", { userId, disabled: true })}
          done={() => say(t("console.users.disabledDone", { name }))}
        />
      );
    case "enable":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.users.enable")}
          text={name}
          yes={t("console.users.enable")}
          act={async () => call("AdminService", "SetUserDisabled", { userId, disabled: false })}
          done={() => say(t("console.users.enabledDone", { name }))}
        />
      );
    case "unlock":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.users.unlock")}
          text={name}
          yes={t("console.users.unlock")}
          act={async () => call("AdminService", "UnlockUser", { userId })}
          done={() => say(t("console.users.unlocked", { name }))}
        />
      );
    case "reset":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.users.resetTitle")}
          text={t("console.users.resetText", { name })}
          yes={t("console.users.resetDo")}
          danger
          act={async () => call("AdminService", "ResetPassword", { userId })}
          done={(r) => show(r.slip)}
        />
      );
    case "totp":
      return (
        <Confirm
          {...{ close, changes }}
          title={t("console.users.resetTotp")}
          text={t("console.users.resetTotpText", { name })}
          yes={t("console.users.resetTotpDo")}
          danger
          act={async () => call("AdminService", "ResetTOTP", { userId })}
          done={() => say(t("console.users.resetTotpDone", { name }))}
        />
      );
    case "code":
      return <NewCode user={user} close={close} show={show} />;
  }
}

function EditUser({ user, close }: { readonly user: UserJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const change = useChange(
    ["users"],
    async (f: Parameters<React.ComponentProps<typeof UserForm>["submit"]>[0]) =>
      call("AdminService", "UpdateUser", {
        userId: f.userId,
        name: f.name,
        kana: f.kana,
        mainSectionId: f.mainSectionId,
        otherSectionIds: f.otherSectionIds,
        roles: f.roles as RoleJson[],
      }),
    () => {
      close();
      say(t("console.users.saved"));
    },
  );
  return (
    <Dialog title={t("console.users.editTitle")} close={close}>
      {change.isError ? <Failed error={change.error} /> : null}
      <UserForm
        user={user}
        busy={change.isPending}
        submitName={t("save")}
        submit={(f) => change.mutate(f)}
        cancel={close}
      />
    </Dialog>
  );
}

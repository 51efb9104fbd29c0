import { Button, MultiSelect, NativeSelect, NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { SectionJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { Icon } from "../kit/icons.tsx";
import { Empty, Failed, Needed, PageTitle, Waiting } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { allUsersQuery, sectionChoices, sectionsQuery, sectionTree, userChoices } from "../kit/choices.ts";
import { Confirm, Dialog, DialogButtons, say, useChange } from "../kit/lists.tsx";
import { isName } from "./roster.ts";

type Asking = { readonly what: "edit" | "remove"; readonly section: SectionJson };

/** The sections as a tree. */
export function Sections(): JSX.Element {
  const { t } = useTranslation();
  const [asking, setAsking] = useState<Asking | null>(null);
  const { data, isPending, error, refetch } = useQuery(sectionsQuery);
  const close = (): void => setAsking(null);
  return (
    <>
      <PageTitle
        actions={
          <Button leftSection={<Icon name="plus" size={20} />} onClick={() => setAsking({ what: "edit", section: {} })}>
            {t("console.sections.add")}
          </Button>
        }
      >
        {t("console.sections.title")}
      </PageTitle>
      {isPending ? <Waiting lines={6} /> : null}
      {data === undefined && !isPending ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data?.length === 0 ? (
        <Empty icon="user" title={t("console.sections.empty")}>
          <p>{t("console.sections.emptyHelp")}</p>
        </Empty>
      ) : null}
      {data === undefined || data.length === 0 ? null : <Tree sections={data} parent="" ask={setAsking} />}
      {asking?.what === "edit" ? <EditSection section={asking.section} close={close} /> : null}
      {asking?.what === "remove" ? (
        <Confirm
          close={close}
          changes={["sections"]}
          title={t("console.sections.removeTitle")}
          text={t("console.sections.removeText", { name: asking.section.name ?? "" })}
          yes={t("console.sections.remove")}
          danger
          act={async () => call("AdminService", "DeleteSection", { sectionId: asking.section.sectionId ?? "" })}
          done={() => say(t("console.sections.removed", { name: asking.section.name ?? "" }))}
        />
      ) : null}
    </>
  );
}

interface TreeProps {
  readonly sections: readonly SectionJson[];
  readonly parent: string;
  readonly ask: (a: Asking) => void;
}

function Tree({ sections, parent, ask }: TreeProps): JSX.Element | null {
  const known = new Set(sections.map((s) => s.sectionId));
  const here = sectionTree(sections).flatMap(({ section }) =>
    (known.has(section.parentId) ? section.parentId : "") === parent ? [section] : [],
  );
  if (here.length === 0) {
    return null;
  }
  return (
    <ul className={parent === "" ? "tree" : undefined}>
      {here.map((s) => (
        <li key={s.sectionId}>
          <Row section={s} ask={ask} />
          <Tree sections={sections} parent={s.sectionId ?? ""} ask={ask} />
        </li>
      ))}
    </ul>
  );
}

function Row({ section, ask }: { readonly section: SectionJson; readonly ask: (a: Asking) => void }): JSX.Element {
  const { t } = useTranslation();
  const { data: users = [] } = useQuery(allUsersQuery);
  const name = section.name ?? "";
  const head = users.find((u) => u.userId === section.headUserId)?.name ?? section.headUserId;
  return (
    <div className="tree-row">
      <span className="tree-name">{name}</span>
      {head === undefined ? null : <span className="sub">{t("console.sections.headShort", { name: head })}</span>}
      <span className="end">
        <Button
          size="xs"
          variant="subtle"
          aria-label={t("console.sections.addBelowFor", { name })}
          onClick={() => ask({ what: "edit", section: { parentId: section.sectionId ?? "" } })}
        >
          {t("console.sections.addBelow")}
        </Button>
        <Button
          size="xs"
          variant="subtle"
          aria-label={t("console.sections.editFor", { name })}
          onClick={() => ask({ what: "edit", section })}
        >
          {t("console.sections.edit")}
        </Button>
        <Button
          size="xs"
          variant="subtle"
          color="red"
          aria-label={t("console.sections.removeFor", { name })}
          onClick={() => ask({ what: "remove", section })}
        >
          {t("console.sections.remove")}
        </Button>
      </span>
    </div>
  );
}

/** What a number field holds: text while it is empty. */
const whole = (typed: number | string): number => (typeof typed === "number" ? typed : 0);

function EditSection({ section, close }: { readonly section: SectionJson; readonly close: () => void }): JSX.Element {
  const { t } = useTranslation();
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: users = [] } = useQuery(allUsersQuery);
  const form = useForm({
    initialValues: {
      name: section.name ?? "",
      parentId: section.parentId ?? "",
      position: section.position ?? 0,
      headUserId: section.headUserId ?? null,
      deputyUserIds: section.deputyUserIds ?? [],
    },
    validate: { name: (v) => (isName(v.trim()) ? null : t("console.sections.nameBad")) },
  });
  const change = useChange(
    ["sections"],
    async (v: typeof form.values) =>
      call("AdminService", "PutSection", {
        section: {
          ...v,
          position: whole(v.position),
          sectionId: section.sectionId ?? "",
          name: v.name.trim(),
          headUserId: v.headUserId ?? "",
        },
      }),
    () => {
      close();
      say(t("console.sections.saved"));
    },
  );
  const parents = sectionChoices(sections).filter((c) => c.value !== section.sectionId);
  return (
    <Dialog
      title={t(section.sectionId === undefined ? "console.sections.addTitle" : "console.sections.editTitle")}
      close={close}
    >
      {change.isError ? <Failed error={change.error} /> : null}
      <form className="stack" onSubmit={form.onSubmit((v) => change.mutate(v), focusFirstError)} noValidate>
        <TextInput
          label={<Needed>{t("console.sections.name")}</Needed>}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("name")}
        />
        <NativeSelect
          label={t("console.sections.parent")}
          data={[{ value: "", label: t("console.sections.top") }, ...parents]}
          {...form.getInputProps("parentId")}
        />
        <NumberInput
          label={t("console.sections.position")}
          min={0}
          max={9999}
          allowDecimal={false}
          {...form.getInputProps("position")}
        />
        <Select
          label={t("console.sections.head")}
          data={userChoices(users)}
          searchable
          clearable
          clearButtonProps={{ "aria-label": t("console.clear") }}
          {...form.getInputProps("headUserId")}
        />
        <MultiSelect
          label={t("console.sections.deputies")}
          data={userChoices(users)}
          searchable
          {...form.getInputProps("deputyUserIds")}
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

import { Button, MultiSelect, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { sectionChoices, sectionPath, sectionsQuery, sectionTree } from "../kit/choices.ts";
import { Dialog, DialogButtons, say, useChange } from "../kit/lists.tsx";
import type { SectionJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { RouteJson, RouteStepJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { listing } from "../kit/format.ts";
import { languageOf, type Language } from "../kit/i18n.ts";
import { Empty, Failed, PageTitle, Waiting } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import "./policy.css";

/** The most steps that decide. */
const STEPS = 3;

/** Who approves requests, section by section. */
export function Routes(): JSX.Element {
  const { t, i18n } = useTranslation();
  const [edited, setEdited] = useState<SectionJson | null>(null);
  const sections = useQuery(sectionsQuery);
  const routes = useQuery({
    queryKey: ["routes"],
    queryFn: async ({ signal }) => (await call("PolicyService", "GetRoutes", {}, signal)).routes ?? [],
    staleTime: 0,
  });
  const error = sections.error ?? routes.error;
  const all = sections.data ?? [];
  const rows = sectionTree(all).map((leaf) => leaf.section);
  return (
    <>
      <PageTitle>{t("policy.routes.title")}</PageTitle>
      <p className="lead">{t("policy.routes.lead")}</p>
      {error !== null ? <Failed error={error} retry={() => void routes.refetch()} /> : null}
      {error === null && (sections.data === undefined || routes.data === undefined) ? <Waiting lines={5} /> : null}
      {sections.data?.length === 0 ? <Empty icon="user" title={t("console.nothingYet")} /> : null}
      {routes.data === undefined || rows.length === 0 ? null : (
        <Table
          caption={t("policy.routes.caption")}
          rows={rows}
          id={(s) => s.sectionId ?? ""}
          columns={columns({ t, language: languageOf(i18n), sections: all, routes: routes.data, edit: setEdited })}
        />
      )}
      {edited === null || routes.data === undefined ? null : (
        <EditRoute
          section={edited}
          sections={all}
          route={routes.data.find((r) => r.sectionId === edited.sectionId)}
          close={() => setEdited(null)}
        />
      )}
    </>
  );
}

interface Shown {
  readonly t: TFunction;
  readonly language: Language;
  readonly sections: readonly SectionJson[];
  readonly routes: readonly RouteJson[];
  readonly edit: (section: SectionJson) => void;
}

function columns({ t, language, sections, routes, edit }: Shown): Column<SectionJson>[] {
  return [
    { name: t("policy.routes.section"), heads: true, cell: (s) => sectionPath(sections, s.sectionId ?? "") },
    {
      name: t("policy.routes.route"),
      cell: (s) =>
        routeWords(
          t,
          language,
          sections,
          routes.find((r) => r.sectionId === s.sectionId),
        ),
    },
    { name: t("policy.routes.edit"), narrow: true, cell: (s) => <Edit section={s} edit={edit} /> },
  ];
}

function routeWords(
  t: TFunction,
  language: Language,
  sections: readonly SectionJson[],
  route: RouteJson | undefined,
): string {
  const steps = route?.steps ?? [];
  if (steps.length === 0) {
    return t("policy.routes.inherited");
  }
  const name = (s: RouteStepJson): string => sections.find((x) => x.sectionId === s.sectionId)?.name ?? "";
  let number = 0;
  return listing(
    steps.map((s) =>
      s.circulate === true
        ? `${t("policy.routes.circulate")} ${name(s)}`
        : `${t("policy.routes.step", { number: ++number })} ${name(s)}`,
    ),
    language,
  );
}

function Edit({
  section,
  edit,
}: {
  readonly section: SectionJson;
  readonly edit: (section: SectionJson) => void;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <Button
      size="xs"
      variant="outline"
      aria-label={`${section.name ?? ""} ${t("policy.routes.edit")}`}
      onClick={() => edit(section)}
    >
      {t("policy.routes.edit")}
    </Button>
  );
}

interface EditRouteProps {
  readonly section: SectionJson;
  readonly sections: readonly SectionJson[];
  readonly route: RouteJson | undefined;
  readonly close: () => void;
}

function EditRoute({ section, sections, route, close }: EditRouteProps): JSX.Element {
  const { t } = useTranslation();
  const steps = route?.steps ?? [];
  const [deciding, setDeciding] = useState(steps.filter((s) => s.circulate !== true).map((s) => s.sectionId ?? ""));
  const [readers, setReaders] = useState(steps.filter((s) => s.circulate === true).map((s) => s.sectionId ?? ""));
  const choices = sectionChoices(sections);
  const save = useChange(
    ["routes"],
    async (to: RouteStepJson[]) =>
      call("PolicyService", "PutRoute", { route: { sectionId: section.sectionId ?? "", steps: to } }),
    () => {
      say(t("policy.saved"));
      close();
    },
  );
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    save.mutate([
      ...deciding.filter((id) => id !== "").map((sectionId) => ({ sectionId })),
      ...readers.map((sectionId) => ({ sectionId, circulate: true })),
    ]);
  };
  return (
    <Dialog title={t("policy.routes.editTitle", { name: section.name ?? "" })} close={close}>
      <form className="stack-tight" onSubmit={onSubmit} noValidate>
        <p className="hint">{t("policy.routes.head")}</p>
        {Array.from({ length: Math.min(STEPS, deciding.length + 1) }, (_, i) => (
          <NativeSelect
            key={i}
            label={`${t("policy.routes.deciding")} ${t("policy.routes.step", { number: i + 1 })}`}
            value={deciding[i] ?? ""}
            onChange={(e) => setDeciding(setAt(deciding, i, e.currentTarget.value))}
            data={[{ value: "", label: t("policy.routes.none") }, ...choices]}
          />
        ))}
        <MultiSelect
          label={t("policy.routes.readers")}
          data={choices}
          value={readers}
          onChange={setReaders}
          searchable
        />
        {save.isError ? <Failed error={save.error} /> : null}
        <DialogButtons close={close}>
          <Button variant="outline" onClick={() => save.mutate([])}>
            {t("policy.routes.clear")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={deciding.every((id) => id === "")}>
            {t("save")}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

/** The list with one place set; an empty last place falls away. */
function setAt(list: readonly string[], at: number, value: string): string[] {
  const next = [...list];
  next[at] = value;
  return next.filter((id) => id !== "");
}

import { Button, Tabs, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import type { NewUserJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { RoleJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { Banner, Failed, PageTitle } from "../kit/parts.tsx";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { Table } from "../kit/table.tsx";
import { allDesksQuery, sectionsQuery } from "../kit/choices.ts";
import { useChange } from "../kit/lists.tsx";
import { createInParts, PartError } from "./parts.ts";
import { MOST, readRoster, type Line } from "./roster.ts";
import { useSlips } from "./slips.tsx";
import { codeFor, UserForm } from "./userform.tsx";

/** Creates one user, or several from pasted lines, and leads to their slips. */
export function NewUsers(): JSX.Element {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { slips, lay } = useSlips();
  const [kept, setKept] = useState(false); // there are slips of an attempt that failed: the next are laid beside them
  const create = useChange(
    ["users", "all-desks"],
    async ({ users, done }: Attempt) => {
      const all = kept ? [...slips] : [];
      await createInParts(users, (more, made) => {
        all.push(...more);
        lay([...all]);
        setKept(true);
        done?.(made);
      });
    },
    () => void navigate({ to: "/console/slips" }),
  );
  return (
    <>
      <PageTitle>{t("console.users.newTitle")}</PageTitle>
      <p className="lead">{t("console.users.newLead")}</p>
      {create.isError ? <NotAll error={create.error} /> : null}
      <Tabs defaultValue="one" onChange={() => create.reset()} keepMounted={false}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="one">{t("console.users.one")}</Tabs.Tab>
          <Tabs.Tab value="several">{t("console.users.several")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="one">
          <UserForm
            busy={create.isPending}
            submitName={t("console.users.createOne")}
            submit={(f) => create.mutate({ users: [{ ...f, roles: f.roles as RoleJson[], ...codeFor(f) }] })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="several">
          <Several busy={create.isPending} submit={create.mutate} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

/** Users to create; `done` hears how many of them there are. */
interface Attempt {
  readonly users: readonly NewUserJson[];
  readonly done?: (made: number) => void;
}

/** Why users were not created, and what became of those before them. */
function NotAll({ error }: { readonly error: Error }): JSX.Element {
  const { t } = useTranslation();
  const { made = 0, doubtful = [] } = error instanceof PartError ? error : {};
  return (
    <div className="stack-tight">
      <Failed error={error instanceof PartError ? error.cause : error} />
      {doubtful.length > 0 ? (
        <Banner tone="warning" title={t("console.users.doubtful")}>
          {doubtful.join("、")}
        </Banner>
      ) : null}
      {made > 0 ? (
        <Banner tone="warning" title={t("console.users.madeSome", { count: made })}>
          <ButtonLink to="/console/slips">{t("console.users.toSlips")}</ButtonLink>
        </Banner>
      ) : null}
    </div>
  );
}

function Several({
  busy,
  submit,
}: {
  readonly busy: boolean;
  readonly submit: (attempt: Attempt) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: desks = [] } = useQuery(allDesksQuery);
  const [text, setText] = useState("");
  const lines = useMemo(() => readRoster(text, { sections, desks }, t), [text, sections, desks, t]);
  const good = lines.length > 0 && lines.length <= MOST && lines.every((l) => l.problems.length === 0);
  /** Lines go as their users come, so that those that are left can be tried again. */
  const create = (): void =>
    submit({
      users: lines.map((l) => l.user),
      done: (made) => setText(text.split(/\r?\n/).slice(lines[made - 1]?.number ?? 0).join("\n")),
    });
  const error = lines.length > MOST ? t("console.users.pasteMany", { max: MOST }) : null;
  return (
    <div className="stack">
      <Textarea
        className="paste"
        label={t("console.users.paste")}
        description={
          <>
            {t("console.users.pasteHint")}
            <br />
            {t("console.users.pasteExample")}
          </>
        }
        rows={8}
        wrap="off"
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        error={error}
        spellCheck={false}
        readOnly={busy}
      />
      {lines.length === 0 ? (
        <p className="sub">{t("console.users.pasteEmpty")}</p>
      ) : (
        <Preview lines={lines.slice(0, MOST)} />
      )}
      <div className="row row-end">
        {busy ? <output>{t("console.users.left", { count: lines.length })}</output> : null}
        <Button disabled={!good} loading={busy} onClick={create}>
          {t("console.users.create", { count: lines.length })}
        </Button>
      </div>
    </div>
  );
}

function Preview({ lines }: { readonly lines: readonly Line[] }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Table
      caption={t("console.users.preview")}
      rows={lines}
      id={(l) => String(l.number)}
      columns={[
        { name: t("console.users.line"), right: true, narrow: true, cell: (l) => l.number },
        { name: t("console.users.id"), heads: true, cell: (l) => l.user.userId },
        { name: t("console.users.name"), cell: (l) => l.user.name },
        { name: t("console.users.kana"), cell: (l) => l.user.kana },
        { name: t("console.users.section"), cell: (l) => l.section },
        { name: t("console.users.desks"), cell: (l) => l.desk },
        {
          name: t("console.users.check"),
          cell: (l) =>
            l.problems.length === 0 ? (
              t("console.users.good")
            ) : (
              <span className="problem">
                {l.problems.map((p) => (
                  <span key={p} className="problem-line">
                    {p}
                  </span>
                ))}
              </span>
            ),
        },
      ]}
    />
  );
}

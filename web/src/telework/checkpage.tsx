import { Button, Loader } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import { useEffect, useRef, useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import { Banner, Failed, PageTitle, Tag } from "../kit/parts.tsx";
import { Table, type Column } from "../kit/table.tsx";
import { measure, type Step } from "./measure.ts";
import { judge, type Item, type Said } from "./selfcheck.ts";
import "./telework.css";

interface Result {
  readonly items: readonly Item[];
  /** For the help desk; empty if it could not be kept. */
  readonly code: string;
}

/** 持ち帰り前の確認: measures, says each result in plain words with what to do, and gives a code for the help desk. */
export function CheckPage(): JSX.Element {
  const { t } = useTranslation();
  const [step, setStep] = useState<Step>("delay");
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);
  const check = useMutation({
    mutationFn: async (): Promise<Result> => {
      const { server, measured } = await measure(setStep, stop.current.signal);
      const items = judge(server, measured);
      return { items, code: await keep(t, items) };
    },
  });
  return (
    <div className="content">
      <PageTitle>{t("telework.check.title")}</PageTitle>
      <p className="lead">{t("telework.check.lead")}</p>
      <Button size="lg" loading={check.isPending} onClick={() => check.mutate()}>
        {t(check.data === undefined ? "telework.check.begin" : "telework.check.again")}
      </Button>
      {check.isPending ? (
        <output className="row checking">
          <Loader size="sm" />
          {t("telework.check.running", { name: t(`telework.check.items.${step}`, { name: "" }) })}
        </output>
      ) : null}
      {check.error === null ? null : <Failed error={check.error} retry={() => check.mutate()} />}
      {check.data === undefined || check.isPending ? null : <Results result={check.data} />}
    </div>
  );
}

/** Keeps the result for the help desk. A result without a code is still a result. */
async function keep(t: TFunction, items: readonly Item[]): Promise<string> {
  try {
    const answer = await call("TeleworkService", "SaveSelfCheck", {
      items: items.map((i) => ({ name: i.name, outcome: i.outcome, value: say(t, i.value) })),
    });
    return answer.code ?? "";
  } catch {
    return "";
  }
}

function say(t: TFunction, said: Said): string {
  const place = said.place === undefined ? {} : { place: t(said.place) };
  const words: unknown = t(said.key, { ...said.values, ...place } as never); // the keys' holes are the table's
  return typeof words === "string" ? words : "";
}

function Results({ result }: { readonly result: Result }): JSX.Element {
  const { t } = useTranslation();
  const bad = result.items.filter((i) => i.outcome === "bad").length;
  const warn = result.items.filter((i) => i.outcome === "warn").length;
  const title =
    bad > 0
      ? t("telework.check.someBad", { count: bad })
      : warn > 0
        ? t("telework.check.someWarn", { count: warn })
        : t("telework.check.allOk");
  return (
    <div className="stack checked">
      <Banner tone={bad > 0 ? "error" : warn > 0 ? "warning" : "success"} title={title} live>
        {result.code === "" ? null : (
          <>
            <p>
              {t("telework.check.code")}: <strong className="mono help-code">{result.code}</strong>
            </p>
            <small>{t("telework.check.codeHelp")}</small>
          </>
        )}
      </Banner>
      <Table caption={t("telework.check.caption")} rows={result.items} id={(i) => i.name} columns={columns(t)} />
    </div>
  );
}

function columns(t: TFunction): Column<Item>[] {
  return [
    { name: t("telework.check.item"), heads: true, cell: (i) => say(t, i.title) },
    { name: t("telework.check.value"), cell: (i) => <Value item={i} /> },
    { name: t("telework.check.advice"), cell: (i) => t(i.help) },
  ];
}

function Value({ item }: { readonly item: Item }): JSX.Element {
  const { t } = useTranslation();
  const tones = { ok: "green", warn: "orange", bad: "red" } as const;
  return (
    <span className="row">
      <Tag tone={tones[item.outcome]}>{t(`telework.check.${item.outcome}`)}</Tag>
      {say(t, item.value)}
    </span>
  );
}

import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import type { CheckRequestResponseJson, ProblemJson, StepJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { dateTime, millis } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Banner } from "../kit/parts.tsx";
import { dayWords } from "../kit/days.ts";

/** What policy says of the draft, and who will decide it: beside the form, while it is filled in. */
export function Limits({
  check,
  busy,
}: {
  readonly check: CheckRequestResponseJson | undefined;
  readonly busy: boolean;
}): JSX.Element {
  const { t, i18n } = useTranslation();
  const problems = check?.problems ?? [];
  const forbidding = problems.filter((p) => p.forbids === true);
  const notes = problems.filter((p) => p.forbids !== true);
  const perWeek = check?.daysPerWeek ?? 0;
  const latest = millis(check?.latestApplyMs);
  return (
    <>
      <section className="card stack-tight" aria-busy={busy}>
        <h2 className="side-title">{t("telework.form.limits")}</h2>
        {check === undefined ? (
          <p className="hint">{t("telework.form.checking")}</p>
        ) : (
          <ul className="plain-list">
            <li>{perWeek === 0 ? t("telework.form.perWeekNone") : t("telework.form.perWeek", { days: perWeek })}</li>
            {latest === 0 ? null : <li>{t("telework.form.latest", { time: dateTime(latest, languageOf(i18n)) })}</li>}
          </ul>
        )}
        {(check?.route ?? []).length === 0 ? null : (
          <>
            <h3 className="hint">{t("telework.form.route")}</h3>
            <Route steps={check?.route ?? []} />
          </>
        )}
      </section>
      {forbidding.length === 0 ? null : (
        <Banner tone="error" title={t("telework.form.problems")} live>
          <Problems problems={forbidding} />
        </Banner>
      )}
      {notes.length === 0 ? null : (
        <Banner tone="warning" title={t("telework.form.notes")}>
          <Problems problems={notes} />
        </Banner>
      )}
    </>
  );
}

function Problems({ problems }: { readonly problems: readonly ProblemJson[] }): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const japanese = language === "ja";
  return (
    <ul className="reasons">
      {problems.map((p) => (
        <li key={`${p.date ?? ""} ${p.reason?.code ?? ""}`}>
          <strong>
            {p.date ? `${dayWords(p.date, language)} ` : ""}
            {japanese ? p.reason?.ja : p.reason?.en}
          </strong>
          <span>{japanese ? p.reason?.helpJa : p.reason?.helpEn}</span>
          <small>{t("code", { code: p.reason?.code ?? "" })}</small>
        </li>
      ))}
    </ul>
  );
}

/** Who will decide, step by step. */
function Route({ steps }: { readonly steps: readonly StepJson[] }): JSX.Element {
  const { t } = useTranslation();
  return (
    <ol className="route">
      {steps.map((s, i) => (
        <li key={s.position ?? i}>
          <div>
            <strong>
              {s.circulate === true
                ? t("telework.form.routeRead", { section: s.sectionName ?? "" })
                : t("telework.form.routeStep", { position: s.position ?? i + 1, section: s.sectionName ?? "" })}
            </strong>
            <span className="sub">{(s.approverNames ?? []).join("、")}</span>
          </div>
        </li>
      ))}
    </ol>
  );
}

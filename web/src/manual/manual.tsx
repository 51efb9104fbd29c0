import { Button } from "@mantine/core";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { Banner, PageTitle } from "../kit/parts.tsx";
import type { Manual } from "./markdown.ts";
import "./manual.css";

interface ManualPageProps {
  readonly manual: Manual;
  /** The name of the page, and of the style of its printed pages. */
  readonly name: "staff" | "approver";
}

/** A manual to read and to print. It needs no sign-in: signing in is one of the things that it explains. */
export function ManualPage({ manual, name }: ManualPageProps): JSX.Element {
  const { t, i18n } = useTranslation();
  return (
    <div className="content">
      <PageTitle
        actions={
          <Button variant="outline" leftSection={<Icon name="print" />} onClick={() => print()}>
            {t("manual.print")}
          </Button>
        }
      >
        {t(`manual.${name}`)}
      </PageTitle>
      {languageOf(i18n) === "ja" ? null : (
        <div className="no-print">
          <Banner tone="info" title={t("manual.japaneseOnly")} />
        </div>
      )}
      <article lang="ja" className={`manual manual-${name}`}>
        <div className="manual-front">
          <p className="manual-system" aria-hidden="true">
            テレワークシステム「自席」
          </p>
          <p className="manual-title" aria-hidden="true">
            {manual.title}
          </p>
          <Html>{manual.intro}</Html>
          <Contents manual={manual} />
        </div>
        <Html>{manual.html}</Html>
      </article>
    </div>
  );
}

function Contents({ manual }: { readonly manual: Manual }): JSX.Element {
  const { t } = useTranslation();
  return (
    <nav className="manual-contents" aria-label={t("manual.contents")}>
      <p>{t("manual.contents")}</p>
      <ol>
        {manual.chapters.map((c) => (
          <li key={c.id}>
            <a href={`#${c.id}`}>{c.title}</a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** HTML that was made of the manual when the pages were built: nothing of it comes from users. */
function Html({ children }: { readonly children: string }): JSX.Element {
  return <div className="manual-text" dangerouslySetInnerHTML={{ __html: children }} />;
}

import { Button } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../kit/icons.tsx";
import { Banner, Empty, PageTitle } from "../kit/parts.tsx";
import { Slip } from "./slip.tsx";
import { useSlips } from "./slips.tsx";

/** The slips that were just made, one page of paper each. */
export function SlipPage(): JSX.Element {
  const { t } = useTranslation();
  const { slips } = useSlips();
  const [made] = useState(() => Date.now());
  const [printed, setPrinted] = useState(false);
  const guarded = slips.length > 0 && !printed;
  useBlocker({ shouldBlockFn: () => guarded && !window.confirm(t("console.slip.leave")), enableBeforeUnload: guarded });
  if (slips.length === 0) {
    return (
      <>
        <PageTitle>{t("console.slip.pageTitle")}</PageTitle>
        <Empty icon="print" title={t("console.slip.none")}>
          <p>{t("console.slip.noneHelp")}</p>
          <Link to="/console/users">{t("console.slip.done")}</Link>
        </Empty>
      </>
    );
  }
  const print = (): void => {
    window.print();
    setPrinted(true);
  };
  return (
    <>
      <PageTitle
        actions={
          <>
            <Button leftSection={<Icon name="print" size={20} />} onClick={print}>
              {t("console.slip.print")}
            </Button>
            <Button component={Link} to="/console/users" variant="outline">
              {t("console.slip.done")}
            </Button>
          </>
        }
      >
        {t("console.slip.pageTitle")}
      </PageTitle>
      <div className="no-print">
        <Banner tone="warning" title={t("console.slip.ready", { count: slips.length })} live>
          {t("console.slip.once")}
        </Banner>
      </div>
      {slips.map((s) => (
        <Slip key={s.userId} slip={s} made={made} />
      ))}
    </>
  );
}

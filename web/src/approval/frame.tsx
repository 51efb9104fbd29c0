import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { SideMenu } from "../kit/sidemenu.tsx";
import { Banner } from "../kit/parts.tsx";
import { todayQuery } from "../kit/today.ts";
import "./approval.css";

/** The frame of the pages for heads of sections, their deputies and clerks: a menu beside them. */
export function ApprovalFrame(): JSX.Element {
  const { t } = useTranslation();
  const { data } = useQuery(todayQuery);
  return (
    <div className="content console">
      <SideMenu label={t("approval.nav.label")}>
        <Link to="/inbox">{t("approval.nav.inbox")}</Link>
        <Link to="/board">{t("approval.nav.board")}</Link>
        <Link to="/week">{t("approval.nav.week")}</Link>
        <Link to="/months">{t("approval.nav.months")}</Link>
        <Link to="/members">{t("approval.nav.members")}</Link>
        <Link to="/absences">{t("approval.nav.absences")}</Link>
      </SideMenu>
      <div className="console-page">
        {data !== undefined && data.approver !== true && data.clerk !== true ? (
          <Banner tone="warning" title={t("approval.notYours")} />
        ) : (
          <Outlet />
        )}
      </div>
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { may, meQuery } from "../kit/me.ts";
import { Banner, PageTitle } from "../kit/parts.tsx";
import { SideMenu } from "../kit/sidemenu.tsx";

/** The frame of the console: its menu beside its pages. */
export function ConsoleFrame(): JSX.Element | null {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return null;
  }
  if (!may(me, "MAY_ADMINISTER")) {
    return (
      <div className="content">
        <PageTitle>{t("console.title")}</PageTitle>
        <Banner tone="warning" title={t("console.notAllowed")}>
          {t("console.notAllowedHelp")}
        </Banner>
      </div>
    );
  }
  return (
    <div className="content console">
      <SideMenu label={t("console.navLabel")}>
        <Link to="/console/users">{t("console.nav.users")}</Link>
        <Link to="/console/desks">{t("console.nav.desks")}</Link>
        <Link to="/console/devices">{t("console.nav.devices")}</Link>
        <Link to="/console/sessions">{t("console.nav.sessions")}</Link>
        <Link to="/console/events">{t("console.nav.events")}</Link>
        <Link to="/console/sections">{t("console.nav.sections")}</Link>
        <Link to="/console/settings">{t("console.nav.settings")}</Link>
        <Link to="/console/policy">{t("policy.nav.policy")}</Link>
        <Link to="/console/staff">{t("policy.nav.staff")}</Link>
        <Link to="/console/routes">{t("policy.nav.routes")}</Link>
        <Link to="/console/holidays">{t("policy.nav.holidays")}</Link>
        <Link to="/console/power">{t("policy.nav.power")}</Link>
        <Link to="/console/mails">{t("policy.nav.mails")}</Link>
        <Link to="/console/why">{t("policy.nav.why")}</Link>
        <Link to="/console/helpdesk">{t("policy.nav.helpdesk")}</Link>
      </SideMenu>
      <div className="console-page">
        <Outlet />
      </div>
    </div>
  );
}

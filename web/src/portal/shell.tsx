import { Menu } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import { roleKeys } from "../kit/enums.ts";
import { todayQuery } from "../kit/today.ts";
import { changeLanguage, languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { renewIfDue } from "../device/identity.ts";
import { forgetMe, may, meQuery, whyLeft } from "../kit/me.ts";
import { Failed, Waiting } from "../kit/parts.tsx";
import { Redirect } from "./redirect.tsx";

/** The frame of every page: header, content, footer. */
export function Shell(): JSX.Element {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  useFocusOnNavigation();
  return (
    <div className="frame">
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <Header me={me ?? null} />
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      <footer className="footer">
        <div>{t("productLong")}</div>
      </footer>
    </div>
  );
}

/** After each change of page the heading has the focus, so that keyboard and screen reader start there. */
function useFocusOnNavigation(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe("onRendered", ({ fromLocation, pathChanged }) => {
        if (fromLocation === undefined || !pathChanged) {
          return;
        }
        const heading = document.querySelector<HTMLElement>("main h1") ?? document.querySelector<HTMLElement>("main");
        heading?.focus({ preventScroll: true });
      }),
    [router],
  );
}

function Header({ me }: { readonly me: MeJson | null }): JSX.Element {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const [openAt, setOpenAt] = useState<string | null>(null);
  const open = openAt === pathname; // the next page closes it
  const organisation = me?.organisationName ?? "";
  return (
    <header className="header">
      <div className="header-inner">
        <Link to="/" className="brand">
          <img src="/logo.svg" alt="" width="40" height="40" />
          <span>
            {organisation === "" ? null : <span className="brand-organisation">{organisation}</span>}
            <span className="brand-name">{t("productLong")}</span>
          </span>
        </Link>
        <button
          type="button"
          className="tool only-narrow"
          aria-expanded={open}
          aria-controls="menu"
          onClick={() => setOpenAt(open ? null : pathname)}
        >
          <Icon name={open ? "close" : "menu"} />
          <span>{t("menu")}</span>
        </button>
        <div id="menu" className={open ? "header-menu open" : "header-menu"}>
          {me === null || me.mustChangePassword === true ? null : <Navigation me={me} />}
          <div className="header-tools">
            <LanguageSwitch />
            {me !== null && may(me, "MAY_USE_PORTAL") ? <NoticesLink /> : null}
            {me === null ? null : <UserMenu me={me} />}
          </div>
        </div>
      </div>
    </header>
  );
}

/** Says whether somebody decides or prepares requests of others. */
function useApprover(me: MeJson): boolean {
  const { data: today } = useQuery({ ...todayQuery, enabled: may(me, "MAY_USE_PORTAL") });
  return today?.approver === true || today?.clerk === true;
}

function Navigation({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  const portal = may(me, "MAY_USE_PORTAL");
  const approver = useApprover(me);
  return (
    <nav className="header-nav" aria-label={t("nav.label")}>
      <Link to="/" activeOptions={{ exact: true }}>
        {t("nav.home")}
      </Link>
      {portal ? <Link to="/requests">{t("telework.nav.requests")}</Link> : null}
      {portal ? <Link to="/workdays">{t("telework.nav.workday")}</Link> : null}
      {approver ? <Link to="/inbox">{t("approval.nav.inbox")}</Link> : null}
      <Link to="/account">{t("nav.account")}</Link>
      {may(me, "MAY_ADMINISTER") ? <Link to="/console">{t("nav.admin")}</Link> : null}
    </nav>
  );
}

/** To the notices, with how many are new. */
function NoticesLink(): JSX.Element {
  const { t } = useTranslation();
  const { data } = useQuery(todayQuery);
  const unread = data?.unreadNotices ?? 0;
  return (
    <Link to="/notices" className="tool notices-link">
      <Icon name="bell" />
      <span>{t("telework.nav.notices")}</span>
      {unread === 0 ? null : <span className="badge">{unread}</span>}
    </Link>
  );
}

function LanguageSwitch(): JSX.Element {
  const { t, i18n } = useTranslation();
  const other = languageOf(i18n) === "ja" ? "en" : "ja";
  return (
    <button
      type="button"
      className="tool"
      onClick={() => void changeLanguage(i18n, other)}
      aria-label={`${t("language")}: ${t("languageLabel")}`}
    >
      <Icon name="globe" />
      <span lang={other}>{t("language")}</span>
    </button>
  );
}

function UserMenu({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const approver = useApprover(me);
  const signOut = useMutation({
    mutationFn: async () => call("AuthService", "SignOut", {}),
    onSettled: () => forgetMe(client, "out"), // SignedIn leads on
  });
  const highest = (["ROLE_ADMIN", "ROLE_APPROVER"] as const).find((r) => (me.roles ?? []).includes(r)) ?? "ROLE_STAFF";
  return (
    <Menu position="bottom-end" width={280}>
      <Menu.Target>
        <button type="button" className="tool">
          <Icon name="user" />
          <span>
            <span className="user-name">{me.name}</span>
            <span className="user-role">
              {me.userId} / {t(roleKeys[highest])}
            </span>
          </span>
          <Icon name="down" size={16} />
        </button>
      </Menu.Target>
      <Menu.Dropdown aria-label={t("nav.user", { name: me.name ?? "" })}>
        {may(me, "MAY_CHANGE_PASSWORD") ? (
          <Menu.Item onClick={() => void navigate({ to: "/password" })}>{t("nav.password")}</Menu.Item>
        ) : null}
        {may(me, "MAY_ENROL_DEVICE") ? (
          <Menu.Item onClick={() => void navigate({ to: "/enrol" })}>{t("enrol.title")}</Menu.Item>
        ) : null}
        {may(me, "MAY_SET_UP_TOTP") ? (
          <Menu.Item onClick={() => void navigate({ to: "/totp" })}>{t("totp.title")}</Menu.Item>
        ) : null}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: "/manual" })}>{t("manual.staff")}</Menu.Item>
        {approver ? (
          <Menu.Item onClick={() => void navigate({ to: "/manual/approver" })}>{t("manual.approver")}</Menu.Item>
        ) : null}
        <Menu.Divider />
        <Menu.Item onClick={() => signOut.mutate()} disabled={signOut.isPending}>
          {t("nav.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/**
 * Pages for somebody who is signed in. Others are sent to the sign-in, and a first password is changed before anything
 * else.
 */
export function SignedIn(): JSX.Element | null {
  const client = useQueryClient();
  const { data: me, isPending, error, refetch } = useQuery(meQuery);
  const { pathname } = useLocation();
  useRenewal(me ?? null);
  if (isPending) {
    return (
      <div className="content">
        <Waiting />
      </div>
    );
  }
  if (me === undefined) {
    return (
      <div className="content">
        <Failed error={error} retry={() => void refetch()} />
      </div>
    );
  }
  if (me === null) {
    if (pathname === "/signin") {
      return null;
    } // on its way there: where to go afterwards is settled
    const why = whyLeft(client);
    const to = pathname === "/" || why === "out" ? undefined : pathname;
    return <Redirect to="/signin" then={to} why={why} />;
  }
  if (me.mustChangePassword === true && pathname !== "/password") {
    return <Redirect to="/password" />;
  }
  return <Outlet />;
}

/** Renews the device's certificate when it is time. If that fails, the next visit tries again. */
function useRenewal(me: MeJson | null): void {
  const client = useQueryClient();
  const due = me?.device?.renew === true;
  useEffect(() => {
    if (!due || me === null) {
      return;
    }
    renewIfDue(me).then(
      (renewed) => (renewed ? client.invalidateQueries() : undefined),
      () => undefined,
    );
  }, [due, me, client]);
}

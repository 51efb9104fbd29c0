import { Button, Group, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState, type JSX, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import type { ListDesksResponseJson, MyDeskJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { deskStateKeys, zoneKeys } from "../kit/enums.ts";
import { millis, shortDateTime } from "../kit/format.ts";
import { Icon } from "../kit/icons.tsx";
import { Today } from "../telework/today.tsx";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Empty, Fact, Facts, Failed, PageTitle, ReasonList, Tag, Waiting } from "../kit/parts.tsx";

/** How often the desks are asked for, in milliseconds. The answer is a few bytes when nothing changed. */
const EVERY = 5000;

/** The user's desks. An answer `unchanged` keeps what was known. */
const desksQuery = queryOptions({
  queryKey: ["desks"],
  queryFn: async ({ signal, client, queryKey }): Promise<ListDesksResponseJson> => {
    const known = client.getQueryData<ListDesksResponseJson>(queryKey);
    const answer = await call("DeskService", "ListDesks", { etag: known?.etag ?? "" }, signal);
    return answer.unchanged === true && known !== undefined ? known : answer;
  },
  refetchInterval: EVERY,
  staleTime: 0,
});

/** The staff's first page: their desks, and the button that opens one. */
export function Home(): JSX.Element | null {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return null;
  }
  const portal = may(me, "MAY_USE_PORTAL");
  return (
    <div className="content">
      <PageTitle>{t("home.title")}</PageTitle>
      <SignInNotices me={me} />
      {portal ? <Today /> : null}
      {portal ? <Desks /> : null}
    </div>
  );
}

/** What this sign-in lacks, and how to get it. */
function SignInNotices({ me }: { readonly me: MeJson }): JSX.Element | null {
  const { t } = useTranslation();
  const enrolLink = may(me, "MAY_ENROL_DEVICE") ? <Link to="/enrol">{t("home.noDeviceGo")}</Link> : null;
  const admin = (me.roles ?? []).includes("ROLE_ADMIN") && !may(me, "MAY_ADMINISTER");
  return (
    <>
      {may(me, "MAY_USE_PORTAL") ? null : me.device !== undefined && me.totpNeeded === true ? (
        <TotpNotice me={me} />
      ) : (
        <Banner tone="warning" title={t("home.noPortal")}>
          <p>{t("home.noPortalText")}</p>
          {me.totpNeeded === true && me.hasTotp !== true ? <p>{t("home.noTotpLater")}</p> : null}
          {enrolLink}
        </Banner>
      )}
      {may(me, "MAY_USE_PORTAL") && me.device === undefined ? (
        <Banner tone="info" title={t("home.noDevice")}>
          <p>{t("home.noDeviceText")}</p>
          {enrolLink}
        </Banner>
      ) : null}
      {admin ? <Banner tone="info" title={t("home.adminElsewhere")} /> : null}
    </>
  );
}

/** Says that a one-time password is missing: to give one, or to set them up first. */
function TotpNotice({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  if (me.hasTotp === true) {
    return (
      <Banner tone="warning" title={t("home.totpNeeded")}>
        {t("home.totpNeededText")}
      </Banner>
    );
  }
  return (
    <Banner tone="warning" title={t("home.noTotp")}>
      <p>{t("home.noTotpText")}</p>
      {may(me, "MAY_SET_UP_TOTP") ? <Link to="/totp">{t("account.totpSetUp")}</Link> : null}
    </Banner>
  );
}

function Desks(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, dataUpdatedAt, isPending, refetch } = useQuery(desksQuery);
  if (isPending) {
    return <Waiting lines={2} height={280} />;
  }
  if (data === undefined) {
    return <Failed error={error} retry={() => void refetch()} />;
  }
  const desks = data.desks ?? [];
  return (
    <>
      {error === null ? null : (
        <Banner tone="warning" title={t("home.stale", { time: shortDateTime(dataUpdatedAt, true) })} live />
      )}
      {desks.length === 0 ? (
        <Empty icon="desk" title={t("home.empty")}>
          <p>{t("home.emptyHelp")}</p>
        </Empty>
      ) : (
        <>
          <p className="lead">{t("home.lead")}</p>
          <ul className="desks">
            {desks.map((d) => (
              <li key={d.deskId}>
                <DeskCard desk={d} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function DeskCard({ desk }: { readonly desk: MyDeskJson }): JSX.Element {
  const { t } = useTranslation();
  const id = useId();
  const seen = millis(desk.lastSeenMs);
  const on = desk.state === "DESK_STATE_ON" || desk.state === "DESK_STATE_IN_SESSION";
  return (
    <article className="card desk" aria-labelledby={id}>
      <div className="desk-head">
        <Icon name="desk" size={28} />
        <h2 id={id}>{desk.name}</h2>
        <StateTag desk={desk} />
      </div>
      <Facts>
        <Fact name={t("home.user")}>{on ? t(userState(desk)) : "—"}</Fact>
        <Fact name={t("home.lock")}>{on ? t(desk.lockable === true ? "home.lockYes" : "home.lockNo") : "—"}</Fact>
        <Fact name={t("home.zone")}>{t(zoneKeys[desk.zone ?? "ZONE_UNSPECIFIED"])}</Fact>
        <Fact name={t("home.seen")}>{seen === 0 ? t("home.never") : shortDateTime(seen)}</Fact>
      </Facts>
      {desk.mayOpen === true ? (
        desk.sessionId === undefined ? (
          <span />
        ) : (
          <p className="desk-note">{t("home.takeOver")}</p>
        )
      ) : (
        <div className="desk-why">
          <p>{t("home.cannot")}</p>
          <ReasonList reasons={desk.whyNot ?? []} />
        </div>
      )}
      <div className="desk-actions">
        <Connect desk={desk} />
        {desk.sessionId === undefined ? null : <EndSession desk={desk} sessionId={desk.sessionId} />}
      </div>
    </article>
  );
}

function userState(desk: MyDeskJson): "home.loggedOut" | "home.loggedInLocked" | "home.loggedIn" {
  if (desk.loggedIn !== true) {
    return "home.loggedOut";
  }
  return desk.locked === true ? "home.loggedInLocked" : "home.loggedIn";
}

function StateTag({ desk }: { readonly desk: MyDeskJson }): JSX.Element {
  const { t } = useTranslation();
  const state = desk.state ?? "DESK_STATE_UNSPECIFIED";
  if (desk.sessionId !== undefined && state === "DESK_STATE_IN_SESSION") {
    return <Tag tone="blue">{t("home.inSessionMine")}</Tag>;
  }
  const tones = {
    DESK_STATE_ON: "green",
    DESK_STATE_IN_SESSION: "blue",
    DESK_STATE_OFF: "gray",
    DESK_STATE_NOT_ENROLLED: "gray",
    DESK_STATE_UNKNOWN: "orange",
    DESK_STATE_UNSPECIFIED: "orange",
  } as const;
  return <Tag tone={tones[state]}>{t(deskStateKeys[state])}</Tag>;
}

/**
 * Opens the viewer in this window: going back leads here again. A desk that cannot lock is opened after a warning only.
 */
function Connect({ desk }: { readonly desk: MyDeskJson }): JSX.Element {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const name = desk.name ?? "";
  const label = { "aria-label": t("home.connectTo", { name }) };
  if (desk.mayOpen !== true) {
    return (
      <Button size="lg" disabled {...label}>
        {t("home.connect")}
      </Button>
    );
  }
  if (desk.lockable === true) {
    return (
      <ViewerLink desk={desk} {...label}>
        {t("home.connect")}
      </ViewerLink>
    );
  }
  return (
    <>
      <Button size="lg" onClick={() => setAsked(true)} {...label}>
        {t("home.connect")}
      </Button>
      <Modal opened={asked} onClose={() => setAsked(false)} title={t("home.unlockableTitle")}>
        <div className="stack-tight">
          <Banner tone="warning" title={t("home.unlockable", { name })}>
            {t("home.unlockableAsk")}
          </Banner>
          <Group justify="flex-end">
            <Button variant="outline" onClick={() => setAsked(false)}>
              {t("cancel")}
            </Button>
            <ViewerLink desk={desk} size="md">
              {t("home.unlockableGo")}
            </ViewerLink>
          </Group>
        </div>
      </Modal>
    </>
  );
}

interface ViewerLinkProps {
  readonly desk: MyDeskJson;
  readonly children: ReactNode;
  readonly size?: "md" | "lg";
  readonly "aria-label"?: string;
}

function ViewerLink({ desk, children, size = "lg", ...label }: ViewerLinkProps): JSX.Element {
  return (
    <Button component="a" href={`/viewer?desk=${encodeURIComponent(desk.deskId ?? "")}`} size={size} {...label}>
      {children}
    </Button>
  );
}

function EndSession({ desk, sessionId }: { readonly desk: MyDeskJson; readonly sessionId: string }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: async () => call("DeskService", "EndSession", { sessionId }),
    onSuccess: async () => {
      notifications.show({ message: t("home.ended", { name: desk.name ?? "" }), color: "green", role: "status" });
      await client.invalidateQueries({ queryKey: desksQuery.queryKey });
    },
  });
  return (
    <>
      <Button size="lg" variant="outline" color="red" loading={end.isPending} onClick={() => end.mutate()}>
        {t("home.end")}
      </Button>
      {end.isError ? <Failed error={end.error} /> : null}
    </>
  );
}

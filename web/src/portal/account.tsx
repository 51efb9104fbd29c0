import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MeJson } from "../gen/jiseki/control/v1/auth_pb.js";
import type { SessionJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { MyDevices } from "../telework/devices.tsx";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { gradeKeys, kindKeys, placeKeys } from "../kit/enums.ts";
import { dateTime, day, millis, shortDateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Empty, Fact, Facts, Failed, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { SessionResult } from "../kit/sessionresult.tsx";
import { Table } from "../kit/table.tsx";

const PAGE = 20;

/** What a staff member may know of the own device and sessions. */
export function Account(): JSX.Element | null {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  if (!me) {
    return null;
  }
  return (
    <div className="content">
      <PageTitle
        actions={
          may(me, "MAY_USE_PORTAL") ? (
            <>
              <ButtonLink to="/lost" variant="outline" color="red">
                {t("telework.lost.button")}
              </ButtonLink>
              <ButtonLink to="/check">{t("telework.check.title")}</ButtonLink>
            </>
          ) : undefined
        }
      >
        {t("account.title")}
      </PageTitle>
      <SignInFacts me={me} />
      <Section title={t("totp.title")}>
        <Facts>
          <Fact name={t("account.totp")}>{t(me.hasTotp === true ? "account.totpOn" : "account.totpOff")}</Fact>
        </Facts>
        <p>
          <Link to="/totp">{t(me.hasTotp === true ? "account.totpChange" : "account.totpSetUp")}</Link>
        </p>
      </Section>
      {may(me, "MAY_USE_PORTAL") ? (
        <>
          <Section title={t("telework.devices.title")}>
            <MyDevices />
          </Section>
          <Section title={t("account.sessions")}>
            <MySessions />
          </Section>
        </>
      ) : null}
    </div>
  );
}

function SignInFacts({ me }: { readonly me: MeJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const { device } = me;
  return (
    <>
      <Section title={t("account.signIn")}>
        <Facts>
          <Fact name={t("account.place")}>{t(placeKeys[me.place ?? "PLACE_UNSPECIFIED"])}</Fact>
          <Fact name={t("account.signInUntil")}>{dateTime(millis(me.signInUntilMs), language)}</Fact>
        </Facts>
      </Section>
      <Section title={t("account.device")}>
        {device === undefined ? (
          <Banner tone="info" title={t("account.deviceNone")} />
        ) : (
          <Facts>
            <Fact name={t("account.label")}>{device.label}</Fact>
            <Fact name={t("account.kind")}>{t(kindKeys[device.kind ?? "DEVICE_KIND_UNSPECIFIED"])}</Fact>
            <Fact name={t("account.grade")}>{t(gradeKeys[device.grade ?? "KEY_GRADE_UNSPECIFIED"])}</Fact>
            <Fact name={t("account.until")}>{day(millis(device.certificateUntilMs), language)}</Fact>
            <Fact name={t("account.id")}>
              <span className="mono">{device.deviceId}</span>
            </Fact>
          </Facts>
        )}
      </Section>
    </>
  );
}

function MySessions(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["my-sessions"],
    queryFn: async ({ pageParam, signal }) =>
      call("DeskService", "ListMySessions", { page: { limit: PAGE, token: pageParam } }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextToken || undefined,
  });
  if (isPending) {
    return <Waiting lines={4} />;
  }
  if (data === undefined) {
    return <Failed error={error} retry={() => void refetch()} />;
  }
  const sessions = data.pages.flatMap((p) => p.sessions ?? []);
  if (sessions.length === 0) {
    return <Empty icon="device" title={t("account.sessionsEmpty")} />;
  }
  return (
    <div className="stack-tight">
      <Table
        caption={t("account.sessions")}
        rows={sessions}
        id={(s) => s.sessionId ?? ""}
        columns={[
          { name: t("account.desk"), heads: true, cell: (s) => s.deskName },
          {
            name: t("account.started"),
            narrow: true,
            cell: (s) => shortDateTime(millis(s.openedMs) || millis(s.preparedMs)),
          },
          {
            name: t("account.ended"),
            narrow: true,
            cell: (s) => (millis(s.endedMs) === 0 ? "—" : shortDateTime(millis(s.endedMs))),
          },
          { name: t("account.from"), cell: (s) => s.deviceLabel },
          { name: t("account.place"), cell: (s) => t(placeKeys[s.place ?? "PLACE_UNSPECIFIED"]) },
          { name: t("account.result"), cell: (s) => <SessionResult session={s} /> },
          { name: t("account.locked"), cell: (s) => lockWord(t, s) },
        ]}
      />
      {hasNextPage ? (
        <Button variant="outline" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
          {t("more")}
        </Button>
      ) : null}
    </div>
  );
}

function lockWord(t: TFunction, s: SessionJson): string {
  if (s.life !== "SESSION_LIFE_ENDED" || millis(s.openedMs) === 0) {
    return "—";
  }
  return t(s.lockedAfterEnd === true ? "account.lockedYes" : "account.lockedNo");
}

import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import type { SessionJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { endKey } from "./enums.ts";
import { millis } from "./format.ts";
import { Tag } from "./parts.tsx";

/** How a session stands, or why it ended. */
export function SessionResult({ session }: { readonly session: SessionJson }): JSX.Element {
  const { t } = useTranslation();
  if (session.life !== "SESSION_LIFE_ENDED") {
    return <Tag tone="blue">{t("account.running")}</Tag>;
  }
  if (millis(session.openedMs) === 0) {
    return <>{t("account.neverOpened")}</>;
  }
  const code = session.endCode ?? 0;
  const key = endKey(code);
  return <>{key === undefined ? t("end.other", { code: session.endReason || String(code) }) : t(key)}</>;
}

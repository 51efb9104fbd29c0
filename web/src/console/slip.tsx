import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import type { SlipJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { dateTime, day, listing, millis } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { QRCode } from "../kit/qr.tsx";
import "./slip.css";

interface SlipProps {
  readonly slip: SlipJson;
  /** When it was made, in milliseconds. */
  readonly made: number;
}

/** 利用者登録通知書: one page of A4 for one user. */
export function Slip({ slip, made }: SlipProps): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const { address = "", userId = "", initialPassword = "", deviceCode = "" } = slip;
  const desks = slip.deskNames ?? [];
  return (
    <article className="slip" data-user={userId}>
      <header className="slip-head">
        <div>
          <h2>{t("console.slip.heading")}</h2>
          <p>
            {slip.organisationName} {t("console.slip.system")}
          </p>
          <p className="slip-to">
            {slip.sectionName} {t("console.slip.to", { name: slip.name ?? "" })}
          </p>
          <p>{t("console.slip.date", { date: day(made, language) })}</p>
        </div>
        {address === "" ? null : <QRCode text={address} label={t("console.slip.qr")} />}
      </header>
      <table className="slip-table">
        <tbody>
          <Row name={t("console.slip.address")} value={address} secret />
          <Row name={t("console.slip.user")} value={userId} secret />
          <Row name={t("console.slip.password")} value={initialPassword} secret />
          <Row
            name={t("console.slip.code")}
            value={deviceCode}
            secret
            note={t("console.slip.codeUntil", { date: dateTime(millis(slip.deviceCodeUntilMs), language) })}
          />
          <Row name={t("console.slip.device")} value={lent(slip, t)} />
          <Row name={t("console.slip.desks")} value={listing(desks, language)} />
        </tbody>
      </table>
      <h3>{t("console.slip.steps")}</h3>
      <ol>
        <li>{t("console.slip.stepOpen")}</li>
        <li>{t(initialPassword === "" ? "console.slip.stepSignInOwn" : "console.slip.stepSignIn")}</li>
        <li>{t(deviceCode === "" ? "console.slip.stepEnrolLater" : "console.slip.stepEnrol")}</li>
        <li>{t("console.slip.stepConnect")}</li>
      </ol>
      <p className="slip-care">{t("console.slip.care")}</p>
    </article>
  );
}

/** Which lent device the code is for; empty for a private one. */
function lent({ inventoryNumber: number = "" }: SlipJson, t: TFunction): string {
  return number === ""
    ? ""
    : t("console.slip.lent", { number: number === "-" ? t("console.devices.inventoryNone") : number });
}

interface RowProps {
  readonly name: string;
  readonly value: string;
  readonly secret?: boolean;
  readonly note?: string;
}

/** A row of the slip; none for a value that it does not have. */
function Row({ name, value, secret = false, note }: RowProps): JSX.Element | null {
  if (value === "") {
    return null;
  }
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <span className={secret ? "slip-secret" : undefined}>{value}</span>
        {note === undefined ? null : <span className="slip-note">{note}</span>}
      </td>
    </tr>
  );
}

// The small parts that every page is made of.
import { Button, Skeleton } from "@mantine/core";
import { useEffect, useId, useState, type JSX, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/api.ts";
import type { ReasonJson, RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { languageOf } from "./i18n.ts";
import { Icon, type IconName } from "./icons.tsx";

/** The page's heading. It names the window too, and takes the focus when one page follows another. */
export function PageTitle({
  children,
  actions,
}: {
  readonly children: string;
  readonly actions?: ReactNode;
}): JSX.Element {
  const { t } = useTranslation();
  const product = t("productLong");
  useEffect(() => {
    document.title = `${children} | ${product}`;
  }, [children, product]);
  return (
    <div className="page-title">
      <h1 tabIndex={-1}>{children}</h1>
      {actions === undefined ? null : <div className="page-actions">{actions}</div>}
    </div>
  );
}

type Tone = "info" | "success" | "warning" | "error";

interface BannerProps {
  readonly tone: Tone;
  readonly title: ReactNode;
  readonly children?: ReactNode;
  /** Says it to screen readers when it appears. */
  readonly live?: boolean;
}

/** A notice in the page: an icon, a sentence, and what to do. */
export function Banner({ tone, title, children, live = false }: BannerProps): JSX.Element {
  const role = live ? { role: tone === "error" ? "alert" : "status" } : {};
  return (
    <div className={`banner banner-${tone}`} {...role}>
      <Icon name={tone} />
      <div>
        <p className="banner-title">{title}</p>
        {children === undefined ? null : <div className="banner-text">{children}</div>}
      </div>
    </div>
  );
}

/** Reasons in the language of the page, each with what to do and its code for the help desk. */
export function ReasonList({ reasons }: { readonly reasons: readonly ReasonJson[] }): JSX.Element {
  const { t, i18n } = useTranslation();
  const japanese = languageOf(i18n) === "ja";
  return (
    <ul className="reasons">
      {reasons.map((r) => (
        <li key={r.code}>
          <strong>{japanese ? r.ja : r.en}</strong>
          <span>{japanese ? r.helpJa : r.helpEn}</span>
          <small>{t("code", { code: r.code ?? "" })}</small>
        </li>
      ))}
    </ul>
  );
}

/** A refusal with its reasons, and the time that is left when waiting helps. */
export function Refused({ refusal }: { readonly refusal: RefusalJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const japanese = languageOf(i18n) === "ja";
  const [first, ...others] = refusal.reasons ?? [];
  if (first === undefined) {
    return <Banner tone="error" title={t("failure.unexpected")} live />;
  }
  return (
    <Banner tone="error" title={japanese ? first.ja : first.en} live>
      <p>{japanese ? first.helpJa : first.helpEn}</p>
      {others.length === 0 ? null : <ReasonList reasons={others} />}
      <Countdown refusal={refusal} />
      <small>{t("code", { code: first.code ?? "" })}</small>
    </Banner>
  );
}

/** Counts down to when another try can succeed. The time is not read out every second. */
function Countdown({ refusal }: { readonly refusal: RefusalJson }): JSX.Element | null {
  const { t } = useTranslation();
  const [left, setLeft] = useState(refusal.retryAfterS ?? 0);
  useEffect(() => {
    const until = performance.now() + (refusal.retryAfterS ?? 0) * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((until - performance.now()) / 1000))), 250);
    return () => clearInterval(timer);
  }, [refusal]);
  if ((refusal.retryAfterS ?? 0) === 0) {
    return null;
  }
  const text =
    left === 0 ? t("failure.waitOver") : t("failure.wait", { minutes: Math.floor(left / 60), seconds: left % 60 });
  return (
    <p role="timer" aria-live="off">
      {text}
    </p>
  );
}

/** An error of a call: its reasons, or that the gateway cannot be reached. */
export function Failed({ error, retry }: { readonly error: unknown; readonly retry?: () => void }): JSX.Element {
  const { t } = useTranslation();
  const again =
    retry === undefined ? null : (
      <Button variant="default" onClick={retry}>
        {t("retry")}
      </Button>
    );
  if (error instanceof ApiError && error.reasons.length > 0) {
    return (
      <>
        <Refused refusal={error.refusal} />
        {again}
      </>
    );
  }
  const unreachable = error instanceof ApiError && error.code === "unreachable";
  return (
    <>
      <Banner tone="error" title={t(unreachable ? "failure.unreachable" : "failure.unexpected")} live>
        <p>{t(unreachable ? "failure.unreachableHelp" : "failure.unexpectedHelp")}</p>
        {error instanceof ApiError && !unreachable ? <small>{t("code", { code: error.code })}</small> : null}
      </Banner>
      {again}
    </>
  );
}

/** Grey shapes of what comes, as high as the thing itself. */
export function Waiting({
  lines = 3,
  height = 56,
}: {
  readonly lines?: number;
  readonly height?: number;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="waiting">
      <output className="visually-hidden">{t("loading")}</output>
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={height} radius="md" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Says that a list is empty, and what to do. */
export function Empty({
  title,
  icon,
  children,
}: {
  readonly title: string;
  readonly icon: IconName;
  readonly children?: ReactNode;
}): JSX.Element {
  return (
    <div className="empty">
      <Icon name={icon} size={40} />
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A state in a word. */
export function Tag({
  tone,
  children,
}: {
  readonly tone: "blue" | "green" | "gray" | "red" | "orange";
  readonly children: ReactNode;
}): JSX.Element {
  return <span className={`tag tag-${tone}`}>{children}</span>;
}

interface IconButtonProps {
  readonly icon: IconName;
  /** What it does, for who cannot see the icon. */
  readonly name: string;
  readonly onClick: () => void;
  /** How the icon is turned. */
  readonly way?: "back" | "on";
}

/** A button that is nothing but an icon. */
export function IconButton({ icon, name, onClick, way }: IconButtonProps): JSX.Element {
  return (
    <button type="button" className={`icon-button ${way ?? ""}`} aria-label={name} onClick={onClick}>
      <Icon name={icon} size={way === undefined ? 20 : 24} />
    </button>
  );
}

/** Names and values: a list of Fact. */
export function Facts({ children }: { readonly children: ReactNode }): JSX.Element {
  return <dl className="facts">{children}</dl>;
}

/** A name and its value. */
export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A part of a page with a heading of its own. */
export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }): JSX.Element {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** A label of a field that must be filled in. */
export function Needed({ children }: { readonly children: string }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      {children}
      <span className="needed">{t("required")}</span>
    </>
  );
}

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useBlocker } from "@tanstack/react-router";
import { useEffect, useState, type JSX, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { MeJson, TOTPSetupJson } from "../gen/jiseki/control/v1/auth_pb.js";
import type { RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { dateTime } from "../kit/format.ts";
import { languageOf } from "../kit/i18n.ts";
import { Icon } from "../kit/icons.tsx";
import { may, meQuery } from "../kit/me.ts";
import { Banner, Failed, Needed, PageTitle, Refused, Section } from "../kit/parts.tsx";
import { QRCode } from "../kit/qr.tsx";
import { focusFirstError } from "../kit/form.ts";

/** Sets up, replaces and removes the user's one-time passwords. */
export function Totp(): JSX.Element | null {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const [codes, setCodes] = useState<readonly string[]>([]);
  if (!me) {
    return null;
  }
  return (
    <div className="content content-narrow">
      <PageTitle>{t("totp.title")}</PageTitle>
      {codes.length > 0 ? (
        <RecoveryCodes me={me} codes={codes} />
      ) : may(me, "MAY_SET_UP_TOTP") ? (
        <Choose me={me} show={setCodes} />
      ) : (
        <NotHere me={me} />
      )}
    </div>
  );
}

/** Why one-time passwords cannot be set up in this sign-in, and where they can. */
function NotHere({ me }: { readonly me: MeJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Banner tone="warning" title={t("totp.notHere")}>
      {t(me.hasTotp === true ? "totp.notHereSignIn" : "totp.notHereHelp")}
    </Banner>
  );
}

function Choose({ me, show }: { readonly me: MeJson; readonly show: (codes: readonly string[]) => void }): JSX.Element {
  const { t } = useTranslation();
  const [setup, setSetup] = useState<TOTPSetupJson>();
  const [removed, setRemoved] = useState(false);
  const has = me.hasTotp === true;
  if (setup !== undefined) {
    return <Confirm setup={setup} again={() => setSetup(undefined)} show={show} />;
  }
  return (
    <>
      <p className="lead">{t("totp.lead")}</p>
      {removed ? <Banner tone="success" title={t("totp.removed")} live /> : null}
      {has ? (
        <Banner tone="success" title={t("totp.has")} />
      ) : (
        <Banner
          tone={me.totpNeeded === true ? "warning" : "info"}
          title={t(me.totpNeeded === true ? "totp.needed" : "totp.hasNot")}
        />
      )}
      <Begin me={me} has={has} begun={setSetup} />
      {has ? <Remove me={me} removed={() => setRemoved(true)} /> : null}
    </>
  );
}

function Begin({
  me,
  has,
  begun,
}: {
  readonly me: MeJson;
  readonly has: boolean;
  readonly begun: (s: TOTPSetupJson) => void;
}): JSX.Element {
  const { t } = useTranslation();
  const begin = useMutation({
    mutationFn: async (password: string) => call("AuthService", "BeginTOTP", { password }),
    onSuccess: ({ setup }) => {
      if (setup !== undefined) {
        begun(setup);
      }
    },
  });
  return (
    <Section title={t(has ? "totp.replace" : "totp.begin")}>
      {has ? <p>{t("totp.replaceText")}</p> : null}
      <AskPassword
        me={me}
        failed={begin.error}
        refusal={begin.data?.refusal}
        busy={begin.isPending}
        label={t("totp.beginDo")}
        submit={(p) => begin.mutate(p)}
      />
    </Section>
  );
}

function Remove({ me, removed }: { readonly me: MeJson; readonly removed: () => void }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: async (password: string) => call("AuthService", "DisableTOTP", { password }),
    onSuccess: async ({ refusal }) => {
      if (refusal !== undefined) {
        return;
      }
      removed();
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  return (
    <Section title={t("totp.remove")}>
      <p>{t("totp.removeText")}</p>
      <AskPassword
        me={me}
        failed={remove.error}
        refusal={remove.data?.refusal}
        busy={remove.isPending}
        label={t("totp.removeDo")}
        submit={(p) => remove.mutate(p)}
        minor
      />
    </Section>
  );
}

interface AskProps {
  readonly me: MeJson;
  readonly failed: Error | null;
  readonly refusal: RefusalJson | undefined;
  readonly busy: boolean;
  readonly label: string;
  readonly submit: (password: string) => void;
  readonly minor?: boolean;
}

/** The password once more: whoever finds an open browser changes nothing. */
function AskPassword({ me, failed, refusal, busy, label, submit, minor = false }: AskProps): JSX.Element {
  const { t } = useTranslation();
  const form = useForm({
    initialValues: { password: "" },
    validate: { password: (v) => (v === "" ? t("signIn.passwordNeeded") : null) },
  });
  return (
    <>
      {failed === null ? null : <Failed error={failed} />}
      {refusal === undefined ? null : <Refused refusal={refusal} />}
      <form className="card stack" onSubmit={form.onSubmit((v) => submit(v.password), focusFirstError)} noValidate>
        <input type="text" name="username" autoComplete="username" value={me.userId ?? ""} readOnly hidden />
        <PasswordInput
          label={<Needed>{t("password.present")}</Needed>}
          {...form.getInputProps("password")}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <Button type="submit" variant={minor ? "outline" : "filled"} fullWidth loading={busy}>
          {label}
        </Button>
      </form>
    </>
  );
}

interface ConfirmProps {
  readonly setup: TOTPSetupJson;
  readonly again: () => void;
  readonly show: (codes: readonly string[]) => void;
}

function Confirm({ setup, again, show }: ConfirmProps): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  useTop();
  const form = useForm({
    initialValues: { totp: "" },
    validate: { totp: (v) => (v.trim() === "" ? t("signIn.totpNeeded") : null) },
  });
  const confirm = useMutation({
    mutationFn: async (totp: string) =>
      call("AuthService", "ConfirmTOTP", { sealed: setup.sealed ?? "", totp: totp.normalize("NFKC").trim() }),
    onSuccess: async ({ enabled }) => {
      if (enabled === undefined) {
        return;
      }
      show(enabled.recoveryCodes ?? []);
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  return (
    <>
      <ol className="plain-list">
        <li>{t("totp.step1")}</li>
        <li>{t("totp.step2")}</li>
        <li>{t("totp.step3")}</li>
      </ol>
      <div className="card stack totp-key">
        <QRCode text={setup.url ?? ""} label={t("totp.qr")} />
        <p className="sub">{t("totp.secret")}</p>
        <code className="totp-secret">{groups(setup.secret ?? "")}</code>
      </div>
      {confirm.isError ? <Failed error={confirm.error} /> : null}
      {confirm.data?.refusal === undefined ? null : <Refused refusal={confirm.data.refusal} />}
      <form className="card stack" onSubmit={form.onSubmit((v) => confirm.mutate(v.totp), focusFirstError)} noValidate>
        <TextInput
          className="code-input"
          label={<Needed>{t("signIn.totp")}</Needed>}
          description={t("totp.codeHint")}
          {...form.getInputProps("totp")}
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          withAsterisk={false}
        />
        <Button type="submit" size="lg" fullWidth loading={confirm.isPending}>
          {t("totp.confirm")}
        </Button>
        <Button variant="outline" fullWidth onClick={again}>
          {t("totp.again")}
        </Button>
      </form>
    </>
  );
}

/** Shows a step from its beginning: the one before may have been scrolled down. */
function useTop(): void {
  useEffect(() => {
    window.scrollTo(0, 0); // newer browsers return a promise, which is nothing to clean up with
  }, []);
}

/** The key in groups of four, as people read it. */
export function groups(secret: string): string {
  return (secret.match(/.{1,4}/g) ?? []).join(" ");
}

/** The recovery codes, to print or to write down: they are never shown again. */
function RecoveryCodes({ me, codes }: { readonly me: MeJson; readonly codes: readonly string[] }): JSX.Element {
  const { t } = useTranslation();
  const [kept, setKept] = useState(false);
  useTop();
  const print = (): void => {
    window.print();
    setKept(true);
  };
  return (
    <>
      <Guard on={!kept} />
      <div className="no-print">
        <Banner tone="success" title={t("totp.done")} live>
          {t("totp.doneText")}
        </Banner>
      </div>
      <CodePaper me={me} codes={codes} />
      <div className="stack no-print">
        <Button size="lg" fullWidth leftSection={<Icon name="print" size={20} />} onClick={print}>
          {t("totp.print")}
        </Button>
        {kept ? (
          <Button component={Link} to="/" variant="outline" fullWidth>
            {t("enrol.toHome")}
          </Button>
        ) : (
          <Button variant="outline" fullWidth onClick={() => setKept(true)}>
            {t("totp.written")}
          </Button>
        )}
      </div>
    </>
  );
}

/** Asks before the codes are left that nobody has kept. */
function Guard({ on }: { readonly on: boolean }): ReactNode {
  const { t } = useTranslation();
  useBlocker({ shouldBlockFn: () => on && !window.confirm(t("totp.leave")), enableBeforeUnload: on });
  return null;
}

/** What is printed. */
function CodePaper({ me, codes }: { readonly me: MeJson; readonly codes: readonly string[] }): JSX.Element {
  const { t, i18n } = useTranslation();
  const [made] = useState(() => Date.now());
  return (
    <section className="card stack" aria-labelledby="codes">
      <h2 id="codes">{t("totp.codes")}</h2>
      <p>
        {me.organisationName} {me.name} ({me.userId}) {dateTime(made, languageOf(i18n))}
      </p>
      <ol className="recovery-codes">
        {codes.map((c) => (
          <li key={c} className="mono">
            {c}
          </li>
        ))}
      </ol>
      <p className="sub">{t("totp.codesHelp")}</p>
    </section>
  );
}

import { Button, NativeSelect, NumberInput, Switch, Textarea, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, call } from "../api/api.ts";
import type { GetSettingsResponseJson, ListUsersResponseJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { meQuery } from "../kit/me.ts";
import { Banner, Failed, Needed, PageTitle, Section, Waiting } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { Dialog, DialogButtons, say } from "../kit/lists.tsx";
import { fieldsOf, lockOuts, settingsFields, settingsOf, type LockOut, type SettingsFields } from "./settingsform.ts";

/** Read once: what somebody types must not be overwritten by a later answer. */
const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: async ({ signal }) => call("AdminService", "GetSettings", {}, signal),
  staleTime: Infinity,
  gcTime: 0,
});

/** The settings of the organisation. */
export function Settings(): JSX.Element {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(settingsQuery);
  return (
    <>
      <PageTitle>{t("console.settings.title")}</PageTitle>
      {data === undefined && error === null ? <Waiting lines={6} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === undefined ? null : <SettingsForm key={data.revision} read={data} reload={() => void refetch()} />}
    </>
  );
}

function SettingsForm({
  read,
  reload,
}: {
  readonly read: GetSettingsResponseJson;
  readonly reload: () => void;
}): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const form = useForm<SettingsFields>({
    initialValues: fieldsOf(read.settings ?? {}),
    validate: schemaResolver(settingsFields(t), { sync: true }),
  });
  const update = useMutation({
    mutationFn: async (f: SettingsFields) =>
      call("AdminService", "UpdateSettings", {
        settings: settingsOf(f),
        ...(read.revision === undefined ? {} : { revision: read.revision }),
      }),
    onSuccess: async (answer, f) => {
      client.setQueryData(settingsQuery.queryKey, { settings: settingsOf(f), ...answer });
      say(t("console.settings.saved"));
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  const [asked, setAsked] = useState<SettingsFields>();
  const submit = (f: SettingsFields): void => {
    if (lockOuts(fieldsOf(read.settings ?? {}), f).length > 0) {
      setAsked(f);
    } else {
      update.mutate(f);
    }
  };
  const conflict = update.error instanceof ApiError && update.error.code === "aborted";
  const number = (name: keyof SettingsFields, unit: string) => ({
    ...form.getInputProps(name),
    min: 0,
    allowDecimal: false,
    hideControls: true,
    rightSection: <span className="unit">{unit}</span>,
    rightSectionWidth: unit.length > 2 ? 88 : 56,
  });
  const onOff = (name: keyof SettingsFields) => form.getInputProps(name, { type: "checkbox" });
  return (
    <form onSubmit={form.onSubmit(submit, focusFirstError)} noValidate>
      {asked === undefined ? null : (
        <Consequences
          lockOuts={lockOuts(fieldsOf(read.settings ?? {}), asked)}
          close={() => setAsked(undefined)}
          save={() => {
            setAsked(undefined);
            update.mutate(asked);
          }}
        />
      )}
      <Section title={t("console.settings.organisation")}>
        <div className="columns">
          <TextInput
            label={<Needed>{t("console.settings.organisationName")}</Needed>}
            {...form.getInputProps("organisationName")}
          />
          <TextInput
            label={t("console.settings.address")}
            description={t("console.settings.addressHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            {...form.getInputProps("address")}
          />
        </div>
      </Section>
      <Section title={t("console.settings.rules")}>
        <div className="stack">
          <Switch label={t("console.settings.approvalRequired")} {...onOff("approvalRequired")} />
          <Switch label={t("console.settings.totpOutside")} {...onOff("totpRequiredOutside")} />
          <Switch label={t("console.settings.privateDevices")} {...onOff("privateDevices")} />
          <Switch label={t("console.settings.officeSessions")} {...onOff("officeSessions")} />
          <Switch label={t("console.settings.requireLockable")} {...onOff("requireLockable")} />
          <Switch
            label={t("console.settings.clipboardInternet")}
            description={t("console.settings.clipboardHint")}
            {...onOff("clipboardInternet")}
          />
          <div className="columns">
            <NativeSelect
              label={t("console.settings.worstGrade")}
              description={t("console.settings.worstGradeHint")}
              data={[
                { value: "KEY_GRADE_FILE", label: t("console.settings.gradeFile") },
                { value: "KEY_GRADE_NON_EXTRACTABLE", label: t("console.settings.gradeNonExtractable") },
                { value: "KEY_GRADE_HARDWARE", label: t("console.settings.gradeHardware") },
              ]}
              {...form.getInputProps("worstGrade")}
            />
          </div>
        </div>
      </Section>
      <Section title={t("console.settings.limits")}>
        <div className="columns">
          <NumberInput
            label={t("console.settings.idle")}
            description={t("console.settings.idleHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            {...number("idleMinutes", t("console.settings.minutes"))}
          />
          <NumberInput label={t("console.settings.grace")} {...number("graceSeconds", t("console.settings.seconds"))} />
          <NumberInput
            label={t("console.settings.sessionMax")}
            {...number("sessionHours", t("console.settings.hours"))}
          />
          <NumberInput
            label={t("console.settings.signInMax")}
            {...number("signInHours", t("console.settings.hours"))}
          />
          <NumberInput
            label={t("console.settings.maxSessions")}
            {...number("maxSessions", t("console.settings.times"))}
          />
        </div>
      </Section>
      <Section title={t("console.settings.networks")}>
        <p className="sub">{t("console.settings.networkHint")}</p>
        <div className="columns">
          <Textarea
            className="paste"
            label={t("console.settings.office")}
            rows={5}
            {...form.getInputProps("officeNetworks")}
          />
          <Textarea
            className="paste"
            label={t("console.settings.satellite")}
            rows={5}
            {...form.getInputProps("satelliteNetworks")}
          />
        </div>
      </Section>
      <Section title={t("console.settings.watermark")}>
        <TextInput
          label={t("console.settings.watermarkText")}
          description={t("console.settings.watermarkHint")}
          {...form.getInputProps("watermark")}
        />
      </Section>
      <Section title={t("console.settings.emergency")}>
        <Switch
          label={t("console.settings.emergencySwitch")}
          description={t("console.settings.emergencyHint")}
          {...onOff("emergency")}
        />
      </Section>
      <div className="section">
        {conflict ? (
          <Banner tone="warning" title={t("console.settings.conflict")} live>
            <p>{t("console.settings.conflictHelp")}</p>
            <Button variant="outline" onClick={reload}>
              {t("console.settings.conflictDo")}
            </Button>
          </Banner>
        ) : null}
        {update.isError && !conflict ? <Failed error={update.error} /> : null}
      </div>
      <div className="save-bar">
        <output>{t(form.isDirty() ? "console.settings.dirty" : "console.settings.unchanged")}</output>
        <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
          {t("console.settings.submit")}
        </Button>
      </div>
    </form>
  );
}

/** How many users there are who are not disabled, and how many of them have no one-time passwords. */
async function countUsers(signal: AbortSignal): Promise<{ all: number; without: number }> {
  let all = 0;
  let without = 0;
  for (let token: string | undefined = ""; token !== undefined;) {
    const page: ListUsersResponseJson = await call(
      "AdminService",
      "ListUsers",
      { page: { limit: 500, token } },
      signal,
    );
    const active = (page.users ?? []).filter((u) => u.disabled !== true);
    all += active.length;
    without += active.filter((u) => u.hasTotp !== true).length;
    token = page.nextToken || undefined;
  }
  return { all, without };
}

interface ConsequencesProps {
  readonly lockOuts: readonly LockOut[];
  readonly close: () => void;
  readonly save: () => void;
}

/** Says who is locked out by a change before it is saved. */
function Consequences({ lockOuts: which, close, save }: ConsequencesProps): JSX.Element {
  const { t } = useTranslation();
  const users = useQuery({
    queryKey: ["users", "count"],
    queryFn: async ({ signal }) => countUsers(signal),
    enabled: which.includes("totp"),
    staleTime: 0,
  });
  const ready = !which.includes("totp") || users.data !== undefined;
  return (
    <Dialog title={t("console.settings.follows")} close={close}>
      <div className="stack-tight">
        <ul className="plain-list">
          {which.includes("totp") && users.data !== undefined ? (
            <li>{t("console.settings.followsTotp", users.data)}</li>
          ) : null}
          {which.includes("approval") ? <li>{t("console.settings.followsApproval")}</li> : null}
        </ul>
        {users.isError ? <Failed error={users.error} retry={() => void users.refetch()} /> : null}
        {ready || users.isError ? null : <Waiting lines={1} />}
        <DialogButtons close={close}>
          <Button color="red" disabled={!ready} onClick={save}>
            {t("console.settings.followsDo")}
          </Button>
        </DialogButtons>
      </div>
    </Dialog>
  );
}

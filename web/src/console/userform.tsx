import { Button, Checkbox, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import type { UserJson } from "../gen/jiseki/control/v1/admin_pb.js";
import type { DeviceKindJson, RoleJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { kindKeys, roleKeys } from "../kit/enums.ts";
import { BAD, foldId, tidy } from "../typed/fold.ts";
import { Needed } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { allDesksQuery, deskChoices, sectionChoices, sectionsQuery } from "../kit/choices.ts";
import { isName, isUserId } from "./roster.ts";

/** A user as the form has it. */
export interface UserFields {
  readonly userId: string;
  readonly name: string;
  readonly kana: string;
  readonly mainSectionId: string;
  readonly otherSectionIds: string[];
  readonly roles: string[];
  readonly deskIds: string[];
  readonly deviceKind: string;
  readonly inventoryNumber: string;
}

const NOBODY: UserFields = {
  userId: "",
  name: "",
  kana: "",
  mainSectionId: "",
  otherSectionIds: [],
  roles: ["ROLE_STAFF"],
  deskIds: [],
  deviceKind: "DEVICE_KIND_PRIVATE",
  inventoryNumber: "",
};

const ROLES: readonly RoleJson[] = ["ROLE_STAFF", "ROLE_APPROVER", "ROLE_ADMIN"];
const LENT = "DEVICE_KIND_LENT";
const LONGEST_NUMBER = 64;
const KINDS: readonly DeviceKindJson[] = ["DEVICE_KIND_PRIVATE", "DEVICE_KIND_LENT"];

interface CodeFields {
  readonly deviceKind: string;
  readonly inventoryNumber: string;
}

/**
 * What a one-time code says of the device that it enrols: of a lent one its inventory number, of a private one nothing
 * more.
 */
export const codeFor = (f: CodeFields): { deviceKind: DeviceKindJson; inventoryNumber: string } => ({
  deviceKind: f.deviceKind as DeviceKindJson,
  inventoryNumber: f.deviceKind === LENT ? tidy(f.inventoryNumber) : "",
});

export const isNumbered = (f: CodeFields): boolean => {
  const n = Array.from(tidy(f.inventoryNumber)).length;
  return f.deviceKind !== LENT || (n >= 1 && n <= LONGEST_NUMBER && !BAD.test(f.inventoryNumber));
};

/** What a user must have. */
export function userFields(t: TFunction) {
  return z
    .object({
      userId: z.string().refine((s) => isUserId(foldId(s)), t("console.users.idBad")),
      name: z.string().refine((s) => isName(tidy(s)), t("console.users.nameBad")),
      kana: z.string().refine((s) => tidy(s) === "" || isName(tidy(s)), t("console.users.kanaBad")),
      roles: z.array(z.string()).min(1, t("console.users.rolesNeeded")),
      deviceKind: z.string(),
      inventoryNumber: z.string(),
    })
    .refine(isNumbered, { path: ["inventoryNumber"], message: t("console.users.inventoryBad") });
}

interface UserFormProps {
  /** The user to change; absent for a new one. */
  readonly user?: UserJson;
  readonly busy: boolean;
  readonly submitName: string;
  readonly submit: (fields: UserFields) => void;
  readonly cancel?: () => void;
}

/** The form of one user. A new one gets desks and the kind of the device that the one-time code enrols. */
export function UserForm({ user, busy, submitName, submit, cancel }: UserFormProps): JSX.Element {
  const { t } = useTranslation();
  const { data: sections = [] } = useQuery(sectionsQuery);
  const { data: desks = [] } = useQuery({ ...allDesksQuery, enabled: user === undefined });
  const form = useForm<UserFields>({
    initialValues: user === undefined ? NOBODY : fieldsOf(user),
    validate: schemaResolver(userFields(t), { sync: true }),
  });
  const posts = sectionChoices(sections);
  const send = (v: UserFields): void =>
    submit({ ...v, userId: foldId(v.userId), name: tidy(v.name), kana: tidy(v.kana) });
  return (
    <form className="stack" onSubmit={form.onSubmit(send, focusFirstError)} noValidate>
      <div className="columns">
        <TextInput
          label={<Needed>{t("console.users.id")}</Needed>}
          description={user === undefined ? t("console.users.idHint") : undefined}
          inputWrapperOrder={["label", "input", "description", "error"]}
          disabled={user !== undefined}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          {...form.getInputProps("userId")}
        />
        <TextInput
          label={<Needed>{t("console.users.name")}</Needed>}
          autoComplete="off"
          {...form.getInputProps("name")}
        />
        <TextInput label={t("console.users.kana")} autoComplete="off" {...form.getInputProps("kana")} />
        <NativeSelect
          label={t("console.users.section")}
          data={[{ value: "", label: t("console.sectionNone") }, ...posts]}
          {...form.getInputProps("mainSectionId")}
        />
        <MultiSelect
          label={t("console.users.otherSections")}
          data={posts}
          searchable
          {...form.getInputProps("otherSectionIds")}
        />
        {user === undefined ? (
          <>
            <MultiSelect
              label={t("console.users.desks")}
              data={deskChoices(desks)}
              searchable
              {...form.getInputProps("deskIds")}
            />
            <DeviceInputs
              kind={form.getInputProps("deviceKind")}
              number={form.getInputProps("inventoryNumber")}
              lent={form.values.deviceKind === LENT}
            />
          </>
        ) : null}
      </div>
      <Checkbox.Group label={<Needed>{t("console.users.roles")}</Needed>} {...form.getInputProps("roles")}>
        <div className="row">
          {ROLES.map((r) => (
            <Checkbox key={r} value={r} label={t(roleKeys[r])} />
          ))}
        </div>
      </Checkbox.Group>
      <div className="row row-end">
        {cancel === undefined ? null : (
          <Button variant="outline" onClick={cancel}>
            {t("cancel")}
          </Button>
        )}
        <Button type="submit" loading={busy}>
          {submitName}
        </Button>
      </div>
    </form>
  );
}

interface DeviceInputsProps {
  readonly kind: object;
  readonly number: object;
  readonly lent: boolean;
}

/** What the administrator records of the device that a one-time code enrols. */
export function DeviceInputs({ kind, number, lent }: DeviceInputsProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <NativeSelect
        label={t("console.users.deviceKind")}
        data={KINDS.map((k) => ({ value: k, label: t(kindKeys[k]) }))}
        {...kind}
      />
      {lent ? (
        <TextInput
          label={<Needed>{t("console.users.inventory")}</Needed>}
          description={t("console.users.inventoryHint")}
          inputWrapperOrder={["label", "input", "description", "error"]}
          autoComplete="off"
          {...number}
        />
      ) : null}
    </>
  );
}

function fieldsOf(u: UserJson): UserFields {
  return {
    ...NOBODY,
    userId: u.userId ?? "",
    name: u.name ?? "",
    kana: u.kana ?? "",
    mainSectionId: u.mainSectionId ?? "",
    otherSectionIds: u.otherSectionIds ?? [],
    roles: u.roles ?? [],
  };
}

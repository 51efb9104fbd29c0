import { Button } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import { call } from "../api/api.ts";
import type { SlipJson, UserJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { Failed } from "../kit/parts.tsx";
import { focusFirstError } from "../kit/form.ts";
import { Dialog, DialogButtons, useChange } from "../kit/lists.tsx";
import { codeFor, DeviceInputs, isNumbered } from "./userform.tsx";

interface NewCodeProps {
  readonly user: UserJson;
  readonly close: () => void;
  readonly show: (slip: SlipJson | undefined) => void;
}

/** Makes a one-time code for a device of a user, by the administrator's record of the device. */
export function NewCode({ user, close, show }: NewCodeProps): JSX.Element {
  const { t } = useTranslation();
  const form = useForm({
    initialValues: { deviceKind: "DEVICE_KIND_PRIVATE", inventoryNumber: "" },
    validate: schemaResolver(
      z
        .object({ deviceKind: z.string(), inventoryNumber: z.string() })
        .refine(isNumbered, { path: ["inventoryNumber"], message: t("console.users.inventoryBad") }),
      { sync: true },
    ),
  });
  const make = useChange(
    ["users"],
    async (f: typeof form.values) =>
      call("AdminService", "CreateDeviceCode", { userId: user.userId ?? "", ...codeFor(f) }),
    (r) => {
      close();
      show(r.slip);
    },
  );
  return (
    <Dialog title={t("console.users.newCodeTitle")} close={close}>
      <form className="stack" onSubmit={form.onSubmit((v) => make.mutate(v), focusFirstError)} noValidate>
        <div>{t("console.users.newCodeText", { name: user.name ?? "" })}</div>
        {make.isError ? <Failed error={make.error} /> : null}
        <DeviceInputs
          kind={form.getInputProps("deviceKind")}
          number={form.getInputProps("inventoryNumber")}
          lent={form.values.deviceKind === "DEVICE_KIND_LENT"}
        />
        <DialogButtons close={close}>
          <Button type="submit" loading={make.isPending}>
            {t("console.users.newCodeDo")}
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

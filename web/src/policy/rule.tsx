import { Button, Checkbox, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useState, type FormEvent, type JSX } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceKindJson, ViewerKindJson, ZoneJson } from "../gen/jiseki/control/v1/shared_pb.js";
import type { PolicyRuleJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { Dialog, DialogButtons } from "../kit/lists.tsx";
import type { Choice } from "../kit/choices.ts";
import { zoneKeys } from "../kit/enums.ts";
import { clock, readClock } from "../kit/days.ts";
import { choiceFields, choiceKey, setFields, type ChoiceField, type SetField } from "./fields.ts";

interface RuleDialogProps {
  readonly rule: PolicyRuleJson;
  /** Whether the rule is a new one. */
  readonly added: boolean;
  readonly sections: readonly Choice[];
  readonly employments: readonly Choice[];
  readonly onDone: (rule: PolicyRuleJson) => void;
  readonly close: () => void;
}

/** Changes one rule. What is not said is inherited. */
export function RuleDialog({ rule: start, added, sections, employments, onDone, close }: RuleDialogProps): JSX.Element {
  const { t } = useTranslation();
  const [rule, setRule] = useState(start);
  const [time, setTime] = useState(start.applySet === true ? clock(start.applyMinute ?? 0) : "17:00");
  const [tried, setTried] = useState(false);
  const minute = readClock(time);
  const set = (to: Partial<PolicyRuleJson>): void => setRule((r) => ({ ...r, ...to }));
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    setTried(true);
    if (rule.applySet === true && minute === null) {
      return;
    }
    onDone(
      rule.applySet === true ? { ...rule, applyMinute: minute ?? 0 } : { ...rule, applyDaysBefore: 0, applyMinute: 0 },
    );
    close();
  };
  return (
    <Dialog title={t(added ? "policy.policy.addRule" : "policy.policy.editRule")} close={close} wide>
      <form className="stack-tight" onSubmit={onSubmit} noValidate>
        <Target rule={rule} set={set} sections={sections} employments={employments} />
        <div className="rule-fields">
          {(Object.keys(choiceFields) as ChoiceField[]).map((f) => (
            <NativeSelect
              key={f}
              size="sm"
              label={t(`policy.field.${f}`)}
              value={rule[f] ?? ""}
              onChange={(e) => setRule(withField(rule, f, e.currentTarget.value))}
              data={[
                { value: "", label: t("policy.policy.inherit") },
                ...choiceFields[f].map((v) => ({ value: v, label: t(choiceKey(f, v)) })),
              ]}
            />
          ))}
          <NumberInput
            size="sm"
            label={t("policy.field.idleS")}
            placeholder={t("policy.policy.inherit")}
            value={minutesOf(rule.idleS)}
            min={1}
            max={1440}
            allowDecimal={false}
            onChange={(v) => set({ idleS: Number(v || 0) * 60 })}
          />
          <NumberInput
            size="sm"
            label={t("policy.field.daysPerWeek")}
            placeholder={t("policy.policy.inherit")}
            value={rule.daysPerWeek || ""}
            min={1}
            max={7}
            allowDecimal={false}
            onChange={(v) => set({ daysPerWeek: Number(v || 0) })}
          />
          {(Object.keys(setFields) as SetField[]).map((f) => (
            <Kinds key={f} field={f} rule={rule} set={set} />
          ))}
        </div>
        <Apply
          rule={rule}
          set={set}
          time={time}
          setTime={setTime}
          error={tried && rule.applySet === true && minute === null}
        />
        <TextInput
          size="sm"
          label={t("policy.field.watermark")}
          placeholder={t("policy.policy.inherit")}
          value={rule.watermark ?? ""}
          maxLength={400}
          onChange={(e) => set({ watermark: e.currentTarget.value })}
        />
        <p className="hint">{t("policy.policy.ruleLater")}</p>
        <DialogButtons close={close}>
          <Button type="submit">{t("policy.policy.ruleDone")}</Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

/** The rule with a choice, or without it. */
function withField(rule: PolicyRuleJson, field: ChoiceField, value: string): PolicyRuleJson {
  const { [field]: _before, ...rest } = rule;
  return value === "" ? rest : { ...rest, [field]: value };
}

function minutesOf(seconds = 0): number | "" {
  return seconds === 0 ? "" : Math.floor(seconds / 60);
}

interface PartProps {
  readonly rule: PolicyRuleJson;
  readonly set: (to: Partial<PolicyRuleJson>) => void;
}

interface TargetProps extends PartProps {
  readonly sections: readonly Choice[];
  readonly employments: readonly Choice[];
}

const zones = ["ZONE_LGWAN", "ZONE_INTERNET", "ZONE_MYNUMBER"] as const satisfies readonly ZoneJson[];

function Target({ rule, set, sections, employments }: TargetProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="rule-fields">
      <NativeSelect
        label={t("policy.policy.section")}
        value={rule.sectionId ?? ""}
        onChange={(e) => set({ sectionId: e.currentTarget.value })}
        data={[{ value: "", label: t("policy.policy.everybody") }, ...sections]}
      />
      <NativeSelect
        label={t("policy.policy.employment")}
        value={rule.employment ?? ""}
        onChange={(e) => set({ employment: e.currentTarget.value })}
        data={[{ value: "", label: t("policy.policy.anyEmployment") }, ...employments]}
      />
      <NativeSelect
        label={t("policy.policy.zone")}
        value={rule.zone ?? "ZONE_UNSPECIFIED"}
        onChange={(e) => set({ zone: e.currentTarget.value as ZoneJson })}
        data={[
          { value: "ZONE_UNSPECIFIED", label: t("policy.policy.anyZone") },
          ...zones.map((z) => ({ value: z, label: t(zoneKeys[z]) })),
        ]}
      />
    </div>
  );
}

function Kinds({ field, rule, set }: PartProps & { readonly field: SetField }): JSX.Element {
  const { t } = useTranslation();
  return (
    <Checkbox.Group
      label={t(`policy.field.${field}`)}
      value={rule[field] ?? []}
      onChange={(v) =>
        set(field === "viewers" ? { viewers: v as ViewerKindJson[] } : { devices: v as DeviceKindJson[] })
      }
    >
      <div className="row">
        {setFields[field].map((v) => (
          <Checkbox key={v} size="sm" value={v} label={t(`policy.value.${v}`)} />
        ))}
      </div>
    </Checkbox.Group>
  );
}

interface ApplyProps extends PartProps {
  readonly time: string;
  readonly setTime: (time: string) => void;
  readonly error: boolean;
}

function Apply({ rule, set, time, setTime, error }: ApplyProps): JSX.Element {
  const { t } = useTranslation();
  return (
    <div>
      <div className="row">
        <Checkbox
          label={t("policy.field.apply")}
          checked={rule.applySet === true}
          onChange={(e) => set({ applySet: e.currentTarget.checked })}
        />
        {rule.applySet === true ? (
          <>
            <NativeSelect
              size="sm"
              aria-label={t("policy.policy.latestDay")}
              value={String(rule.applyDaysBefore ?? 0)}
              onChange={(e) => set({ applyDaysBefore: Number(e.currentTarget.value) })}
              data={[0, 1, 2, 3, 5, 7, 10].map((d) => ({
                value: String(d),
                label: d === 0 ? t("policy.value.applyToday", { time }) : t("policy.value.apply", { days: d, time }),
              }))}
            />
            <TextInput
              size="sm"
              className="clock"
              aria-label={t("policy.policy.latestTime")}
              value={time}
              onChange={(e) => setTime(e.currentTarget.value)}
              error={error}
            />
          </>
        ) : null}
      </div>
      {error ? (
        <p className="field-error" role="alert">
          {t("policy.policy.clockWrong")}
        </p>
      ) : null}
    </div>
  );
}

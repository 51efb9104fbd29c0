// @vitest-environment jsdom
import type { TFunction } from "i18next";
import { beforeAll, expect, test } from "vitest";
import { startWords } from "../kit/i18n.ts";
import { fieldWords, tell, valueWords } from "./fields.ts";

let t: TFunction;
beforeAll(async () => {
  ({ t } = await startWords("ja"));
});

test("a rule tells what it says and nothing else", () => {
  const rule = {
    telework: "ALLOW_UNSPECIFIED",
    atEnd: "AT_END_END",
    devices: ["DEVICE_KIND_LENT"],
    idleS: 900,
    daysPerWeek: 7,
    applySet: true,
    applyDaysBefore: 1,
    applyMinute: 1020,
  } as const;
  expect(tell(t, "ja", { ...rule, devices: [...rule.devices] })).toEqual([
    { name: "勤務時間の終わり", value: "10分前に知らせ、終了してロック" },
    { name: "使える接続元端末", value: "貸与端末" },
    { name: "操作のない時間の上限（分）", value: "15分" },
    { name: "1週間の上限（日）", value: "上限なし" },
    { name: "申請の期限", value: "1開庁日前の17:00まで" },
  ]);
});

test("names of the API are said in words", () => {
  expect(fieldWords(t, "at_end")).toBe("勤務時間の終わり");
  expect(fieldWords(t, "apply_days_before")).toBe("申請の期限");
  expect(valueWords(t, "approval", "APPROVAL_NEED_ALWAYS")).toBe("常に必要");
  expect(valueWords(t, "idle_s", "1200")).toBe("20分");
  expect(valueWords(t, "idle_s", "0")).toBe("上限なし");
  expect(valueWords(t, "days_per_week", "2")).toBe("週2日");
  expect(valueWords(t, "days_per_week", "7")).toBe("上限なし");
  expect(valueWords(t, "apply", "0 17:15")).toBe("当日の17:15まで");
  expect(valueWords(t, "apply", "2 8:30")).toBe("2開庁日前の8:30まで");
  expect(valueWords(t, "watermark", "{user}")).toBe("{user}");
});

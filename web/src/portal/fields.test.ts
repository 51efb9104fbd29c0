// @vitest-environment jsdom
import { beforeAll, describe, expect, test } from "vitest";
import type { TFunction } from "i18next";
import { deskFields } from "../console/desks.tsx";
import { requestOf } from "../console/events.tsx";
import { isName, isUserId, readRoster } from "../console/roster.ts";
import { fieldsOf, isAddress, isNetwork, lockOuts, settingsFields, settingsOf } from "../console/settingsform.ts";
import { userFields } from "../console/userform.tsx";
import { enrolFields } from "./enrol.tsx";
import { startWords } from "../kit/i18n.ts";
import { normalUser, systemAndBrowser } from "../device/identity.ts";

let t: TFunction;
beforeAll(async () => {
  ({ t } = await startWords("ja"));
});

interface Schema {
  safeParse(v: unknown): { success: boolean; error?: { issues: { path: PropertyKey[]; message: string }[] } };
}
const wrong = (schema: Schema, v: unknown): string[] =>
  (schema.safeParse(v).error?.issues ?? []).map((i) => `${i.path.join(".")}: ${i.message}`);

describe("enrolment", () => {
  test.each([
    "HV2V-305R-6Y6D-5YHW",
    "hv2v305r6y6d5yhw",
    "ＨＶ２Ｖ　３０５Ｒ－６Ｙ６Ｄ−５ＹＨＷ",
    " HV2V 305R 6Y6D 5YHW ",
  ])("takes %s", (code) => {
    expect(wrong(enrolFields(t), { code, label: "WindowsのEdge" })).toEqual([]);
  });
  test("says what is missing", () => {
    expect(wrong(enrolFields(t), { code: " - ", label: " " })).toEqual([
      "code: 端末登録コードを入力してください。",
      "label: 端末の名前を入力してください。",
    ]);
    expect(wrong(enrolFields(t), { code: "HV2V", label: "x".repeat(65) })).toEqual([
      "code: コードは16文字です。",
      "label: 64文字以内で入力してください。",
    ]);
  });
});

describe("users", () => {
  test("need an id, a name and a role", () => {
    const own = { deviceKind: "DEVICE_KIND_PRIVATE", inventoryNumber: "" };
    expect(
      wrong(userFields(t), { userId: "Tanaka.H", name: "田中 花子", kana: "", roles: ["ROLE_STAFF"], ...own }),
    ).toEqual([]);
    expect(wrong(userFields(t), { userId: "田中", name: " ", kana: "ア".repeat(61), roles: [], ...own })).toHaveLength(
      4,
    );
  });
  test("with a lent device need its number", () => {
    const user = {
      userId: "tanaka",
      name: "田中 花子",
      kana: "",
      roles: ["ROLE_STAFF"],
      deviceKind: "DEVICE_KIND_LENT",
    };
    for (const inventoryNumber of ["R8-014", "-", "9".repeat(64)]) {
      expect(wrong(userFields(t), { ...user, inventoryNumber })).toEqual([]);
    }
    for (const inventoryNumber of ["", " ", "9".repeat(65), "R8\u202e"]) {
      expect(wrong(userFields(t), { ...user, inventoryNumber })).toEqual([
        "inventoryNumber: 管理番号を入力してください。番号がない端末は「-」と入力します。",
      ]);
    }
  });
  test("ids are what the gateway takes", () => {
    for (const good of ["a", "tanaka.h-2_x", "a".repeat(64)]) {
      expect(isUserId(good), good).toBe(true);
    }
    for (const bad of ["", "A", "a b", "a/b", "あ", "a".repeat(65)]) {
      expect(isUserId(bad), bad).toBe(false);
    }
  });
  test("names have 1 to 60 characters", () => {
    expect(isName("𠮷".repeat(60))).toBe(true);
    for (const bad of ["", "x".repeat(61), "a\nb", "a\u007f"]) {
      expect(isName(bad)).toBe(false);
    }
  });
  test("ids are read in any width and case", () => {
    expect(normalUser("　ＴＡＮＡＫＡ ")).toBe("tanaka");
  });
});

describe("readRoster", () => {
  const known = {
    sections: [
      { sectionId: "s1", name: "総務課" },
      { sectionId: "s2", name: "係" },
      { sectionId: "s3", name: "係" },
    ],
    desks: [{ deskId: "d1", name: "総務課-PC01" }],
  };
  test("reads tabs and commas and finds what is named", () => {
    const [a, b, c] = readRoster(
      "tanaka\t田中, 花子\tタナカ\t総務課\t総務課-PC01\r\n\n Suzuki、鈴木 一郎\nsato,佐藤,,,,",
      known,
      t,
    );
    expect(a).toMatchObject({
      number: 1,
      problems: [],
      user: { userId: "tanaka", name: "田中, 花子", mainSectionId: "s1", deskIds: ["d1"] },
    });
    expect(b).toMatchObject({
      number: 3,
      problems: [],
      user: { userId: "suzuki", name: "鈴木 一郎", mainSectionId: "", deskIds: [], roles: ["ROLE_STAFF"] },
    });
    expect(c?.problems).toEqual([]);
  });
  test("folds what people paste, but no name", () => {
    const [a, b] = readRoster(
      '\ufeff"ｕ０１","\uf9dc\u00a0葛\u{e0100}\u200b","","総務　課","総務課－ｐｃ０１"\r\n,,,,\r\nu02,山\u202e田\r\n',
      known,
      t,
    );
    expect(a).toMatchObject({
      problems: [],
      user: { userId: "u01", name: "\uf9dc 葛\u{e0100}", mainSectionId: "s1", deskIds: ["d1"] },
    });
    expect(b).toMatchObject({ number: 3, problems: ["氏名を60文字以内で入力してください。"] });
  });
  test("names every problem of a line", () => {
    const [a, b, c] = readRoster("田中,,x,経理課,PC9\nsato,佐藤,,係\nsato,佐藤,,,,もう一つ", known, t);
    expect(a?.problems).toHaveLength(4);
    expect(b?.problems).toEqual(["「係」という所属が複数あります。"]);
    expect(c?.problems).toEqual(["項目が多すぎます。", "同じ利用者IDが2行目にもあります。"]);
  });
});

describe("desks", () => {
  test("need a name and a zone", () => {
    expect(wrong(deskFields(t), { name: "", zone: "" })).toHaveLength(2);
    expect(wrong(deskFields(t), { name: "PC01", zone: "ZONE_LGWAN" })).toEqual([]);
  });
});

describe("settings", () => {
  const settings = {
    organisationName: "あおば町",
    address: "https://telework.example.jp",
    officeNetworks: ["10.0.0.0/8", "fc00::/7"],
    satelliteNetworks: [],
    idleS: 1800,
    graceS: 60,
    sessionMaxS: 43_200,
    signInMaxS: 43_200,
    maxSessions: 200,
    approvalRequired: true,
    totpRequiredOutside: false,
    privateDevices: true,
    officeSessions: false,
    requireLockable: true,
    clipboardInternet: false,
    emergency: false,
    worstGrade: "KEY_GRADE_FILE" as const,
    watermark: "{user} {time}",
  };
  test("come out of the form as they went in", () => {
    expect(settingsOf(fieldsOf(settings))).toEqual(settings);
    expect(wrong(settingsFields(t), fieldsOf(settings))).toEqual([]);
  });
  test("absent fields are zero, not a default", () => {
    expect(settingsOf(fieldsOf({ sessionMaxS: 3600 }))).toMatchObject({
      idleS: 0,
      maxSessions: 0,
      approvalRequired: false,
      officeNetworks: [],
    });
  });
  test("are refused when they cannot be meant", () => {
    const bad = {
      ...fieldsOf(settings),
      idleMinutes: "",
      graceSeconds: 601,
      sessionHours: 0,
      maxSessions: 1.5,
      officeNetworks: "10.0.0.0/8\n10.1.2.3/8",
      watermark: "漢".repeat(134),
    };
    expect(wrong(settingsFields(t), bad).map((p) => p.split(":")[0])).toEqual([
      "officeNetworks",
      "idleMinutes",
      "graceSeconds",
      "sessionHours",
      "maxSessions",
      "watermark",
    ]);
  });
  test.each([
    "10.0.0.0/8",
    "192.168.1.128/25",
    "203.0.113.7/32",
    "fc00::/7",
    "2001:db8::/32",
    "::1/128",
    "2001:db8:0:0:0:0:0:1/128",
  ])("%s is a network", (n) => {
    expect(isNetwork(n)).toBe(true);
  });
  test.each([
    "",
    "10.0.0.0",
    "10.0.0.0/0",
    "10.0.0.1/8",
    "256.0.0.0/8",
    "010.0.0.0/8",
    "10.0.0/8",
    "10.0.0.0/33",
    "fc00::1/7",
    "::g/16",
    "1::2::/16",
    "::/129",
    "1:2:3/16",
  ])("%s is none", (n) => {
    expect(isNetwork(n)).toBe(false);
  });
  test("addresses have a host, perhaps a port, and nothing else", () => {
    for (const good of ["https://jiseki.example.jp", "https://10.1.1.1:8443", "https://localhost:8443/"]) {
      expect(isAddress(good), good).toBe(true);
    }
    for (const bad of ["http://x", "https://", "https://x/y", "https://x?y", "https://x#", "https://u@x", "x"]) {
      expect(isAddress(bad), bad).toBe(false);
    }
  });
});

describe("events", () => {
  test("a period runs from the start of its first day to the end of its last", () => {
    const r = requestOf({ from: "2026-11-01", until: "2026-11-01", kind: "", actor: " user:tanaka ", subject: "" });
    expect(r.actor).toBe("user:tanaka");
    expect(Number(r.fromMs)).toBe(Date.parse("2026-11-01T00:00:00+09:00"));
    expect(Number(r.untilMs)).toBe(Date.parse("2026-11-02T00:00:00+09:00"));
    expect(requestOf({ from: "", until: "", kind: "", actor: "", subject: "" })).toEqual({
      kind: "",
      actor: "",
      subject: "",
    });
  });
});

describe("systemAndBrowser", () => {
  test.each([
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
      "Windows",
      "Edge",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605.1.15",
      "Mac",
      "Safari",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140 Mobile Safari/604.1",
      "iPhone",
      "Chrome",
    ],
    ["Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chromebook", "Chrome"],
    ["something else", null, null],
  ])("%s", (agent, system, browser) => {
    expect(systemAndBrowser(agent)).toEqual({ system, browser });
  });
});

describe("rules that lock people out", () => {
  const off = fieldsOf({});
  const approval = { ...off, approvalRequired: true };
  const totp = { ...off, totpRequiredOutside: true };
  test.each([
    [off, totp, ["totp"]],
    [off, approval, ["approval"]],
    [off, { ...approval, totpRequiredOutside: true }, ["totp", "approval"]],
    [off, { ...approval, emergency: true }, []],
    [{ ...approval, emergency: true }, approval, ["approval"]],
    [approval, approval, []],
    [totp, { ...totp, watermark: "x" }, []],
    [totp, off, []],
  ])("are found (%#)", (before, after, want) => {
    expect(lockOuts(before, after)).toEqual(want);
  });
});

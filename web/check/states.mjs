// States that take desks and sessions to come about: the gateway's answers are replaced in the browser, and nothing
// else is.
import { at, open, signIn } from "./steps.mjs";

const now = Date.now();
const ago = (minutes) => String(now - minutes * 60_000);
const id = (n) => Buffer.alloc(16, n).toString("base64");

const reason = (code, ja, helpJa) => ({ code, ja, en: code, helpJa, helpEn: code });

const DESKS = [
  {
    deskId: "d1",
    name: "総務課-PC01",
    zone: "ZONE_LGWAN",
    state: "DESK_STATE_ON",
    lastSeenMs: ago(0),
    loggedIn: true,
    locked: true,
    lockable: true,
    mayOpen: true,
  },
  {
    deskId: "d2",
    name: "会議室ノート",
    zone: "ZONE_INTERNET",
    state: "DESK_STATE_ON",
    lastSeenMs: ago(0),
    mayOpen: true,
  },
  {
    deskId: "d3",
    name: "総務課-PC03",
    zone: "ZONE_LGWAN",
    state: "DESK_STATE_IN_SESSION",
    lastSeenMs: ago(1),
    loggedIn: true,
    lockable: true,
    mayOpen: true,
    sessionId: id(3),
  },
  {
    deskId: "d4",
    name: "総務課-PC04",
    zone: "ZONE_LGWAN",
    state: "DESK_STATE_OFF",
    lastSeenMs: ago(900),
    lockable: true,
    whyNot: [
      reason(
        "desk_off",
        "自席端末の電源が入っていないか、ネットワークにつながっていません。",
        "職場に電源の投入を依頼してください。",
      ),
    ],
  },
  {
    deskId: "d5",
    name: "総務課-PC05",
    zone: "ZONE_LGWAN",
    state: "DESK_STATE_UNKNOWN",
    lastSeenMs: ago(7),
    loggedIn: true,
    lockable: true,
    whyNot: [
      reason(
        "approval_needed",
        "現在の時間に承認済みの申請がありません。",
        "テレワークを申請し、所属長の承認を受けてください。",
      ),
      reason("desk_unknown", "自席端末の状態を確認できません。", "1分ほど待ってから、もう一度試してください。"),
    ],
  },
];

const ME = {
  userId: "tanaka",
  name: "田中 花子",
  roles: ["ROLE_STAFF", "ROLE_ADMIN"],
  place: "PLACE_SATELLITE",
  organisationName: "あおば町",
  may: ["MAY_CHANGE_PASSWORD", "MAY_ENROL_DEVICE", "MAY_USE_PORTAL", "MAY_OPEN_DESK", "MAY_ADMINISTER"],
  signInUntilMs: String(now + 36e5),
  device: {
    deviceId: "dv-7f3a",
    label: "WindowsのEdge",
    kind: "DEVICE_KIND_LENT",
    grade: "KEY_GRADE_NON_EXTRACTABLE",
    certificateUntilMs: String(now + 78e8),
  },
};

const session = (n, more) => ({
  sessionId: id(n),
  userId: "tanaka",
  userName: "田中 花子",
  deskId: "d1",
  deskName: "総務課-PC01",
  deviceId: "dv-7f3a",
  deviceLabel: "WindowsのEdge",
  place: "PLACE_HOME",
  address: "203.0.113.7",
  life: "SESSION_LIFE_OPEN",
  preparedMs: ago(90),
  openedMs: ago(90),
  bytesToViewer: "48210333",
  bytesToDesk: "91233",
  ...more,
});
const SESSIONS = [
  session(1, {}),
  session(2, {
    userName: "鈴木 一郎",
    userId: "suzuki",
    deskName: "税務課-PC01",
    place: "PLACE_SATELLITE",
    life: "SESSION_LIFE_ENDED",
    endedMs: ago(20),
    endCode: 6,
    lockedAfterEnd: true,
  }),
  session(3, { life: "SESSION_LIFE_ENDED", openedMs: "0", endedMs: ago(400), endReason: "agent_no_answer" }),
];
const DEVICES = [
  {
    deviceId: "dv-7f3a",
    owner: "user:tanaka",
    ownerName: "田中 花子",
    label: "WindowsのEdge",
    kind: "DEVICE_KIND_LENT",
    grade: "KEY_GRADE_NON_EXTRACTABLE",
    persistentStorage: true,
    enrolledMs: ago(9000),
    certificateUntilMs: String(now + 7e9),
    lastUsedMs: ago(3),
  },
  {
    deviceId: "dv-88c1",
    owner: "user:suzuki",
    ownerName: "鈴木 一郎",
    label: "MacのSafari",
    kind: "DEVICE_KIND_PRIVATE",
    grade: "KEY_GRADE_NON_EXTRACTABLE",
    enrolledMs: ago(9000),
    certificateUntilMs: ago(5),
    lastUsedMs: ago(20000),
  },
  {
    deviceId: "dv-0001",
    owner: "user:sato",
    ownerName: "佐藤 美咲",
    label: "WindowsのChrome",
    kind: "DEVICE_KIND_PRIVATE",
    grade: "KEY_GRADE_FILE",
    enrolledMs: ago(9000),
    certificateUntilMs: String(now + 1e9),
    revokedMs: ago(60),
    revokedReason: "端末の紛失",
  },
];

const ANSWERS = {
  "AuthService/GetMe": { me: ME },
  "DeskService/ListDesks": { etag: "e", desks: DESKS },
  "DeskService/ListMySessions": { sessions: SESSIONS },
  "AdminService/ListDevices": { devices: DEVICES },
  "AdminService/ListSessions": { sessions: SESSIONS },
  "AdminService/RevokeDevice": { endedSessions: 1 },
  "AdminService/VerifyEvents": {
    intact: false,
    checked: "12",
    at: "7",
    problem: "hash of event 7 does not fit",
    head: "JH1-7-XXXX",
  },
  "AdminService/ListEvents": {
    events: [
      {
        number: "7",
        timeMs: ago(1),
        kind: "sign_in",
        kindJa: "サインイン",
        kindEn: "signed in",
        actor: "user:tanaka",
        subject: "",
        outcome: "failed",
        code: "busy",
        details: "{}",
        hash: id(9),
      },
    ],
    head: "JH1-7-XXXX",
  },
};

export async function states({ browser, checker, gateway }) {
  const page = await open(browser, checker, gateway.office);
  const shot = async (name) => checker.shot(page, name);
  const held = new Map();
  await page.route("**/api/jiseki.control.v1.**", async (route) => {
    const method = route.request().url().split("jiseki.control.v1.")[1];
    const answer = held.get(method) ?? ANSWERS[method];
    if (answer === "hold") {
      return;
    } // no answer for as long as the page is open
    if (answer === "fail") {
      return route.abort();
    }
    await route.fulfill({
      status: answer?.code === undefined ? 200 : 401,
      contentType: "application/json",
      body: JSON.stringify(answer ?? {}),
    });
  });
  await desks(page, shot, held);
  await page.goto("/account");
  await page.getByText("操作なし").waitFor();
  await shot("account-sessions");
  await consoleStates(page, shot, held);
  held.set("AuthService/GetMe", { code: "unauthenticated" });
  held.set("DeskService/ListDesks", { code: "unauthenticated" });
  await page.goto("/");
  await at(page, "サインイン");
  held.set("AuthService/SignIn", {
    totpNeeded: true,
    refusal: { reasons: [reason("second_factor_needed", "x", "y")] },
  });
  await signIn(page, "tanaka", "a password");
  await page.getByLabel("ワンタイムパスワード").waitFor();
  await shot("signin-totp");
  await page.context().close();
}

async function desks(page, shot, held) {
  held.set("DeskService/ListDesks", "hold");
  await page.goto("/");
  await at(page, "自席端末");
  await shot("home-loading");
  held.set("DeskService/ListDesks", "fail");
  await page.goto("/");
  await page.getByText("ゲートウェイと通信できません。").waitFor();
  await shot("home-error");
  const again = await page.getByRole("button", { name: "もう一度読み込む" }).elementHandle();
  held.delete("DeskService/ListDesks");
  await again.evaluate((button) => button.click()); // the page asks by itself, too: the button may have gone
  await page.getByRole("heading", { name: "総務課-PC05" }).waitFor();
  await shot("home");
  await page.getByRole("button", { name: "会議室ノートに接続" }).click();
  await page.getByRole("dialog").getByText("理解して接続").waitFor();
  await shot("home-cannot-lock");
  await page.keyboard.press("Escape");
}

async function consoleStates(page, shot, held) {
  await page.goto("/console/devices");
  await page.getByRole("switch", { name: "失効した端末も表示する" }).check();
  await page.getByText("端末の紛失").waitFor();
  await shot("console-devices");
  await page.getByRole("button", { name: "失効させる: WindowsのEdge" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "失効させる" }).click();
  await page.getByText("理由を200文字以内で入力してください。").waitFor();
  await shot("console-devices-revoke");
  await page.goto("/console/sessions");
  await page.getByRole("button", { name: /終了させる: 田中/ }).waitFor();
  await shot("console-sessions");
  await page.getByText("すべての記録").click();
  await page.getByText("操作なし").waitFor();
  await shot("console-sessions-past");
  await page.goto("/console/events");
  await page.getByRole("button", { name: "改ざんの有無を検証" }).click();
  await page.getByText("番号7の記録に問題があります。").waitFor();
  await shot("console-events-broken");
  held.set("AuthService/GetMe", { me: { ...ME, may: ["MAY_USE_PORTAL"] } });
  await page.goto("/console/users");
  await page.getByText("管理の機能は使えません。").waitFor();
  await shot("console-refused");
  await page.goto("/no/such/page");
  await at(page, "ページが見つかりません");
  await shot("missing");
}

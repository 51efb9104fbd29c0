// What the viewer says, in Japanese and English. Words are those of docs/ARCHITECTURE.md.

import type { Cause, Reason } from "../engine/reconnect.ts";
import { endName, type EndName } from "../wire/end.ts";

export type Language = "ja" | "en";

const ja = {
  title: "自席 ビューア",
  desk: "自席端末の画面",
  deskHint:
    "キーボードとマウスの操作は自席端末に送られます。Ctrl と Alt と Shift を同時に押して離すと、ツールバーに移ります。",
  toolbar: "ツールバー",
  openToolbar: "ツールバーを開く",
  keys: "キー送信",
  keyCtrlAltDel: "Ctrl + Alt + Del",
  keyWindows: "Windows キー",
  keyAltTab: "Alt + Tab",
  keyHankaku: "半角/全角",
  keyAltF4: "Alt + F4",
  keyPrintScreen: "Print Screen",
  keyEscape: "Esc",
  keyTab: "Tab",
  softKeyboard: "文字を入力",
  unknownKey: "このキーは自席端末に送れません。ツールバーの「キー送信」か「文字を入力」をお使いください。",
  textRefused:
    "この自席端末には、画面上のキーボードで書いた文字を送れません。自席端末のエージェントの更新を、情報システム担当に依頼してください。",
  display: "表示",
  scale: "表示倍率",
  fit: "画面に合わせる",
  actual: "等倍",
  monitors: "表示する画面",
  monitor: "画面{n}",
  allMonitors: "すべての画面",
  primary: "メイン",
  fullScreen: "全画面",
  leaveFullScreen: "全画面を終了",
  fullScreenRefused: "ブラウザーが全画面表示を許可しませんでした。",
  paste: "貼り付け",
  pasteLong: "テキストを貼り付け",
  pasted: "テキストを自席端末に送りました。自席端末で Ctrl + V を押すと貼り付けられます。",
  pasteEmpty: "クリップボードにテキストがありません。",
  pasteTooLong: "テキストが長すぎるため送れません（上限64KB）。",
  pasteAsk: "自席端末に送るテキストをこの欄に貼り付けてください。",
  send: "送る",
  cancel: "やめる",
  quality: "接続状態",
  roundTrip: "往復時間",
  frames: "画面更新",
  framesUnit: "回/秒",
  traffic: "通信量",
  path: "経路",
  pathRelay: "中継 {host}",
  sealed: "暗号化",
  sealedBy: "この端末から自席端末まで",
  end: "接続を終了",
  endAsk: "接続を終了しますか。自席端末はロックされ、開いている作業はそのまま残ります。",
  connected: "{desk}に接続しました。",
  connecting: "{desk}に接続しています",
  connectingPlain: "自席端末に接続しています",
  stepAuthorize: "接続許可の確認",
  stepLink: "中継への接続",
  stepSeal: "暗号化した通信路の確立",
  stepPicture: "画面の受信",
  reconnecting: "再接続しています",
  reconnectingHelp: "自席端末での作業はそのまま続いています。このままお待ちください。",
  deskSilent: "自席端末からの応答を待っています。",
  retryIn: "{n}秒後に再接続します",
  doing: "{step}…",
  retryNow: "今すぐ再接続",
  stalled: "回線の応答を待っています（{n}秒）",
  ended: "接続を終了しました",
  failed: "接続できませんでした",
  again: "もう一度接続",
  back: "自席端末の一覧に戻る",
  signIn: "サインイン画面に進む",
  code: "確認コード",
  locks: "自席端末のキーボード: {states}",
  lockOn: "{name} オン",
  lockOff: "{name} オフ",
  capsOn: "自席端末の CapsLock がオンになりました。",
  capsOff: "自席端末の CapsLock がオフになりました。",
  cannotLock: "この自席端末は自動でロックできません。離席するときは、端末側でのロックを確認してください。",
};

type Words = typeof ja;

const en: Words = {
  title: "Jiseki viewer",
  desk: "Screen of the desk",
  deskHint: "Keyboard and mouse go to the desk. Press and release Ctrl, Alt and Shift together to move to the toolbar.",
  toolbar: "Toolbar",
  openToolbar: "Open the toolbar",
  keys: "Send keys",
  keyCtrlAltDel: "Ctrl + Alt + Del",
  keyWindows: "Windows key",
  keyAltTab: "Alt + Tab",
  keyHankaku: "Hankaku/Zenkaku",
  keyAltF4: "Alt + F4",
  keyPrintScreen: "Print Screen",
  keyEscape: "Esc",
  keyTab: "Tab",
  softKeyboard: "Write text",
  unknownKey: 'This key cannot be sent to the desk. Use "Send keys" or "Write text" of the toolbar.',
  textRefused: "This desk takes no text from a keyboard on the screen. Ask your administrator to update its agent.",
  display: "Display",
  scale: "Scale",
  fit: "Fit to window",
  actual: "Actual size",
  monitors: "Monitor shown",
  monitor: "Monitor {n}",
  allMonitors: "All monitors",
  primary: "main",
  fullScreen: "Full screen",
  leaveFullScreen: "Leave full screen",
  fullScreenRefused: "The browser did not allow full screen.",
  paste: "Paste",
  pasteLong: "Paste text",
  pasted: "The text was sent to the desk. Press Ctrl + V there to paste it.",
  pasteEmpty: "There is no text on the clipboard.",
  pasteTooLong: "The text is too long to send (limit 64 KB).",
  pasteAsk: "Paste the text for the desk into this field.",
  send: "Send",
  cancel: "Cancel",
  quality: "Connection",
  roundTrip: "Round trip",
  frames: "Screen updates",
  framesUnit: "/s",
  traffic: "Traffic",
  path: "Path",
  pathRelay: "relay {host}",
  sealed: "Encryption",
  sealedBy: "from this device to the desk",
  end: "End session",
  endAsk: "End the session? The desk will be locked; what is open there stays open.",
  connected: "Connected to {desk}.",
  connecting: "Connecting to {desk}",
  connectingPlain: "Connecting to the desk",
  stepAuthorize: "Permission to connect",
  stepLink: "Connection to the relay",
  stepSeal: "Encryption to the desk",
  stepPicture: "Picture of the screen",
  reconnecting: "Reconnecting",
  reconnectingHelp: "Your work on the desk goes on untouched. Please wait.",
  deskSilent: "Waiting for the desk to answer.",
  retryIn: "Next attempt in {n} s",
  doing: "{step}…",
  retryNow: "Reconnect now",
  stalled: "Waiting for the line to answer ({n} s)",
  ended: "Session ended",
  failed: "Could not connect",
  again: "Connect again",
  back: "Back to the desks",
  signIn: "Go to sign-in",
  code: "Code",
  locks: "Keyboard of the desk: {states}",
  lockOn: "{name} on",
  lockOff: "{name} off",
  capsOn: "Caps Lock is now on at the desk.",
  capsOff: "Caps Lock is now off at the desk.",
  cannotLock: "This desk cannot lock itself. Make sure at the desk that it is locked when you leave.",
};

const WORDS: Record<Language, Words> = { ja, en };

/** A sentence about a cause: what happened, what to do, and a code for the help desk. */
export interface Explanation {
  readonly what: string;
  readonly help: string;
  readonly code: string;
}

type Pair = readonly [what: string, help: string];

const ASK = {
  ja: "続く場合は、確認コードを添えて情報システム担当に連絡してください。",
  en: "If this goes on, give the code to your help desk.",
};

const ENDS: Partial<Record<EndName, { readonly ja: Pair; readonly en: Pair }>> = {
  ended_by_user: { ja: ["接続を終了しました。", ""], en: ["You ended the session.", ""] },
  taken_over: {
    ja: [
      "別の端末から同じ自席端末に接続したため、この接続を終了しました。",
      "心当たりがないときは、すぐに情報システム担当に連絡してください。",
    ],
    en: [
      "The desk was opened from another device, so this session ended.",
      "If that was not you, tell your help desk at once.",
    ],
  },
  ended_at_desk: {
    ja: ["自席端末の前にいる人が接続を終了しました。", "必要なときは、庁内に確認してからもう一度接続してください。"],
    en: ["Somebody at the desk ended the session.", "Ask at the office before you connect again."],
  },
  revoked: {
    ja: ["この接続の許可が取り消されました。", "情報システム担当に連絡してください。"],
    en: ["The permission for this session was withdrawn.", "Ask your help desk."],
  },
  expired: {
    ja: ["接続できる時間が終わりました。", "続けるときは、もう一度接続してください。"],
    en: ["The time for this session is over.", "Connect again to go on."],
  },
  idle: {
    ja: [
      "一定の時間操作がなかったため、自席端末をロックして接続を終了しました。",
      "続けるときは、もう一度接続してください。",
    ],
    en: [
      "Nothing was typed or moved for a while: the desk was locked and the session ended.",
      "Connect again to go on.",
    ],
  },
  policy: {
    ja: ["設定により、この接続は続けられません。", ASK.ja],
    en: ["The policy does not allow this session to go on.", ASK.en],
  },
  agent_stopping: {
    ja: ["自席端末のプログラムが再起動しています。", "しばらくお待ちください。"],
    en: ["The program on the desk is restarting.", "Please wait."],
  },
  protocol_error: { ja: ["通信の内容に誤りがありました。", ASK.ja], en: ["Something wrong was received.", ASK.en] },
  cannot_lock: {
    ja: ["自席端末を自動でロックできないため、接続できません。", ASK.ja],
    en: ["The desk cannot be locked, so it may not be opened.", ASK.en],
  },
  lease_lost: {
    ja: ["自席端末が庁内のサーバーと通信できなくなりました。", "回線が戻ると再接続します。"],
    en: ["The desk lost its line to the server.", "The session goes on when the line is back."],
  },
  capture_failed: {
    ja: ["自席端末の画面を取り込めませんでした。", ASK.ja],
    en: ["The desk's screen could not be captured.", ASK.en],
  },
  desk_locked: { ja: ["自席端末はロックされています。", ""], en: ["The desk is locked.", ""] },
  desk_unlocked: { ja: ["自席端末のロックが解除されました。", ""], en: ["The desk is unlocked.", ""] },
  input_denied: {
    ja: ["この接続では、キーボードとマウスの操作は許可されていません。", ""],
    en: ["This session does not allow keyboard and mouse.", ""],
  },
  clipboard_denied: {
    ja: ["この接続では、テキストの貼り付けは許可されていません。", ""],
    en: ["This session does not allow pasting text.", ""],
  },
  text_denied: {
    ja: [
      "この文字は自席端末のキーボードになく、貼り付けることもできないため、入力できません。",
      "英字、数字、記号は半角で入力してください。日本語は、自席端末の日本語入力をオンにして、ローマ字で入力してください。",
    ],
    en: [
      "The desk's keyboard does not have these characters, and they cannot be pasted now.",
      "Write letters, digits and signs in half width. For Japanese, turn on the desk's input method and type in romaji.",
    ],
  },
  ends_soon: {
    ja: ["まもなく接続が終了します。", "作業を保存してください。"],
    en: ["The session ends soon.", "Save your work."],
  },
  hours_end: {
    ja: ["まもなく勤務時間が終わります。", "終業を報告してください。"],
    en: ["Your working hours end soon.", "Report the end of work."],
  },
  replaced: {
    ja: ["この端末の別の画面で同じ自席端末を開いたため、この接続を終了しました。", ""],
    en: ["The desk was opened in another window of this device, so this session ended.", ""],
  },
};

const LINKS: Readonly<Record<number, { readonly ja: Pair; readonly en: Pair }>> = {
  4001: {
    ja: ["接続の手続の有効時間が過ぎました。", "しばらくお待ちください。"],
    en: ["The time to begin the session was over.", "Please wait."],
  },
  4002: { ja: ["自席端末が中継に接続しませんでした。", ASK.ja], en: ["The desk did not come to the relay.", ASK.en] },
  4003: {
    ja: ["自席端末との通信が切れました。", "しばらくお待ちください。"],
    en: ["The line to the desk broke.", "Please wait."],
  },
  4004: {
    ja: ["回線が混雑し、通信が進まなくなりました。", "しばらくお待ちください。"],
    en: ["The line is too busy.", "Please wait."],
  },
  4005: {
    ja: ["この接続の許可が取り消されました。", "情報システム担当に連絡してください。"],
    en: ["The permission for this session was withdrawn.", "Ask your help desk."],
  },
  4006: {
    ja: ["新しい接続に切り替わったため、この接続を終了しました。", ""],
    en: ["A newer session took the place of this one.", ""],
  },
  4007: {
    ja: ["庁内のサーバーが再起動しています。", "しばらくお待ちください。"],
    en: ["The server is restarting.", "Please wait."],
  },
  4008: { ja: ["通信の内容に誤りがありました。", ASK.ja], en: ["Something wrong was received.", ASK.en] },
  4009: {
    ja: ["回線から応答がなくなりました。", "しばらくお待ちください。"],
    en: ["The line went silent.", "Please wait."],
  },
  4010: {
    ja: ["通信の安全を確認できなかったため、接続を止めました。", ASK.ja],
    en: ["The session was stopped because its safety could not be verified.", ASK.en],
  },
};

/** The words of a language. */
export class Text {
  readonly language: Language;
  readonly #words: Words;

  constructor(language: Language) {
    this.language = language;
    this.#words = WORDS[language];
  }

  /** A sentence, with what stands in braces filled in. */
  say(key: keyof Words, values: Readonly<Record<string, string | number>> = {}): string {
    return this.#words[key].replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  }

  /** Explains why a session is not open. */
  explain(cause: Cause): Explanation {
    const { language } = this;
    const pair = (
      p: { readonly ja: Pair; readonly en: Pair } | undefined,
      code: string,
      fallback: { ja: Pair; en: Pair } = LOST,
    ): Explanation => {
      const [what, help] = (p ?? fallback)[language];
      return { what, help, code };
    };
    switch (cause.kind) {
      case "network":
        return pair(undefined, "network");
      case "blocked":
        return pair(BLOCKED, "websocket_blocked");
      case "relay":
        return pair(RELAY, "relay_unreachable");
      case "between":
        return pair(BETWEEN, "other_answer");
      case "link":
        return pair(LINKS[cause.code], `link-${cause.code}`);
      case "agent": {
        const name = endName(cause.code);
        return pair(name && ENDS[name], `end-${cause.code}`, UNKNOWN_END);
      }
      case "refused":
        return this.#refusal(cause.reasons);
      case "signed_out":
        return pair(SIGNED_OUT, "signed_out");
      case "no_device":
        return pair(NO_DEVICE, "no_device");
      case "seal":
        return pair(SEAL, "seal");
      case "broken":
        return pair(BROKEN, "broken");
      case "user":
        return pair(ENDS.ended_by_user, "");
    }
  }

  /** What a notice says; empty for one that this release does not know. */
  notice(code: number, seconds: number): string {
    const name = endName(code);
    const pair = name === undefined ? undefined : ENDS[name]?.[this.language];
    if (pair === undefined) {
      return "";
    }
    const rest = (name === "ends_soon" || name === "hours_end") && seconds > 0 ? this.#remaining(seconds) : "";
    return pair.join(this.language === "ja" ? "" : " ").trim() + rest;
  }

  #remaining(seconds: number): string {
    const minutes = Math.ceil(seconds / 60);
    return this.language === "ja" ? `（残り約${minutes}分）` : ` (about ${minutes} min left)`;
  }

  #refusal(reasons: readonly Reason[]): Explanation {
    const isJa = this.language === "ja";
    const lines = reasons.map((r) => (isJa ? r.ja : r.en)).filter((s) => s !== "");
    const help = reasons.map((r) => (isJa ? r.helpJa : r.helpEn)).filter((s) => s !== "");
    return {
      what: lines.length > 0 ? lines.join("\n") : REFUSED[this.language][0],
      help: [...new Set(help)].join("\n"),
      code: reasons.map((r) => r.code).join(", "),
    };
  }
}

const LOST = {
  ja: [
    "庁内のサーバーに接続できません。",
    "ほかのページが開けるかを確かめてください。開けないときは、回線（Wi-Fi や LTE）の状態を確認してください。",
  ],
  en: [
    "The server cannot be reached.",
    "See whether other pages open. If they do not, check your Wi-Fi or mobile line.",
  ],
} as const;
const BLOCKED = {
  ja: [
    "このネットワークは、画面の転送に使う通信（WebSocket）を止めています。",
    "別の回線（携帯電話のテザリングなど）で接続してください。この回線を使うときは、確認コードを添えて情報システム担当に連絡してください。",
  ],
  en: [
    "This network stops the kind of connection that carries the screen (WebSocket).",
    "Use another line, such as your telephone's. To use this one, give the code to your help desk.",
  ],
} as const;
const RELAY = {
  ja: ["庁内のサーバーには接続できますが、画面の中継に接続できません。", ASK.ja],
  en: ["The server can be reached, but its relay for the screen cannot.", ASK.en],
} as const;
const BETWEEN = {
  ja: [
    "庁内のサーバーではなく、途中の機器（プロキシや Wi-Fi の利用開始画面など）が応答しています。",
    "Wi-Fi の利用開始の手続が済んでいるかを確かめてください。続く場合は、確認コードを添えて情報システム担当に連絡してください。",
  ],
  en: [
    "Something on the way (a proxy, or the sign-in page of a Wi-Fi) answers instead of the server.",
    "See whether the Wi-Fi wants you to sign in first. If this goes on, give the code to your help desk.",
  ],
} as const;
const UNKNOWN_END = {
  ja: ["自席端末が接続を終了しました。", ASK.ja],
  en: ["The desk ended the session.", ASK.en],
} as const;
const REFUSED = { ja: ["接続が許可されませんでした。", ASK.ja], en: ["The session was not allowed.", ASK.en] } as const;
const SIGNED_OUT = {
  ja: ["サインインの有効時間が過ぎました。", "もう一度サインインしてください。"],
  en: ["Your sign-in has ended.", "Sign in again."],
} as const;
const NO_DEVICE = {
  ja: [
    "このブラウザーは接続元端末として登録されていません。",
    "利用者登録通知書の端末登録コードで、この端末を登録してください。",
  ],
  en: ["This browser is not an enrolled device.", "Enrol it with the one-time code on your slip."],
} as const;
const SEAL = {
  ja: ["通信の安全を確認できなかったため、接続を止めました。", ASK.ja],
  en: ["The session was stopped because its safety could not be verified.", ASK.en],
} as const;
const BROKEN = {
  ja: ["このプログラムで問題が起きました。", ASK.ja],
  en: ["Something went wrong in this program.", ASK.en],
} as const;

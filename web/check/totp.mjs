// One-time passwords: the set-up from the key to the recovery codes, the settings that ask for them.
import { createHmac } from "node:crypto";
import { at } from "./steps.mjs";

const STEP = 30_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The password of RFC 6238 (SHA-1, 30 seconds, 6 digits) for a key as apps write it. */
function totpAt(secret, ms) {
  const bits = [...secret].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / STEP)));
  const sum = createHmac("sha1", key).update(counter).digest();
  const number = sum.readUInt32BE(sum.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Sets up one-time passwords for who is signed in on the page. */
export async function setUpTotp(page, shot, password) {
  const code = page.getByLabel("ワンタイムパスワード");
  const confirm = page.getByRole("button", { name: "確認して設定" });
  await page.goto("/totp");
  await at(page, "ワンタイムパスワード");
  await shot("totp");
  await page.getByRole("textbox", { name: "現在のパスワード" }).fill(password);
  await page.getByRole("button", { name: "設定を始める" }).click();
  await page.getByRole("img", { name: "認証アプリに読み取らせるQRコード" }).waitFor();
  await shot("totp-key");
  const secret = (await page.locator(".totp-secret").textContent()).replaceAll(" ", "");
  const right = totpAt(secret, Date.now());
  await code.fill(right === "000000" ? "111111" : "000000");
  await confirm.click();
  await page.getByText("ワンタイムパスワードが違うか、すでに使われています。").waitFor();
  await shot("totp-wrong");
  await code.fill(totpAt(secret, Date.now()));
  await confirm.click();
  await page.getByText("ワンタイムパスワードを設定しました。").waitFor();
  await shot("totp-codes");
  await page.getByRole("button", { name: "書き写して保管した" }).click();
  await page.getByRole("link", { name: "自席端末の一覧へ進む" }).click();
  await at(page, "自席端末");
  await page.goto("/totp");
  await page.getByText("ワンタイムパスワードは設定されています。").waitFor();
  await shot("totp-has");
}

/** Asks for settings that lock people out, on the page of the settings; nothing is saved. */
export async function lockOutDialog(page, shot) {
  await page.getByRole("switch", { name: "庁外からの接続にワンタイムパスワードを求める" }).check();
  await page.getByRole("button", { name: "設定を保存" }).click();
  const dialog = page.getByRole("dialog", { name: "保存する前に確認してください" });
  await dialog.getByText("ワンタイムパスワードを設定していない利用者").waitFor();
  await shot("console-settings-lock-out");
  await dialog.getByRole("button", { name: "キャンセル" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("switch", { name: "庁外からの接続にワンタイムパスワードを求める" }).uncheck();
  await page.getByText("変更はありません。").waitFor();
}

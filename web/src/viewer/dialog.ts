import { el } from "./dom.ts";
import type { Text } from "./text.ts";

type Word = Parameters<Text["say"]>[0];

/** Asks a question; resolves to whether it was confirmed. The focus goes back to where it was. */
export function ask(parent: HTMLElement, text: Text, question: string, confirm: Word): Promise<boolean> {
  return open(parent, text, question, confirm).then((yes) => yes !== null);
}

/** Asks for a text that the browser would not give by itself; resolves to null if the user does not want to. */
export function askText(parent: HTMLElement, text: Text, question: string): Promise<string | null> {
  const field = el("textarea", { rows: "6", "aria-label": question, spellcheck: "false", autocomplete: "off" });
  return open(parent, text, question, "send", field).then((yes) => (yes === null ? null : field.value));
}

function open(
  parent: HTMLElement,
  text: Text,
  question: string,
  confirm: Word,
  field?: HTMLElement,
): Promise<true | null> {
  const form = el(
    "form",
    { method: "dialog" },
    el("p", {}, question),
    ...(field === undefined ? [] : [field]),
    el(
      "div",
      { class: "buttons" },
      el("button", { class: "primary", value: "yes" }, text.say(confirm)),
      el("button", { class: "quiet", value: "no" }, text.say("cancel")),
    ),
  );
  const dialog = el("dialog", { "aria-label": question }, form);
  parent.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? true : null);
    });
  });
}

import type { Cause, Phase, State } from "../engine/reconnect.ts";
import { button, el, icon, ICONS } from "./dom.ts";
import type { Text } from "./text.ts";

/** What can be done from the cover. */
export interface CoverActions {
  again(): void;
  hurry(): void;
  end(): void;
}

/**
 * For how long the last picture shines through while the line is lost, in milliseconds: then the desk is locked, too.
 */
const VEIL = 60_000;

const STEPS = ["authorizing", "linking", "sealing", "starting"] as const;
const STEP_WORDS = {
  authorizing: "stepAuthorize",
  linking: "stepLink",
  sealing: "stepSeal",
  starting: "stepPicture",
} as const;

/** Lies over the desk while there is no session: opening, opening again, ended. */
export class Cover {
  readonly element = el("div", { class: "cover" });
  readonly #text: Text;
  readonly #actions: CoverActions;
  #lostAt = 0;
  #countdown: ReturnType<typeof setInterval> | undefined;

  constructor(text: Text, actions: CoverActions) {
    this.#text = text;
    this.#actions = actions;
  }

  /** Shows a state; hides itself while the session is live. Returns what is to be announced. */
  show(state: State, retryIn: number, desk: string): string {
    clearInterval(this.#countdown);
    this.element.hidden = state.phase === "live";
    if (state.phase === "live") {
      this.#lostAt = 0;
    } else if (this.#lostAt === 0) {
      this.#lostAt = Date.now();
    }
    this.element.classList.toggle("over-picture", state.wasLive && state.phase !== "ended");
    if (state.phase === "live") {
      return this.#text.say("connected", { desk });
    }
    if (state.phase === "ended") {
      return this.#ended(state.cause ?? { kind: "user" }, state.wasLive);
    }
    return state.wasLive || state.phase === "waiting" ? this.#again(state, retryIn) : this.#opening(state.phase, desk);
  }

  #opening(phase: Exclude<Phase, "waiting">, desk: string): string {
    const text = this.#text;
    const title = desk === "" ? text.say("connectingPlain") : text.say("connecting", { desk });
    const now = STEPS.findIndex((s) => s === phase);
    const steps = STEPS.map((s, i) => {
      const state = i < now ? "done" : i === now ? "now" : "later";
      const mark = el("span", { class: "mark" }, ...(state === "done" ? [icon(ICONS.check)] : []));
      return el(
        "li",
        { class: state, ...(state === "now" ? { "aria-current": "step" } : {}) },
        mark,
        text.say(STEP_WORDS[s]),
      );
    });
    this.#card(
      "opening",
      el("div", { class: "spinner", "aria-hidden": "true" }),
      el("h1", {}, title),
      el("ol", { class: "steps" }, ...steps),
      this.#row(this.#quiet("cancel", () => this.#actions.end())),
    );
    return `${title} ${now >= 0 ? text.say(STEP_WORDS[STEPS[now]!]) : ""}`;
  }

  #again(state: State, retryIn: number): string {
    const text = this.#text;
    // A desk that starts again is "off" to the gateway for a while: no news for who was just working on it.
    const isRefused = state.wasLive && state.cause?.kind === "refused";
    const why = state.cause === null ? null : text.explain(state.cause);
    const title = text.say(state.wasLive ? "reconnecting" : "connectingPlain");
    const left = el("p", { class: "count" });
    const hurry = button({ class: "primary" }, () => this.#actions.hurry(), text.say("retryNow"));
    const end = Date.now() + retryIn;
    const tick = (): void => {
      const seconds = Math.ceil((end - Date.now()) / 1000);
      const isWaiting = state.phase === "waiting" && seconds > 0;
      left.textContent = isWaiting
        ? text.say("retryIn", { n: seconds })
        : text.say("doing", { step: text.say(STEP_WORDS[stepOf(state.phase)]) });
      hurry.disabled = !isWaiting;
      if (Date.now() - this.#lostAt > VEIL) {
        this.element.classList.remove("over-picture");
      }
    };
    tick();
    this.#countdown = setInterval(tick, 250);
    const lines = [
      isRefused ? text.say("deskSilent") : why?.what,
      state.wasLive ? text.say("reconnectingHelp") : why?.help,
    ].filter((s) => s !== undefined && s !== "");
    this.#card(
      "again",
      el("div", { class: "spinner", "aria-hidden": "true" }),
      el("h1", {}, title),
      ...lines.map((s) => el("p", {}, s ?? "")),
      left,
      this.#row(
        hurry,
        this.#quiet("end", () => this.#actions.end()),
      ),
    );
    return [title, ...lines].join(" ");
  }

  #ended(cause: Cause, wasLive: boolean): string {
    const text = this.#text;
    const actions = this.#actions;
    const { what, help, code } = text.explain(cause);
    const isMine = cause.kind === "user";
    const title = text.say(wasLive || isMine ? "ended" : "failed");
    const heading = el("h1", { tabindex: "-1" }, title);
    const parts: HTMLElement[] = [heading];
    if (!isMine) {
      parts.push(...what.split("\n").map((s) => el("p", { class: "what" }, s)));
    }
    if (help !== "") {
      parts.push(...help.split("\n").map((s) => el("p", { class: "help" }, s)));
    }
    if (code !== "") {
      parts.push(el("p", { class: "code" }, el("span", {}, text.say("code")), el("code", {}, code)));
    }
    const back = el("a", { class: "quiet", href: "/" }, text.say("back"));
    const first =
      cause.kind === "signed_out" || cause.kind === "no_device"
        ? el("a", { class: "primary", href: "/" }, text.say("signIn"))
        : button({ class: "primary" }, () => actions.again(), text.say("again"));
    this.#card(
      isMine ? "done" : "bad",
      el("div", { class: "emblem", "aria-hidden": "true" }, icon(isMine ? ICONS.check : ICONS.alert)),
      ...parts,
      this.#row(first, back),
    );
    heading.focus();
    return [title, isMine ? "" : what, help].join(" ");
  }

  #card(kind: string, ...children: readonly Node[]): void {
    const focused = this.element.contains(document.activeElement);
    this.element.replaceChildren(el("section", { class: `card ${kind}` }, ...children));
    if (focused) {
      this.element.querySelector<HTMLElement>("button:not(:disabled), h1")?.focus();
    }
  }

  #row(...children: readonly Node[]): HTMLElement {
    return el("div", { class: "buttons" }, ...children);
  }

  #quiet(word: "cancel" | "end", act: () => void): HTMLElement {
    return button({ class: "quiet" }, act, this.#text.say(word));
  }
}

function stepOf(phase: Phase): (typeof STEPS)[number] {
  return STEPS.find((s) => s === phase) ?? "authorizing";
}

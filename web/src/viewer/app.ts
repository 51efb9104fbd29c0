import { toBGRX } from "../codec/decoder.ts";
import type { Area } from "../input/area.ts";
import { FullScreen } from "../input/fullscreen.ts";
import { Input } from "../input/input.ts";
import { systemOf } from "../input/keyboard.ts";
import { browserTimers, type Pinch } from "../input/sink.ts";
import { TAP_CODES } from "../keys/codes.ts";
import { RIGHT } from "../grant/grant.ts";
import type { CursorShape, Opening, Statistics } from "../engine/messages.ts";
import { type Cause, first, type State } from "../engine/reconnect.ts";
import { Session, type Told } from "../engine/session.ts";
import { ALL_MONITORS, MAX_CLIPBOARD, MAX_TEXT } from "../wire/limits.ts";
import { authorize, type Person } from "./authorize.ts";
import { Cover } from "./cover.ts";
import { longest, Prolong } from "./prolong.ts";
import { cursorCSS } from "./cursor.ts";
import { ask, askText } from "./dialog.ts";
import { el } from "./dom.ts";
import { belowNotice, pinched, place, type Placement, type Scale, unzoomed, type Zoom, zoomed } from "./scale.ts";
import { fitAbove, writingField } from "./softkeys.ts";
import type { Text } from "./text.ts";
import { Toolbar } from "./toolbar.ts";
import { Watermark } from "./watermark.ts";

/** What the page was opened for. */
export interface AppConfig {
  readonly root: HTMLElement;
  readonly text: Text;
  readonly person: Person;
  readonly desk: string;
  readonly deskName: string;
  /** Leaves out the watermark and the question before closing, so that a test can compare and close. */
  readonly isTest: boolean;
}

/** How long a toast stays, in milliseconds. */
const TOAST = 7000;
const MINUTE = 60_000;

/** The viewer page with one session. */
export class App {
  readonly #c: AppConfig;
  readonly #canvas = el("canvas", { width: "1", height: "1" });
  readonly #stage: HTMLElement;
  /** Has the focus while a keyboard on the screen writes. */
  readonly #field: HTMLTextAreaElement;
  readonly #watermark = new Watermark();
  readonly #toast = el("div", { class: "toast", role: "status" });
  readonly #announcer = el("div", { class: "announcer", "aria-live": "polite" });
  readonly #toolbar: Toolbar;
  readonly #cover: Cover;
  readonly #fullScreen: FullScreen;
  readonly #input: Input;
  readonly #session: Session;

  #state: State = first;
  #scale: Scale = "fit";
  #zoom: Zoom = unzoomed;
  /** The desk takes texts. */
  #texts = false;
  #monitor = ALL_MONITORS;
  #rights = 0;
  #shown: Extract<Told, { type: "layout" }> | null = null;
  #placement: Placement | null = null;
  #cursor: CursorShape | null = null;
  #template = "";
  /** Reports of the engine, one a second while it is connected, and the last of them. */
  #beats = 0;
  #statistics: Statistics | null = null;
  #toasting: ReturnType<typeof setTimeout> | undefined;
  /** Gateway's time minus this machine's, in milliseconds. */
  #clockOffset = 0;
  readonly #prolong: Prolong;

  constructor(config: AppConfig) {
    this.#c = config;
    const { root, text } = config;
    const hint = el("p", { id: "hint", class: "announcer" }, text.say("deskHint"));
    this.#stage = el(
      "div",
      {
        class: "stage",
        tabindex: "0",
        role: "application",
        "aria-label": text.say("desk"),
        "aria-describedby": "hint",
      },
      this.#canvas,
    );
    this.#field = writingField(text.say("softKeyboard"));
    this.#toolbar = new Toolbar(
      text,
      {
        keys: (codes) => this.#sendKeys(codes),
        scale: (scale) => this.#setScale(scale),
        monitor: (index) => this.#setMonitor(index),
        fullScreen: () => void this.#toggleFullScreen(),
        paste: () => void this.#paste(),
        softKeyboard: () => this.#field.focus({ preventScroll: true }),
        end: () => void this.#askToEnd(),
        leave: () => this.#stage.focus(),
      },
      this.#showing(),
    );
    this.#cover = new Cover(text, {
      again: () => location.reload(),
      hurry: () => this.#session.tell({ type: "hurry" }),
      end: () => this.#session.tell({ type: "end" }),
    });
    root.replaceChildren(
      this.#stage,
      this.#field,
      hint,
      this.#watermark.element,
      this.#cover.element,
      this.#toolbar.element,
      this.#toast,
      this.#announcer,
    );
    this.#fullScreen = new FullScreen(root, navigator);
    this.#input = new Input({
      element: this.#stage,
      field: this.#field,
      sink: {
        send: (message) => this.#session.tell({ type: "send", message }),
        write: (s) => this.#write(s),
        unknownKey: () => this.#say(this.#c.text.say("unknownKey")),
        zoom: (pinch) => this.#pinch(pinch),
        toToolbar: () => this.#toolbar.focus(),
      },
      timers: browserTimers(window),
      area: () => this.#area(),
      systemKeys: () => this.#fullScreen.locked,
      system: systemOf(navigator.platform),
    });
    this.#prolong = new Prolong(
      () => longest(config.desk),
      () => this.#session.tell({ type: "renew" }),
    );
    this.#show(first, 0);
    this.#session = new Session({
      canvas: this.#canvas,
      view: this.#view(),
      authorize: (continues) => this.#authorize(continues),
      listen: (m) => this.#told(m),
    });
    this.#listen();
  }

  /** What a test may ask of the page. */
  testHook(): object {
    return {
      state: () => this.#state.phase,
      failure: () => this.#state.cause,
      beats: () => this.#beats,
      statistics: () => this.#statistics,
      picture: () => this.#picture(),
    };
  }

  async #picture(): Promise<object | null> {
    const peek = await this.#session.peek();
    if (peek === null) {
      return null;
    }
    const { width, height, pixels, seq, generation, settled } = peek;
    const bgrx = toBGRX(new Int32Array(pixels.buffer));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bgrx));
    const sha256 = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
    return { width, height, seq, generation, settled, sha256 };
  }

  #listen(): void {
    const { root } = this.#c;
    new ResizeObserver(() => this.#arrange()).observe(root);
    this.#watchRatio();
    fitAbove(root, this.#field);
    document.addEventListener("visibilitychange", () => this.#tellView());
    document.addEventListener("fullscreenchange", () => this.#toolbar.update(this.#showing()));
    root.addEventListener("pointermove", (e) => this.#toolbar.pointer(e));
    window.addEventListener("online", () => this.#session.tell({ type: "hurry" }));
    window.addEventListener("beforeunload", (e) => {
      if (this.#state.phase === "live" && !this.#c.isTest) {
        e.preventDefault();
      }
    });
    setInterval(() => this.#mark(), MINUTE);
  }

  /** The window may move to a screen with other pixels, or be zoomed. */
  #watchRatio(): void {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
      "change",
      () => {
        this.#arrange();
        this.#watchRatio();
      },
      { once: true },
    );
  }

  async #authorize(continues: Uint8Array<ArrayBuffer> | null): Promise<Opening | Cause> {
    const got = await authorize(this.#c.person, this.#c.desk, continues);
    if ("kind" in got) {
      return got;
    }
    this.#template = this.#c.isTest ? "" : got.watermark;
    this.#clockOffset = got.opening.clockOffset;
    this.#toolbar.quality.path(got.opening.relayUrl);
    return got.opening;
  }

  #told(m: Told): void {
    switch (m.type) {
      case "state":
        this.#show(m.state, m.retryIn);
        break;
      case "welcome":
        this.#rights = m.rights;
        this.#texts = m.texts;
        this.#prolong.begins(m.sessionUntil);
        this.#toolbar.locks.forget();
        this.#toolbar.update(this.#showing());
        if (!m.lockable) {
          this.#say(this.#c.text.say("cannotLock"));
        }
        break;
      case "layout":
        this.#shown = m;
        this.#arrange();
        this.#toolbar.update(this.#showing());
        break;
      case "cursor":
        this.#cursor = m.cursor;
        this.#point();
        break;
      case "notice":
        this.#say(this.#c.text.notice(m.code, m.seconds), m.seconds > 0 ? MINUTE : TOAST);
        break;
      case "statistics":
        this.#beats++;
        void this.#prolong.tick(Date.now() + this.#clockOffset);
        this.#statistics = m.statistics;
        this.#toolbar.quality.update(m.statistics);
        if (m.statistics.silent > 4000) {
          this.#say(this.#c.text.say("stalled", { n: Math.round(m.statistics.silent / 1000) }));
        }
        break;
      case "locks":
        this.#say(this.#toolbar.locks.update(m.locks));
        break;
    }
  }

  #show(state: State, retryIn: number): void {
    const before = this.#state.phase;
    this.#state = state;
    const words = this.#cover.show(state, retryIn, this.#c.deskName);
    const isLive = state.phase === "live";
    this.#c.root.dataset["phase"] = state.phase;
    this.#toolbar.element.hidden = !isLive;
    this.#stage.inert = !isLive;
    this.#field.disabled = !isLive;
    if (isLive && before !== "live") {
      this.#begin();
    } else if (!isLive && before === "live") {
      this.#input.stop();
    }
    if (state.phase !== before || before === "authorizing") {
      this.#announcer.textContent = words;
    }
    if (state.phase === "ended") {
      this.#finish();
    }
  }

  /** Nothing of the desk stays on the page. */
  #finish(): void {
    this.#session.stop();
    this.#canvas.remove();
    this.#watermark.element.remove();
    this.#toast.classList.remove("shown");
    void this.#fullScreen.leave();
  }

  #begin(): void {
    this.#arrange();
    this.#mark();
    this.#input.start();
    this.#stage.focus({ preventScroll: true });
    this.#toolbar.open();
  }

  #mark(): void {
    this.#watermark.element.hidden = this.#template === "" || this.#shown === null;
    if (this.#template !== "") {
      this.#watermark.show(this.#template, new Date());
    }
  }

  /** Puts the canvas where it belongs. */
  #arrange(): void {
    this.#mark();
    if (this.#shown === null) {
      return;
    }
    const stage = { width: this.#stage.clientWidth, height: this.#stage.clientHeight };
    const p = zoomed(place(this.#shown.part, stage, devicePixelRatio, this.#scale), stage, this.#zoom);
    this.#placement = p;
    const { style } = this.#canvas;
    style.left = `${p.left}px`;
    style.top = `${p.top}px`;
    style.width = `${p.width}px`;
    style.height = `${p.height}px`;
    style.imageRendering = p.exact ? "pixelated" : "auto";
    this.#stage.classList.toggle("scrolls", this.#scale === "actual");
    this.#toolbar.below(belowNotice(p, this.#shown.part));
    this.#point();
  }

  /** Two fingers zoom. What was shown in actual size goes on from there. */
  #pinch(by: Pinch): void {
    if (this.#shown === null || this.#placement === null) {
      return;
    }
    const { left, top } = this.#stage.getBoundingClientRect();
    const stage = { width: this.#stage.clientWidth, height: this.#stage.clientHeight };
    const fit = place(this.#shown.part, stage, devicePixelRatio, "fit");
    if (this.#scale === "actual") {
      const p = this.#placement;
      this.#zoom = {
        factor: Math.max(p.width / fit.width, 1),
        left: p.left - this.#stage.scrollLeft,
        top: p.top - this.#stage.scrollTop,
      };
      this.#scale = "fit";
    }
    this.#zoom = pinched(fit, stage, this.#zoom, { ...by, x: by.x - left, y: by.y - top });
    this.#arrange();
    this.#toolbar.update(this.#showing());
  }

  #point(): void {
    if (this.#cursor === null || this.#shown === null || this.#placement === null) {
      return;
    }
    this.#canvas.style.cursor = cursorCSS(
      this.#cursor,
      this.#placement.width / this.#shown.part.width,
      devicePixelRatio,
    );
  }

  #area(): Area | null {
    if (this.#state.phase !== "live" || this.#shown === null) {
      return null;
    }
    return {
      generation: this.#shown.layout.generation,
      ...this.#shown.part,
      box: this.#canvas.getBoundingClientRect(),
    };
  }

  #showing(): Parameters<Toolbar["update"]>[0] {
    return {
      desk: this.#c.deskName,
      scale: this.#scale,
      monitor: this.#monitor,
      layout: this.#shown?.layout ?? null,
      isFullScreen: document.fullscreenElement === this.#c.root,
      mayPaste: (this.#rights & RIGHT.clipboard) !== 0,
      mayType: (this.#rights & RIGHT.input) !== 0,
    };
  }

  #view(): { visible: boolean; monitor: number } {
    return { visible: document.visibilityState === "visible", monitor: this.#monitor };
  }

  #tellView(): void {
    this.#session.tell({ type: "view", view: this.#view() });
  }

  #setScale(scale: Scale): void {
    this.#scale = scale;
    this.#zoom = unzoomed;
    this.#arrange();
    this.#toolbar.update(this.#showing());
    this.#stage.focus();
  }

  #setMonitor(index: number): void {
    this.#monitor = index;
    this.#zoom = unzoomed;
    this.#tellView();
    this.#toolbar.update(this.#showing());
    this.#stage.focus();
  }

  #sendKeys(codes: readonly number[]): void {
    const [code] = codes;
    if (codes.length === 1 && code !== undefined && TAP_CODES.has(code)) {
      this.#input.tap(code);
    } else {
      this.#input.combo(codes);
    }
    this.#stage.focus();
  }

  async #toggleFullScreen(): Promise<void> {
    try {
      await (this.#fullScreen.active ? this.#fullScreen.leave() : this.#fullScreen.enter());
      this.#stage.focus();
    } catch {
      this.#say(this.#c.text.say("fullScreenRefused"));
    }
  }

  async #askToEnd(): Promise<void> {
    const { root, text } = this.#c;
    if (await ask(root, text, text.say("endAsk"), "end")) {
      this.#session.tell({ type: "end" });
    } else {
      this.#stage.focus();
    }
  }

  /**
   * Sends the device's clipboard, if the user wants it and the browser gives it; else what the user pastes into a
   * field.
   */
  async #paste(): Promise<void> {
    const { root, text } = this.#c;
    const got = await navigator.clipboard.readText().catch(() => askText(root, text, text.say("pasteAsk")));
    if (got !== null) {
      this.#say(text.say(this.#sendText(got.replaceAll("\0", "").replaceAll("\r\n", "\n"))));
    }
    this.#stage.focus();
  }

  /** Sends what was written without physical keys: the desk types it, or pastes it where it may. */
  #write(s: string): void {
    if (!this.#texts) {
      this.#say(this.#c.text.say("textRefused"));
      return;
    }
    for (const text of pieces(s.replaceAll("\0", ""), MAX_TEXT)) {
      this.#session.tell({ type: "send", message: { kind: "text", text } });
    }
  }

  #sendText(s: string): "pasteEmpty" | "pasteTooLong" | "pasted" {
    if (s === "") {
      return "pasteEmpty";
    }
    if (new TextEncoder().encode(s).length > MAX_CLIPBOARD) {
      return "pasteTooLong";
    }
    this.#session.tell({ type: "send", message: { kind: "clipboard", text: s } });
    return "pasted";
  }

  /** Shows a sentence for a while; it is announced, too. */
  #say(words: string, ms = TOAST): void {
    if (words === "") {
      return;
    }
    this.#toast.textContent = words;
    this.#toast.classList.add("shown");
    clearTimeout(this.#toasting);
    this.#toasting = setTimeout(() => this.#toast.classList.remove("shown"), ms);
  }
}

/** A text in pieces of at most so many bytes. */
function pieces(s: string, most: number): string[] {
  const encoder = new TextEncoder();
  const all = [""];
  let bytes = 0;
  for (const c of s) {
    const more = encoder.encode(c).length;
    if (bytes + more > most) {
      all.push("");
      bytes = 0;
    }
    all[all.length - 1] += c;
    bytes += more;
  }
  return all.filter((p) => p !== "");
}

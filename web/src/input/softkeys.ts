import { isCharacter, type Keyboard } from "./keyboard.ts";

/** What a SoftKeyboard needs. */
export interface SoftKeyboardConfig {
  /** An editable field that nobody sees. While it has the focus the system shows its keyboard. */
  readonly field: HTMLTextAreaElement;
  readonly keyboard: Keyboard;
  /** Presses Backspace so many times. */
  readonly erase: (times: number) => void;
}

/**
 * What stands in the field while nothing is written. Keyboards on screens tell of Backspace only by what is missing
 * afterwards, so there must be something to take away.
 */
const REST = " ".repeat(16);

/**
 * The keyboard of a phone or tablet. It presses no keys: it edits a text. What it changes there goes to the desk as
 * text and as Backspaces; keys that it does name are keys. A Japanese composition goes when it is decided; letters of
 * the alphabet go as they are written, also while the keyboard still holds them for its own corrections.
 */
export class SoftKeyboard {
  readonly #c: SoftKeyboardConfig;
  /** What of the field's text has gone to the desk. */
  #sent = REST;

  constructor(config: SoftKeyboardConfig) {
    this.#c = config;
  }

  /** Listens to the field until the signal aborts. */
  listen(signal: AbortSignal): void {
    const { field, keyboard } = this.#c;
    field.addEventListener("keydown", (e) => this.#keydown(e), { signal });
    field.addEventListener("keyup", (e) => e.code !== "" && keyboard.keyup(e), { signal });
    field.addEventListener("input", (e) => this.#input(e.isComposing), { signal });
    field.addEventListener("compositionend", () => (this.#take(), this.#rest()), { signal });
    field.addEventListener("focus", () => this.#rest(), { signal });
    this.#rest();
  }

  /**
   * Physical keys of a phone's keyboard are keys. What has no code is a key only if it has a name: the rest comes as
   * text.
   */
  #keydown(e: KeyboardEvent): void {
    const isText =
      e.isComposing || e.key === "Process" || e.key === "Unidentified" || (e.code === "" && isCharacter(e.key));
    if (!isText) {
      this.#take();
      this.#rest();
      this.#c.keyboard.keydown(e);
    }
  }

  #input(isComposing: boolean): void {
    if (isComposing && !/^[\x20-\x7e]*$/.test(this.#c.field.value)) {
      return; // kana that are not decided yet
    }
    this.#take();
    if (!isComposing) {
      this.#rest();
    }
  }

  /** Sends what has changed since the last time. */
  #take(): void {
    const { value } = this.#c.field;
    let same = 0;
    while (same < value.length && same < this.#sent.length && value[same] === this.#sent[same]) {
      same++;
    }
    if (same > 0 && isHigh(value.charCodeAt(same - 1))) {
      same--; // not between the halves of a character
    }
    const gone = Array.from(this.#sent.slice(same)).length;
    const text = value.slice(same);
    this.#sent = value;
    if (gone > 0) {
      this.#c.erase(gone);
    }
    if (text !== "") {
      this.#c.keyboard.write(text);
    }
  }

  #rest(): void {
    const { field } = this.#c;
    this.#sent = REST;
    if (field.value !== REST) {
      field.value = REST;
    }
    field.setSelectionRange(REST.length, REST.length);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

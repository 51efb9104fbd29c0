/** The Keyboard Lock API (WICG), which TypeScript's DOM library does not know. Chromium has it, in secure contexts. */
interface KeyboardLock {
  lock(codes?: readonly string[]): Promise<void>;
  unlock(): void;
}

/** What is used of the browser's Navigator. */
export type LockNavigator = Pick<Navigator, never> & { readonly keyboard?: KeyboardLock };

/**
 * Full screen with keyboard lock: the browser gets Alt+Tab, the Windows key, Escape and its own shortcuts, and passes
 * them on. Holding Escape for two seconds leaves full screen; the browser sees to that. Ctrl+Alt+Del and Win+L stay
 * with the device's system.
 */
export class FullScreen {
  readonly #element: HTMLElement;
  readonly #keyboard: KeyboardLock | undefined;
  #locked = false;

  /** @param element what fills the screen: the desk together with its toolbar */
  constructor(element: HTMLElement, navigator: LockNavigator) {
    this.#element = element;
    this.#keyboard = navigator.keyboard;
    element.ownerDocument.addEventListener("fullscreenchange", () => this.#changed());
  }

  /** Whether the element fills the screen. */
  get active(): boolean {
    return this.#element.ownerDocument.fullscreenElement === this.#element;
  }

  /** Whether the browser gets the system's keys. */
  get locked(): boolean {
    return this.#locked;
  }

  /**
   * Fills the screen and locks the keyboard if the browser can. Needs a user's click or key. Rejects if it is refused.
   */
  async enter(): Promise<void> {
    await this.#element.requestFullscreen({ navigationUI: "hide" });
    try {
      await this.#keyboard?.lock();
      // Full screen may have ended while the lock was on its way.
      this.#locked = this.#keyboard !== undefined && this.active;
    } catch {
      this.#locked = false; // full screen without the system's keys is still full screen
    }
    if (!this.active) {
      this.#keyboard?.unlock();
    }
  }

  /** Back to the window. */
  async leave(): Promise<void> {
    if (this.active) {
      await this.#element.ownerDocument.exitFullscreen();
    }
  }

  #changed(): void {
    if (!this.active) {
      this.#locked = false;
      this.#keyboard?.unlock();
    }
  }
}

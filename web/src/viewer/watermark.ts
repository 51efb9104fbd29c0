// Who looks at the picture, where and when, in faint text all over it: a deterrent against photographs of the screen.

const STEP_X = 420;
const STEP_Y = 170;
const ANGLE = -Math.PI / 8;

/** Lies over the picture and takes no pointer. */
export class Watermark {
  readonly element = document.createElement("canvas");
  #text = "";

  constructor() {
    this.element.className = "watermark";
    this.element.setAttribute("aria-hidden", "true");
  }

  /**
   * Shows a text; `{time}` in it becomes the time. Empty: shows nothing. To be called again when the time or the size
   * changes.
   */
  show(template: string, now: Date): void {
    this.#text = template.replaceAll("{time}", stamp(now));
    this.#draw();
  }

  #draw(): void {
    const { element } = this;
    const text = this.#text;
    const ratio = globalThis.devicePixelRatio;
    const width = globalThis.innerWidth;
    const height = globalThis.innerHeight;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    const context = element.getContext("2d");
    if (context === null || text === "") {
      return;
    }
    context.scale(ratio, ratio);
    context.rotate(ANGLE);
    context.font = '500 15px "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, sans-serif';
    const reach = width + height;
    for (let y = -height, odd = 0; y < reach; y += STEP_Y, odd ^= 1) {
      for (let x = -reach / 2 - (odd * STEP_X) / 2; x < reach; x += STEP_X) {
        // Twice, so that it shows on light and on dark.
        context.fillStyle = "rgb(255 255 255 / 0.10)";
        context.fillText(text, x + 1, y + 1);
        context.fillStyle = "rgb(0 0 0 / 0.075)";
        context.fillText(text, x, y);
      }
    }
  }
}

/**
 * Japan is so far ahead of UTC, in milliseconds: a photograph tells the town hall's time, whatever the device's zone
 * is.
 */
const JST = 9 * 3_600_000;

/** The day and time in Japan, to the minute. */
export function stamp(d: Date): string {
  return new Date(d.getTime() + JST).toISOString().slice(0, 16).replace("T", " ");
}

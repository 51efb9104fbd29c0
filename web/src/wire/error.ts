/** In which way bytes are wrong; the names are those of vectors/README.md. */
export type Class = "short" | "trailer" | "range" | "type" | "skip";

/**
 * Tells why bytes are no message. Holds nothing of the message but its type and the name of a field, so it may be
 * logged. Class "skip" means that the message is to be passed over, and nothing is wrong.
 */
export class WireError extends Error {
  readonly class: Class;
  /** The first field that is out of range; "" for other classes. */
  readonly field: string;

  constructor(cls: Class, type: number, field = "") {
    super(`wire: type 0x${type.toString(16).padStart(2, "0")}: ${cls}${field === "" ? "" : ` (${field})`}`);
    this.name = "WireError";
    this.class = cls;
    this.field = field;
  }
}

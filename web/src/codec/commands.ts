import { CodecError } from "./error.ts";

/** Greatest distance that a signed number may express. */
const MAX_SIGNED = 16384;

/** Reads the numbers of an update. Never reads behind end; throws CodecError instead. */
export class Commands {
  bytes: Uint8Array;
  pos: number;
  end: number;

  constructor(bytes: Uint8Array, pos: number, end: number) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  /** Goes to another stretch of bytes. */
  set(bytes: Uint8Array, pos: number, end: number): void {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  get left(): number {
    return this.end - this.pos;
  }

  byte(): number {
    if (this.pos >= this.end) {
      throw new CodecError("short", "commands end early");
    }
    return this.bytes[this.pos++]!;
  }

  /** An unsigned number of at most limit. */
  u(limit: number): number {
    let v = 0;
    for (let scale = 1, i = 0; i < 5; i++, scale *= 128) {
      const b = this.byte();
      v += (b & 127) * scale;
      if (b < 128) {
        if (v > limit || (b === 0 && i > 0)) {
          throw new CodecError("range", "a number is out of range or longer than needed");
        }
        return v;
      }
    }
    throw new CodecError("range", "a number is too long");
  }

  /** A signed number within ±16384. */
  s(): number {
    const v = this.u(2 * MAX_SIGNED);
    return (v & 1) === 0 ? v / 2 : -(v + 1) / 2;
  }
}

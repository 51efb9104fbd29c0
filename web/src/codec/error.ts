/** In which way an update is wrong; the names are those of vectors/README.md, and `stream` for what zstd refuses. */
export type Class = "short" | "trailer" | "range" | "stream";

/** An update that breaks a rule of docs/protocol/codec.md. The decoder that threw it is of no use any more. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly class: Class;

  constructor(cls: Class, message: string, options?: ErrorOptions) {
    super(`codec: ${message}`, options);
    this.class = cls;
  }
}

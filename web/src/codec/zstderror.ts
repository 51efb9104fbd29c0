/** What is wrong with a zstd stream. */
export type ZstdFault =
  /** ends in the middle */
  | "short"
  /** another magic number, a dictionary, a checksum, a content size, or a window above the limit */
  | "header"
  /** a block that no encoder writes */
  | "block"
  /** more bytes than the caller allows */
  | "limit"
  /** a last block, or anything after an error */
  | "ended";

/** A zstd stream that cannot be decoded. The decoder that threw it is unusable from then on. */
export class ZstdError extends Error {
  override readonly name = "ZstdError";
  readonly fault: ZstdFault;

  constructor(fault: ZstdFault, message: string) {
    super(`zstd: ${message}`);
    this.fault = fault;
  }
}

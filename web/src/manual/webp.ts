// The size of a WebP picture, from its header (RFC 9649).

/** Reads the size of a picture in pixels. */
export function webpSize(file: Uint8Array): { width: number; height: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const name = (at: number): string => String.fromCodePoint(...file.subarray(at, at + 4));
  if (file.length < 30 || name(0) !== "RIFF" || name(8) !== "WEBP") {
    throw new Error("not a WebP picture");
  }
  switch (name(12)) {
    case "VP8 ": // section 2.5 of RFC 6386: start code, then 14 bits each
      return { width: view.getUint16(26, true) & 0x3f_ff, height: view.getUint16(28, true) & 0x3f_ff };
    case "VP8L": {
      const bits = view.getUint32(21, true); // after the signature: 14 bits each, less one
      return { width: (bits & 0x3f_ff) + 1, height: ((bits >>> 14) & 0x3f_ff) + 1 };
    }
    case "VP8X":
      return { width: (view.getUint32(24, true) & 0xff_ff_ff) + 1, height: (view.getUint32(26, true) >>> 8) + 1 };
    default:
      throw new Error("an unknown kind of WebP picture");
  }
}

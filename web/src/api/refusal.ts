// Reads the Refusal in the details of a Connect error: protobuf bytes, even where everything else is JSON. Two messages
// of strings and a number do not deserve the protobuf runtime in every page.
import type { ReasonJson, RefusalJson } from "../gen/jiseki/control/v1/shared_pb.js";

/** Bytes that are no Refusal. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
}

const MAX_REASONS = 64;
const REASON_FIELDS = [undefined, "code", "ja", "en", "helpJa", "helpEn"] as const;

type Value = number | Uint8Array;

/** Reads a Refusal. Throws RefusalError on anything else; unknown fields are skipped. */
export function readRefusal(bytes: Uint8Array): RefusalJson {
  const reasons: ReasonJson[] = [];
  let retryAfterS = 0;
  for (const [field, value] of fields(bytes)) {
    if (field === 1 && typeof value !== "number") {
      if (reasons.length >= MAX_REASONS) {
        throw new RefusalError("too many reasons");
      }
      reasons.push(readReason(value));
    } else if (field === 2 && typeof value === "number") {
      retryAfterS = value;
    }
  }
  return { reasons, retryAfterS };
}

function readReason(bytes: Uint8Array): ReasonJson {
  const reason: ReasonJson = {};
  for (const [field, value] of fields(bytes)) {
    const name = REASON_FIELDS[field];
    if (name !== undefined && typeof value !== "number") {
      reason[name] = text(value);
    }
  }
  return reason;
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RefusalError("not UTF-8", { cause });
  }
}

/** The fields of a message in their order: varints of up to 53 bits and byte strings. */
function* fields(bytes: Uint8Array): Generator<readonly [number, Value]> {
  let at = 0;
  const varint = (): number => {
    let n = 0;
    for (let i = 0, unit = 1; i < 10; i++, unit *= 128) {
      const b = bytes[at++];
      if (b === undefined) {
        throw new RefusalError("cut");
      }
      n += (b & 0x7f) * unit;
      if (b < 0x80) {
        if (!Number.isSafeInteger(n)) {
          throw new RefusalError("number too large");
        }
        return n;
      }
    }
    throw new RefusalError("number too long");
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    if (field === 0) {
      throw new RefusalError("field 0");
    }
    switch (tag % 8) {
      case 0:
        yield [field, varint()];
        break;
      case 2: {
        const size = varint();
        if (size > bytes.length - at) {
          throw new RefusalError("cut");
        }
        yield [field, bytes.subarray(at, at + size)];
        at += size;
        break;
      }
      default:
        throw new RefusalError("unknown kind of field");
    }
  }
}

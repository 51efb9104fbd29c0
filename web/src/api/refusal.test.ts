import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RefusalSchema } from "../gen/jiseki/control/v1/shared_pb.js";
import { readRefusal, RefusalError } from "./refusal.ts";

const reason = fc.record({
  code: fc.string(),
  ja: fc.string(),
  en: fc.string(),
  helpJa: fc.string(),
  helpEn: fc.string(),
});

const encode = (
  reasons: { code: string; ja: string; en: string; helpJa: string; helpEn: string }[],
  retryAfterS: number,
): Uint8Array => toBinary(RefusalSchema, create(RefusalSchema, { reasons, retryAfterS }));

describe("readRefusal", () => {
  test("reads what protobuf writes", () => {
    fc.assert(
      fc.property(fc.array(reason, { maxLength: 5 }), fc.nat({ max: 2 ** 31 - 1 }), (reasons, wait) => {
        const read = readRefusal(encode(reasons, wait));
        expect(read.retryAfterS).toBe(wait);
        const empty = { code: "", ja: "", en: "", helpJa: "", helpEn: "" };
        expect((read.reasons ?? []).map((r) => ({ ...empty, ...r }))).toEqual(reasons);
      }),
    );
  });

  test("throws RefusalError, or reads something, on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readRefusal(bytes);
        } catch (e) {
          expect(e).toBeInstanceOf(RefusalError);
        }
      }),
    );
  });

  test("refuses what is cut inside a reason", () => {
    const bytes = encode([{ code: "slow_down", ja: "待って", en: "wait", helpJa: "", helpEn: "" }], 0);
    for (let n = 1; n < bytes.length; n++) {
      expect(() => readRefusal(bytes.subarray(0, n)), `${n} bytes`).toThrow(RefusalError);
    }
  });

  test("refuses endless reasons and endless numbers", () => {
    expect(() => readRefusal(new Uint8Array(200).map((_, i) => (i % 2 === 0 ? 0x0a : 0)))).toThrow(RefusalError);
    expect(() => readRefusal(new Uint8Array(12).fill(0xff))).toThrow(RefusalError);
  });
});

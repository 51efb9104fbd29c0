import { bench, describe } from "vitest";
import { readVectors } from "../vectors/vectors.ts";
import { Decoder } from "./decoder.ts";
import { parseFrameHeader, ZstdStream } from "./zstd.ts";

describe("zstd: a whole stream, its window made anew", () => {
  for (const { name, header, payload } of readVectors("zstd")) {
    const parts = JSON.parse(header.get("value")!) as [number, number, string][];
    const { window, size } = parseFrameHeader(payload);
    bench(name, () => {
      const stream = new ZstdStream(window, 4 << 20);
      let at = 0;
      for (const [coded] of parts) {
        stream.decode(payload.subarray(at === 0 ? size : at, at + coded));
        at += coded;
      }
    });
  }
});

describe("updates: a whole session, its decoder made anew", () => {
  for (const { name, header, payload } of readVectors("codec").filter((v) => v.header.get("expect") === "ok")) {
    const [width, height] = header.get("size")!.split(" ").map(Number);
    const sizes = header.get("updates")!.split(" ").map(Number);
    bench(name, () => {
      const decoder = new Decoder(width!, height!);
      let at = 0;
      for (const n of sizes) {
        decoder.decode(payload.subarray(at, (at += n)));
      }
    });
  }
});

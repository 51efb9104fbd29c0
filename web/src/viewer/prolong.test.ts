import { expect, test } from "vitest";
import { Prolong } from "./prolong.ts";

const MINUTE = 60_000;
const END = 1000 * MINUTE;

function watch(answers: (number | Error)[]): { prolong: Prolong; asked: () => number; renewed: () => number } {
  let asked = 0;
  let renewed = 0;
  const longest = (): Promise<number> => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? 0;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const prolong = new Prolong(longest, () => renewed++);
  prolong.begins(END);
  return { prolong, asked: () => asked, renewed: () => renewed };
}

test("asks in the last ten minutes only, every twenty seconds", async () => {
  const w = watch([END]);
  await w.prolong.tick(END - 11 * MINUTE);
  expect(w.asked()).toBe(0);
  await w.prolong.tick(END - 10 * MINUTE);
  await w.prolong.tick(END - 10 * MINUTE + 19_000);
  expect(w.asked()).toBe(1);
  await w.prolong.tick(END - 10 * MINUTE + 20_000);
  expect(w.asked()).toBe(2);
  expect(w.renewed()).toBe(0);
});

test("opens anew once when the gateway would grant more", async () => {
  const w = watch([END, new Error("unreachable"), END + 30_000, END + 60 * MINUTE]);
  for (let i = 0; i < 6; i++) {
    await w.prolong.tick(END - 5 * MINUTE + i * 20_000);
  }
  expect(w.renewed()).toBe(1);
  expect(w.asked()).toBe(4);
  w.prolong.begins(END + 60 * MINUTE);
  await w.prolong.tick(END);
  expect(w.asked()).toBe(4);
});

test("an answer that comes after the session was opened anew does not count", async () => {
  let answer: (until: number) => void = () => {};
  let renewed = 0;
  const prolong = new Prolong(
    () => new Promise((resolve) => (answer = resolve)),
    () => renewed++,
  );
  prolong.begins(END);
  const ticked = prolong.tick(END - MINUTE);
  prolong.begins(END + 60 * MINUTE);
  answer(END + 60 * MINUTE);
  await ticked;
  expect(renewed).toBe(0);
});

// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ImportHolidaysResponseJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

const file = new File(["x"], "days.csv", { type: "text/csv" });

async function choose(answer: ImportHolidaysResponseJson): Promise<void> {
  await visit("/console/holidays", { ListHolidays: {}, ImportHolidays: answer });
  await screen.findByRole("button", { name: "CSVを取り込む" });
  const input = document.querySelector<HTMLInputElement>('input[type="file"]');
  if (input === null) {
    throw new Error("no file input");
  }
  await userEvent.upload(input, file);
}

test("what is wrong in a file is said by line, column and the column's name", async () => {
  await choose({
    refusal: {
      errors: [
        { line: 3, ja: "引用符の誤り。", en: "A quote." },
        { line: 4, column: 2, columnJa: "名称", columnEn: "name", ja: "空です。", en: "Empty." },
        { line: 5, column: 9, ja: "余分です。", en: "Too many." },
      ],
    },
  });
  const alert = await screen.findByRole("alert");
  expect([...alert.querySelectorAll("li")].map((li) => li.textContent)).toEqual([
    "3行目： 引用符の誤り。",
    "4行目 2列目「名称」： 空です。",
    "5行目 9列目： 余分です。",
  ]);
});

test("lines that were left out are named after an import", async () => {
  await choose({
    imported: {
      count: 2,
      warnings: [{ line: 7, column: 1, columnJa: "日付", columnEn: "date", ja: "2行目と同じ日付です。", en: "Twice." }],
    },
  });
  const status = (await screen.findAllByRole("status")).find((s) => s.textContent.includes("使わなかった"));
  expect(status?.textContent).toContain("7行目 1列目「日付」： 2行目と同じ日付です。");
});

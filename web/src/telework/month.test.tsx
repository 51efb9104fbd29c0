// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

test("who exports in Shift_JIS is told how many characters changed", async () => {
  const url = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  await visit("/workdays", {
    GetMonth: { report: { userName: "鈴木 花子" } },
    ExportMonths: { csv: "", fileName: "x.csv", reduced: 2, lost: 1 },
  });
  await userEvent.click(await screen.findByRole("button", { name: "CSV（Shift_JIS）" }));
  const told = await screen.findByText("Shift_JISにない文字があります。");
  expect(told.parentElement?.textContent).toContain(
    "2文字は、一般的な字形で書き出しました。1文字は、「〓」で書き出しました。",
  );
  url.mockRestore();
});

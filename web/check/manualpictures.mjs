// The pictures of the manuals: where in the walk each is taken (`at`), which elements it shows (`of`), and what is framed in it (`marks`).

const button = (name) => (page) => page.getByRole("button", { name, exact: true });
const inDialog = (name) => (page) => page.getByRole("dialog").getByRole("button", { name, exact: true });

export const pictures = [
  // Staff
  { name: "signin", at: "first-signin", of: ["main form"], marks: [button("サインイン")] },
  { name: "password", at: "first-password", of: ["main form"], marks: [button("パスワードを変更")] },
  { name: "enrol", at: "first-enrol", of: ["main form"], marks: [button("この端末を登録")] },
  { name: "check", at: "first-check", of: ["main h1", "main .content"] },
  { name: "lost", at: "first-lost", of: ["main form"], marks: [button("届け出て端末を失効させる")] },
  { name: "form", at: "day-form", of: ["main .content"], marks: [button("申請する")], tallest: 700 },
  { name: "home", at: "day-home-break", of: ["header", "main .today"] },
  { name: "break", at: "day-home-break", of: ["main .today", "main .now"], marks: [button("再開を報告")] },
  { name: "finish", at: "day-finish", of: ["[role=dialog]"], marks: [button("終業を報告する")] },
  { name: "month", at: "day-month", of: ["main .content"], tallest: 520 },
  { name: "workday", at: "day-workday", of: ["main .content"], marks: [button("訂正する")] },
  // Approvers
  { name: "inbox", at: "day-inbox", of: [".console-page"], tallest: 420 },
  { name: "approve", at: "day-approve", of: ["[role=dialog]"], marks: [inDialog("承認")] },
  { name: "absences", at: "day-absences", of: [".console-page"], marks: [button("不在を登録")] },
  { name: "reviews", at: "day-reviews", of: [".console-page"], marks: [button("確認した")] },
  { name: "members", at: "day-members", of: [".console-page"] },
  { name: "board", at: "day-board-finished", of: [".console-page"] },
  { name: "poweron", at: "day-poweron", of: [".console-page"] },
  { name: "months", at: "day-months", of: [".console-page"], marks: [button("選んだ職員の実績を確認済みにする")] },
];

// The pictures of the manuals: the place in the walk where each is taken is its name; `of` are the elements that it
// shows, `marks` what is framed in it, `inset` what is cut off around them, `window` the size of the window.

const button = (name) => (page) => page.getByRole("button", { name, exact: true });
const inDialog = (name) => (page) => page.getByRole("dialog").getByRole("button", { name, exact: true });

export const pictures = [
  // Staff
  { name: "signin", of: ["main form"], marks: [button("サインイン")] },
  { name: "password", of: ["main form"], marks: [button("パスワードを変更")] },
  { name: "enrol", of: ["main form"], marks: [button("この端末を登録")] },
  { name: "check", of: ["main .checked"], tallest: 560 },
  {
    name: "form",
    of: ["main .content"],
    inset: 16,
    marks: [button("申請する")],
    window: { width: 1366, height: 768 },
    tallest: 880,
  },
  { name: "home", of: ["header", "main .today", "main .desks"] },
  { name: "viewer", of: ["body"], window: { width: 1366, height: 768 } },
  { name: "break", of: ["main .today", "main .now"], marks: [button("再開を報告")] },
  { name: "finish", of: ["[role=dialog]"], marks: [inDialog("終業を報告する")] },
  { name: "month", of: ["main .content"], inset: 16, tallest: 480 },
  { name: "workday", of: ["main .content"], inset: 16, tallest: 800, marks: [button("訂正する")] },
  { name: "lost", of: ["main form"], marks: [button("届け出て端末を失効させる")] },
  // Approvers
  { name: "inbox", of: [".console-page"], tallest: 420 },
  { name: "approve", of: ["[role=dialog]"], marks: [inDialog("承認")] },
  { name: "absences", of: [".console-page"], marks: [button("不在を登録")] },
  {
    name: "reviews",
    of: [".console-page .section"],
    marks: [(page) => page.getByRole("button", { name: /確認した/ })],
  },
  { name: "members", of: [".console-page"], tallest: 480 },
  { name: "board", of: [".console-page"], tallest: 520 },
  { name: "week", of: [".console-page"], tallest: 520 },
  { name: "poweron", of: [".console-page"], tallest: 420 },
  { name: "months", of: [".console-page"], marks: [button("選んだ職員の実績を確認済みにする")] },
];

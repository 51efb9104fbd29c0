/** The words of the policy pages in Japanese. */
export const policyJa = {
  nav: { policy: "利用の条件", staff: "職員の勤務条件", calendar: "開庁日", routes: "承認の経路", why: "接続可否の確認", power: "電源", mails: "通知メール" },
} as const;

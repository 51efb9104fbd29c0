/** The words of the approval pages in Japanese. */
export const approvalJa = {
  nav: { inbox: "承認", board: "在席状況", week: "予定表" },
} as const;

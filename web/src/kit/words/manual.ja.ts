/** The words around the manuals in Japanese. */
export const manualJa = {
  staff: "利用手順書",
  approver: "承認者の手引",
  contents: "目次",
  print: "印刷する",
  japaneseOnly: "この手順書は日本語だけで書かれています。",
  read: "サインインの方法や使い方は「利用手順書」にあります。",
  open: "利用手順書を開く",
} as const;

import type { JSX } from "react";
import manual from "../../../docs/manual/approver.ja.md";
import { ManualPage } from "./manual.tsx";

/** 承認者の手引. */
export function ApproverManual(): JSX.Element {
  return <ManualPage manual={manual} name="approver" />;
}

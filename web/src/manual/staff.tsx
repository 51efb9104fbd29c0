import type { JSX } from "react";
import manual from "../../../docs/manual/staff.ja.md";
import { ManualPage } from "./manual.tsx";

/** 利用手順書. */
export function StaffManual(): JSX.Element {
  return <ManualPage manual={manual} name="staff" />;
}

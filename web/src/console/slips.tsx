import { createContext, useContext, useMemo, useState, type JSX, type ReactNode } from "react";
import type { SlipJson } from "../gen/jiseki/control/v1/admin_pb.js";

/** Slips that were just made. They hold secrets that are shown once: in memory alone, gone with the page. */
export interface Slips {
  readonly slips: readonly SlipJson[];
  readonly lay: (slips: readonly SlipJson[]) => void;
}

const Desk = createContext<Slips>({ slips: [], lay: () => undefined });

/** Holds the slips between the page that makes them and the page that prints them. */
export function SlipDesk({ children }: { readonly children: ReactNode }): JSX.Element {
  const [slips, lay] = useState<readonly SlipJson[]>([]);
  const value = useMemo(() => ({ slips, lay }), [slips]);
  return <Desk value={value}>{children}</Desk>;
}

/** The slips that wait to be printed. */
export function useSlips(): Slips {
  return useContext(Desk);
}

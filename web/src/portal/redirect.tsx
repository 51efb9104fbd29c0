import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Left } from "../kit/me.ts";

interface RedirectProps {
  readonly to: string;
  /** For the sign-in: where to go after it, and why it is needed. */
  readonly then?: string | undefined;
  readonly why?: Left | undefined;
}

/** Leads to another page, once for each set of values. The page that is left stays out of the history. */
export function Redirect({ to, then, why }: RedirectProps): null {
  const navigate = useNavigate();
  useEffect(() => {
    void navigate({ to, search: { to: then, why }, replace: true });
  }, [navigate, to, then, why]);
  return null;
}

import { useLocation } from "@tanstack/react-router";
import { type JSX, type ReactNode, useEffect, useRef } from "react";
import "./sidemenu.css";

/** The menu beside pages that belong together: links. On narrow windows it is one row above them. */
export function SideMenu({ label, children }: { readonly label: string; readonly children: ReactNode }): JSX.Element {
  const { pathname } = useLocation();
  const nav = useRef<HTMLElement>(null);
  useEffect(() => keepShown(nav.current, pathname), [pathname]);
  return (
    <nav ref={nav} className="console-nav" aria-label={label}>
      {children}
    </nav>
  );
}

/**
 * Shows the link to the open page, again when the window gets another width, until the function that it gives is
 * called.
 */
function keepShown(nav: HTMLElement | null, pathname: string): (() => void) | undefined {
  if (!nav) {
    return undefined;
  }
  const width = new ResizeObserver(() => showLink(nav, pathname));
  width.observe(nav);
  return () => width.disconnect();
}

/** On narrow windows the menu is one row that scrolls: the link to the page that is open stands in its middle. */
function showLink(nav: HTMLElement, pathname: string): void {
  const links = [...nav.querySelectorAll("a")];
  const current = links.find((a) => pathname.startsWith(a.pathname))?.getBoundingClientRect();
  if (!current) {
    return;
  }
  nav.scrollLeft += current.left + current.width / 2 - (nav.getBoundingClientRect().left + nav.clientWidth / 2);
}

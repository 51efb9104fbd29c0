// Icons of 24 units, drawn in the text's colour. They say nothing by themselves: words stand beside them.
import type { JSX } from "react";

const paths = {
  info: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm1 15h-2v-6h2v6Zm0-8h-2V7h2v2Z",
  success: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.6 14.6-4.2-4.2 1.4-1.4 2.8 2.8 6-6 1.4 1.4-7.4 7.4Z",
  warning: "M1 21 12 2l11 19H1Zm10-3h2v-2h-2v2Zm0-4h2V9h-2v5Z",
  error: "M8 2h8l6 6v8l-6 6H8l-6-6V8l6-6Zm3 15h2v-2h-2v2Zm0-4h2V7h-2v6Z",
  menu: "M3 5h18v2H3V5Zm0 6h18v2H3v-2Zm0 6h18v2H3v-2Z",
  close: "M18.3 4.3 12 10.6 5.7 4.3 4.3 5.7l6.3 6.3-6.3 6.3 1.4 1.4 6.3-6.3 6.3 6.3 1.4-1.4-6.3-6.3 6.3-6.3-1.4-1.4Z",
  down: "m12 16.4-7-7L6.4 8l5.6 5.6L17.6 8 19 9.4l-7 7Z",
  more: "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 2a2 2 0 1 0 0 4 2 2 0 0 0 0-4Zm0 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
  desk: "M3 4h18v13H3V4Zm2 2v9h14V6H5Zm2 13h10v2H7v-2Z",
  device: "M5 5h14v10H5V5Zm2 2v6h10V7H7ZM2 17h20v2H2v-2Z",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm-8 16v-2c0-2.7 5.3-4 8-4s8 1.3 8 4v2H4Z",
  globe:
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm6.9 6h-3a16 16 0 0 0-1.4-3.6A8 8 0 0 1 18.9 8ZM12 4c.8 1.2 1.5 2.5 1.9 4h-3.8c.4-1.5 1.1-2.8 1.9-4ZM4.3 14a8 8 0 0 1 0-4h3.4a16.5 16.5 0 0 0 0 4H4.3Zm.8 2h3c.3 1.3.8 2.5 1.4 3.6A8 8 0 0 1 5.1 16Zm3-8h-3a8 8 0 0 1 4.4-3.6A16 16 0 0 0 8.1 8ZM12 20c-.8-1.2-1.5-2.5-1.9-4h3.800c-.4 1.5-1.1 2.8-1.9 4Zm2.3-6H9.7a14.7 14.7 0 0 1 0-4h4.6a14.7 14.7 0 0 1 0 4Zm.3 5.6c.6-1.1 1-2.3 1.3-3.6h3a8 8 0 0 1-4.3 3.6ZM16.4 14a16.5 16.5 0 0 0 0-4h3.4a8 8 0 0 1 0 4h-3.4Z",
  print: "M7 3h10v5H7V3Zm-3 6h16a2 2 0 0 1 2 2v6h-4v4H6v-4H2v-6c0-1.1.9-2 2-2Zm4 6v4h8v-4H8Zm10-3.5h2v-1.5h-2v1.5Z",
  bell: "M12 22a2.5 2.5 0 0 0 2.5-2.5h-5A2.5 2.5 0 0 0 12 22Zm7-6v-5a7 7 0 0 0-5.5-6.800V3.500a1.5 1.5 0 0 0-3 0v.7A7 7 0 0 0 5 11v5l-2 2v1h18v-1l-2-2Z",
  plus: "M11 4h2v7h7v2h-7v7h-2v-7H4v-2h7V4Z",
  lock: "M12 2a5 5 0 0 0-5 5v3H5v12h14V10h-2V7a5 5 0 0 0-5-5Zm-3 8V7a3 3 0 1 1 6 0v3H9Zm3 4a1.5 1.5 0 0 1 1 2.6V19h-2v-2.4a1.5 1.5 0 0 1 1-2.6Z",
} as const;

export type IconName = keyof typeof paths;

/** An icon; hidden from screen readers. */
export function Icon({ name, size = 24 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="currentColor" />
    </svg>
  );
}

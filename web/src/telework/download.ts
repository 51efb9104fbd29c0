import { fromBase64 } from "../api/api.ts";

/** Hands bytes of the API to the browser as a file. */
export function download(base64: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([fromBase64(base64)], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // after the browser has taken it
}

// The viewer page: /viewer?desk=ID. No framework.

import type { ListDesksResponseJson } from "../gen/jiseki/control/v1/desk_pb.js";
import { type Cause, first } from "../reconnect.ts";
import { call, CallError } from "./api.ts";
import { App } from "./app.ts";
import { identify } from "./authorize.ts";
import { Cover } from "./cover.ts";
import { type Language, Text } from "./text.ts";

declare global {
  interface Window {
    /** There only in a browser that a program drives, on a page that was opened with `test`. */
    jisekiTest?: object;
  }
}

const LANGUAGE = "jiseki.language";

function language(): Language {
  return localStorage.getItem(LANGUAGE) === "en" ? "en" : "ja";
}

async function deskName(desk: string): Promise<string> {
  const { desks } = await call<ListDesksResponseJson>("DeskService/ListDesks", {});
  return desks?.find((d) => d.deskId === desk)?.name ?? desk;
}

async function start(root: HTMLElement): Promise<void> {
  const query = new URLSearchParams(location.search);
  const desk = query.get("desk") ?? "";
  const text = new Text(language());
  document.documentElement.lang = text.language;
  document.title = text.say("title");
  const cover = new Cover(text, {
    again: () => location.reload(),
    hurry: () => location.reload(),
    end: () => location.assign("/"),
  });
  root.replaceChildren(cover.element);
  cover.show(first, 0, "");
  try {
    const [person, name] = await Promise.all([identify(), deskName(desk)]);
    document.title = `${name} - ${text.say("title")}`;
    const isTest = navigator.webdriver && query.has("test");
    const app = new App({ root, text, person, desk, deskName: name, isTest });
    if (isTest) window.jisekiTest = app.testHook();
  } catch (e) {
    const cause: Cause = e instanceof CallError ? e.why : { kind: "broken", detail: String(e) };
    cover.show({ ...first, phase: "ended", cause }, 0, "");
  }
}

const root = document.getElementById("viewer");
if (root !== null) void start(root);

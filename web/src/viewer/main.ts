// The viewer page: /viewer?desk=ID. No framework.

import { call } from "../api/api.ts";
import { type Cause, first } from "../engine/reconnect.ts";
import { App } from "./app.ts";
import { identify } from "./authorize.ts";
import { causeOf, patience } from "./cause.ts";
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
  const { desks } = await call("DeskService", "ListDesks", {}, patience());
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
  const fail = (cause: Cause): string => cover.show({ ...first, phase: "ended", cause }, 0, "");
  try {
    const [person, name] = await Promise.all([identify(), deskName(desk)]);
    if ("kind" in person) {
      fail(person);
      return;
    }
    document.title = `${name} - ${text.say("title")}`;
    const isTest = navigator.webdriver && query.has("test");
    const app = new App({ root, text, person, desk, deskName: name, isTest });
    if (isTest) {
      window.jisekiTest = app.testHook();
    }
  } catch (e) {
    fail(causeOf(e));
  }
}

const root = document.getElementById("viewer");
if (root !== null) {
  void start(root);
}

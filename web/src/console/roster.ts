// Users that are pasted as lines, from a spreadsheet or typed.
import type { TFunction } from "i18next";
import type { DeskJson, NewUserJson, SectionJson } from "../gen/jiseki/control/v1/admin_pb.js";
import { BAD, fold, foldId, tidy } from "../typed/fold.ts";

/** How many users are created in one go: the gateway's body limit and one stack of paper. */
export const MOST = 200;

const LONGEST_NAME = 60;
const FIELDS = 5;

/** What lines may name. */
export interface Known {
  readonly sections: readonly SectionJson[];
  readonly desks: readonly DeskJson[];
}

/** A line that was read. */
export interface Line {
  /** In the text, from 1. */
  readonly number: number;
  readonly user: NewUserJson;
  readonly section: string;
  readonly desk: string;
  /** What is wrong, in the language of the page; empty if nothing is. */
  readonly problems: readonly string[];
}

/** Says whether a user id can be one. */
export function isUserId(id: string): boolean {
  return /^[a-z0-9._-]{1,64}$/.test(id);
}

/** Says whether a name has 1 to 60 characters, none of them a control or one that turns the direction of writing. */
export function isName(name: string): boolean {
  const n = Array.from(name).length;
  return n >= 1 && n <= LONGEST_NAME && !BAD.test(name);
}

/** Reads lines of user id, name, kana, section and desk, separated by tabs or commas. Empty lines are skipped. */
export function readRoster(text: string, known: Known, t: TFunction): Line[] {
  const first = new Map<string, number>();
  return text.split(/\r?\n/).flatMap((line, i) => {
    if (/^[\s,、，\u200b]*$/.test(line)) {
      return [];
    }
    const read = readLine(line, i + 1, known, t);
    const id = read.user.userId ?? "";
    const before = first.get(id);
    if (before === undefined) {
      first.set(id, i + 1);
      return [read];
    }
    return [{ ...read, problems: [...read.problems, t("console.users.idTwice", { line: before })] }];
  });
}

/** A cell without the quotation marks that spreadsheets put around it. */
function cell(text: string): string {
  return tidy(
    tidy(text)
      .replace(/^"(.*)"$/, "$1")
      .replaceAll('""', '"'),
  );
}

function readLine(line: string, number: number, known: Known, t: TFunction): Line {
  const fields = line.split(line.includes("\t") ? "\t" : /[,、，]/).map(cell);
  const [id = "", name = "", kana = "", section = "", desk = ""] = fields;
  const problems: string[] = [];
  const userId = foldId(id);
  if (fields.slice(FIELDS).some((f) => f !== "")) {
    problems.push(t("console.users.fieldsBad"));
  }
  if (!isUserId(userId)) {
    problems.push(t("console.users.idBad"));
  }
  if (!isName(name)) {
    problems.push(t("console.users.nameBad"));
  }
  if (kana !== "" && !isName(kana)) {
    problems.push(t("console.users.kanaBad"));
  }
  const sections = known.sections.filter((s) => fold(s.name ?? "") === fold(section));
  if (section !== "" && sections.length === 0) {
    problems.push(t("console.users.sectionUnknown", { name: section }));
  }
  if (section !== "" && sections.length > 1) {
    problems.push(t("console.users.sectionAmbiguous", { name: section }));
  }
  const found = known.desks.find((d) => fold(d.name ?? "") === fold(desk));
  if (desk !== "" && found === undefined) {
    problems.push(t("console.users.deskUnknown", { name: desk }));
  }
  const user: NewUserJson = {
    userId,
    name,
    kana,
    roles: ["ROLE_STAFF"],
    mainSectionId: section === "" ? "" : (sections[0]?.sectionId ?? ""),
    deskIds: desk === "" || found?.deskId === undefined ? [] : [found.deskId],
  };
  return { number, user, section, desk, problems };
}

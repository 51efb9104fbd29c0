// What forms offer to choose from: sections, desks and users, all of them. Town halls have hundreds, not millions.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/api.ts";
import type { DeskJson, SectionJson, UserJson } from "../gen/jiseki/control/v1/admin_pb.js";

/** The most that the API gives at a time. */
const LIMIT = 500;

async function all<T>(part: (token: string) => Promise<{ rows: readonly T[]; next: string }>): Promise<readonly T[]> {
  const found: T[] = [];
  let token = "";
  do {
    const { rows, next } = await part(token);
    found.push(...rows);
    token = next;
  } while (token !== "");
  return found;
}

export const sectionsQuery = queryOptions({
  queryKey: ["sections"],
  queryFn: async ({ signal }): Promise<readonly SectionJson[]> =>
    (await call("AdminService", "ListSections", {}, signal)).sections ?? [],
});

export const allUsersQuery = queryOptions({
  queryKey: ["users", "all"],
  queryFn: async ({ signal }) =>
    all<UserJson>(async (token) => {
      const r = await call("AdminService", "ListUsers", { page: { limit: LIMIT, token } }, signal);
      return { rows: r.users ?? [], next: r.nextToken ?? "" };
    }),
});

export const allDesksQuery = queryOptions({
  queryKey: ["all-desks", "all"],
  queryFn: async ({ signal }) =>
    all<DeskJson>(async (token) => {
      const r = await call("AdminService", "ListAllDesks", { page: { limit: LIMIT, token } }, signal);
      return { rows: r.desks ?? [], next: r.nextToken ?? "" };
    }),
});

/** A choice of a list. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A section with all that it lies in: 総務部 > 総務課. */
export function sectionPath(sections: readonly SectionJson[], id: string): string {
  const names: string[] = [];
  const seen = new Set<string>();
  for (let at = sections.find((s) => s.sectionId === id); at !== undefined && !seen.has(at.sectionId ?? "");) {
    seen.add(at.sectionId ?? "");
    names.unshift(at.name ?? "");
    const parent: string | undefined = at.parentId;
    at = parent === undefined ? undefined : sections.find((s) => s.sectionId === parent);
  }
  return names.join(" > ");
}

/** Sections as choices, in the order of the tree. */
export function sectionChoices(sections: readonly SectionJson[]): Choice[] {
  return sectionTree(sections).map(({ section }) => {
    const value = section.sectionId ?? "";
    return { value, label: sectionPath(sections, value) };
  });
}

/** A section and how deep it lies. */
export interface Leaf {
  readonly section: SectionJson;
  readonly depth: number;
}

/** Sections in the order in which a tree shows them: each under its parent, by position and name. */
export function sectionTree(sections: readonly SectionJson[]): Leaf[] {
  const known = new Set(sections.map((s) => s.sectionId));
  const below = (parent: string, depth: number): Leaf[] =>
    sections
      .filter((s) => (known.has(s.parentId) ? s.parentId : "") === parent)
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0) || (a.name ?? "").localeCompare(b.name ?? "", "ja"))
      .flatMap((section) => [{ section, depth }, ...(section.sectionId ? below(section.sectionId, depth + 1) : [])]);
  return below("", 0);
}

/** Users as choices: name and id. */
export function userChoices(users: readonly UserJson[]): Choice[] {
  return users.map((u) => ({ value: u.userId ?? "", label: `${u.name ?? ""}（${u.userId ?? ""}）` }));
}

/** Desks as choices. */
export function deskChoices(desks: readonly DeskJson[]): Choice[] {
  return desks.map((d) => ({ value: d.deskId ?? "", label: d.name ?? "" }));
}

// Users that are created ten at a time: the gateway takes its time for each password, and what was answered is kept
// whatever happens to the next ten.
import { ApiError, call } from "../api/api.ts";
import type { NewUserJson, SlipJson } from "../gen/jiseki/control/v1/admin_pb.js";

/** How many users one call creates. */
export const PART = 10;

/** Why not all users were created. */
export class PartError extends Error {
  override readonly name = "PartError";
  /** How many were created before. */
  readonly made: number;
  /** The ids of those of which nobody knows: they were asked for, and no answer came. */
  readonly doubtful: readonly string[];

  constructor(made: number, doubtful: readonly string[], cause: unknown) {
    super("not all users were created", { cause });
    this.made = made;
    this.doubtful = doubtful;
  }
}

/**
 * Creates users in their order. `done` gets the slips of each ten, and how many users were created so far. Rejects with
 * a PartError at the first ten that are refused, or of which no answer comes.
 */
export async function createInParts(
  users: readonly NewUserJson[],
  done: (slips: readonly SlipJson[], made: number) => void,
): Promise<void> {
  for (let made = 0; made < users.length; made += PART) {
    const part = users.slice(made, made + PART);
    try {
      const { slips = [] } = await call("AdminService", "CreateUsers", { users: part });
      done(slips, made + part.length);
    } catch (cause) {
      const refused = cause instanceof ApiError && cause.code !== "unreachable";
      const doubtful = refused ? [] : part.map((u) => u.userId ?? "");
      throw new PartError(made, doubtful, cause);
    }
  }
}

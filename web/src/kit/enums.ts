// The keys of the words for what the API names by enumerations.
import type { ParseKeys } from "i18next";
import type {
  DeskStateJson,
  DeviceKindJson,
  KeyGradeJson,
  PlaceJson,
  RoleJson,
  SessionLifeJson,
  ZoneJson,
} from "../gen/jiseki/control/v1/shared_pb.js";

type Keys<E extends string> = Readonly<Record<E, ParseKeys>>;

export const roleKeys = {
  ROLE_UNSPECIFIED: "role.staff",
  ROLE_STAFF: "role.staff",
  ROLE_APPROVER: "role.approver",
  ROLE_ADMIN: "role.admin",
} as const satisfies Keys<RoleJson>;

export const placeKeys = {
  PLACE_UNSPECIFIED: "place.unknown",
  PLACE_HOME: "place.home",
  PLACE_SATELLITE: "place.satellite",
  PLACE_OTHER: "place.other",
  PLACE_OFFICE: "place.office",
} as const satisfies Keys<PlaceJson>;

export const zoneKeys = {
  ZONE_UNSPECIFIED: "zone.unknown",
  ZONE_LGWAN: "zone.lgwan",
  ZONE_INTERNET: "zone.internet",
  ZONE_MYNUMBER: "zone.mynumber",
} as const satisfies Keys<ZoneJson>;

export const kindKeys = {
  DEVICE_KIND_UNSPECIFIED: "kind.unknown",
  DEVICE_KIND_LENT: "kind.lent",
  DEVICE_KIND_PRIVATE: "kind.private",
} as const satisfies Keys<DeviceKindJson>;

export const gradeKeys = {
  KEY_GRADE_UNSPECIFIED: "grade.unknown",
  KEY_GRADE_HARDWARE: "grade.hardware",
  KEY_GRADE_NON_EXTRACTABLE: "grade.nonExtractable",
  KEY_GRADE_FILE: "grade.file",
} as const satisfies Keys<KeyGradeJson>;

export const deskStateKeys = {
  DESK_STATE_UNSPECIFIED: "home.state.unknown",
  DESK_STATE_UNKNOWN: "home.state.unknown",
  DESK_STATE_OFF: "home.state.off",
  DESK_STATE_ON: "home.state.on",
  DESK_STATE_IN_SESSION: "home.state.inSession",
  DESK_STATE_NOT_ENROLLED: "home.state.notEnrolled",
} as const satisfies Keys<DeskStateJson>;

export const lifeKeys = {
  SESSION_LIFE_UNSPECIFIED: "console.sessions.life.ended",
  SESSION_LIFE_PREPARED: "console.sessions.life.prepared",
  SESSION_LIFE_OFFERED: "console.sessions.life.offered",
  SESSION_LIFE_OPEN: "console.sessions.life.open",
  SESSION_LIFE_ENDED: "console.sessions.life.ended",
} as const satisfies Keys<SessionLifeJson>;

const endKeys: Readonly<Record<number, ParseKeys>> = {
  1: "end.e1",
  2: "end.e2",
  3: "end.e3",
  4: "end.e4",
  5: "end.e5",
  6: "end.e6",
  7: "end.e7",
  8: "end.e8",
  9: "end.e9",
  10: "end.e10",
  11: "end.e11",
  12: "end.e12",
  18: "end.e18",
};

/** The key for an end code of docs/PROTOCOL.md section 5.2, or undefined if it has no words. */
export function endKey(code: number): ParseKeys | undefined {
  return endKeys[code];
}

// The words for what the API names by enumerations.
import type { TFunction } from "i18next";
import type { DeskStateJson, DeviceKindJson, KeyGradeJson, PlaceJson, RoleJson, ZoneJson } from "../gen/jiseki/control/v1/shared_pb.js";

export function roleWord(t: TFunction, role: RoleJson): string {
  switch (role) {
    case "ROLE_ADMIN":
      return t(($) => $.role.admin);
    case "ROLE_APPROVER":
      return t(($) => $.role.approver);
    default:
      return t(($) => $.role.staff);
  }
}

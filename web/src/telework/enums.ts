// The keys of the words for what the telework API names by enumerations.
import type { ParseKeys } from "i18next";
import type {
  DayUnitJson,
  RequestKindJson,
  RequestReasonJson,
  RequestStateJson,
  SegmentKindJson,
  WorkdayStateJson,
} from "../gen/jiseki/control/v1/telework_pb.js";

type Keys<E extends string> = Readonly<Record<E, ParseKeys>>;

export const requestStateKeys = {
  REQUEST_STATE_UNSPECIFIED: "telework.state.pending",
  REQUEST_STATE_PENDING: "telework.state.pending",
  REQUEST_STATE_APPROVED: "telework.state.approved",
  REQUEST_STATE_RETURNED: "telework.state.returned",
  REQUEST_STATE_REFUSED: "telework.state.refused",
  REQUEST_STATE_WITHDRAWN: "telework.state.withdrawn",
  REQUEST_STATE_CANCELLED: "telework.state.cancelled",
} as const satisfies Keys<RequestStateJson>;

/** The tones of the states' tags. */
export const requestStateTones = {
  REQUEST_STATE_UNSPECIFIED: "gray",
  REQUEST_STATE_PENDING: "blue",
  REQUEST_STATE_APPROVED: "green",
  REQUEST_STATE_RETURNED: "orange",
  REQUEST_STATE_REFUSED: "red",
  REQUEST_STATE_WITHDRAWN: "gray",
  REQUEST_STATE_CANCELLED: "gray",
} as const satisfies Record<RequestStateJson, string>;

export const requestKindKeys = {
  REQUEST_KIND_UNSPECIFIED: "telework.kind.telework",
  REQUEST_KIND_TELEWORK: "telework.kind.telework",
  REQUEST_KIND_TELEWORK_ORDER: "telework.kind.teleworkOrder",
  REQUEST_KIND_OVERTIME_ORDER: "telework.kind.overtimeOrder",
} as const satisfies Keys<RequestKindJson>;

export const unitKeys = {
  DAY_UNIT_UNSPECIFIED: "telework.unit.full",
  DAY_UNIT_FULL: "telework.unit.full",
  DAY_UNIT_MORNING: "telework.unit.morning",
  DAY_UNIT_AFTERNOON: "telework.unit.afternoon",
  DAY_UNIT_HOURS: "telework.unit.hours",
} as const satisfies Keys<DayUnitJson>;

export const reasonKeys = {
  REQUEST_REASON_UNSPECIFIED: "telework.reason.other",
  REQUEST_REASON_WORK: "telework.reason.work",
  REQUEST_REASON_CHILDCARE: "telework.reason.childcare",
  REQUEST_REASON_CARE: "telework.reason.care",
  REQUEST_REASON_PREGNANCY: "telework.reason.pregnancy",
  REQUEST_REASON_ILLNESS: "telework.reason.illness",
  REQUEST_REASON_DISASTER: "telework.reason.disaster",
  REQUEST_REASON_OTHER: "telework.reason.other",
} as const satisfies Keys<RequestReasonJson>;

export const segmentKeys = {
  SEGMENT_KIND_UNSPECIFIED: "telework.segment.work",
  SEGMENT_KIND_WORK: "telework.segment.work",
  SEGMENT_KIND_BREAK: "telework.segment.break",
  SEGMENT_KIND_INTERRUPTION: "telework.segment.interruption",
  SEGMENT_KIND_LEAVE: "telework.segment.leave",
  SEGMENT_KIND_EXEMPTION: "telework.segment.exemption",
  SEGMENT_KIND_TRIP: "telework.segment.trip",
  SEGMENT_KIND_MOVING: "telework.segment.moving",
  SEGMENT_KIND_HALL: "telework.segment.hall",
} as const satisfies Keys<SegmentKindJson>;

export const workdayStateKeys = {
  WORKDAY_STATE_UNSPECIFIED: "telework.workdayState.notStarted",
  WORKDAY_STATE_NOT_STARTED: "telework.workdayState.notStarted",
  WORKDAY_STATE_WORKING: "telework.workdayState.working",
  WORKDAY_STATE_AWAY: "telework.workdayState.away",
  WORKDAY_STATE_FINISHED: "telework.workdayState.finished",
} as const satisfies Keys<WorkdayStateJson>;

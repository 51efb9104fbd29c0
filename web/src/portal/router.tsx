import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type RouterHistory,
} from "@tanstack/react-router";
import { z } from "zod";
import { Account } from "./account.tsx";
import { Enrol } from "./enrol.tsx";
import { CheckPage } from "../telework/checkpage.tsx";
import { Lost } from "../telework/lost.tsx";
import { MonthPage } from "../telework/month.tsx";
import { Notices } from "../telework/notices.tsx";
import { NewRequest } from "../telework/requestform.tsx";
import { Requests } from "../telework/requests.tsx";
import { RequestPage } from "../telework/requestview.tsx";
import { WorkdayPage } from "../telework/workday.tsx";
import { Home } from "./home.tsx";
import { Crashed, Missing } from "./missing.tsx";
import { Password } from "./password.tsx";
import { Shell, SignedIn } from "./shell.tsx";
import { SignIn } from "./signin.tsx";
import { Totp } from "./totp.tsx";

interface Context {
  readonly client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ component: Shell, notFoundComponent: Missing });

/** Why somebody stands before the sign-in, and where to go after it. */
const before = z.object({
  to: z
    .string()
    .startsWith("/")
    .refine((s) => !s.startsWith("//"))
    .optional()
    .catch(undefined),
  why: z.enum(["over", "out"]).optional().catch(undefined),
});

const signIn = createRoute({ getParentRoute: () => root, path: "/signin", component: SignIn, validateSearch: before });

// Signing in is described there: nobody needs to be signed in to read.
const staffManual = createRoute({
  getParentRoute: () => root,
  path: "/manual",
  component: lazyRouteComponent(() => import("../manual/staff.tsx"), "StaffManual"),
});
const approverManual = createRoute({
  getParentRoute: () => root,
  path: "/manual/approver",
  component: lazyRouteComponent(() => import("../manual/approver.tsx"), "ApproverManual"),
});

const signedIn = createRoute({ getParentRoute: () => root, id: "signed-in", component: SignedIn });

const home = createRoute({ getParentRoute: () => signedIn, path: "/", component: Home });
const password = createRoute({ getParentRoute: () => signedIn, path: "/password", component: Password });
const enrol = createRoute({ getParentRoute: () => signedIn, path: "/enrol", component: Enrol });
const totp = createRoute({ getParentRoute: () => signedIn, path: "/totp", component: Totp });
const account = createRoute({ getParentRoute: () => signedIn, path: "/account", component: Account });

const requests = createRoute({ getParentRoute: () => signedIn, path: "/requests", component: Requests });
/** What a new request begins with: a copy of a former one, moved by days; a change of one; somebody else for 代理申請. */
const filled = z.object({
  copy: z.string().optional().catch(undefined),
  by: z.number().int().optional().catch(undefined),
  change: z.string().optional().catch(undefined),
  user: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
});
const newRequest = createRoute({
  getParentRoute: () => signedIn,
  path: "/requests/new",
  component: NewRequest,
  validateSearch: filled,
});
const request = createRoute({ getParentRoute: () => signedIn, path: "/requests/$id", component: RequestPage });

/** Somebody of my sections; nobody for myself. */
const person = z.object({
  user: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  month: z
    .string()
    .regex(/^\d{4}-\d{2}$/)
    .optional()
    .catch(undefined),
});
const workdays = createRoute({
  getParentRoute: () => signedIn,
  path: "/workdays",
  component: MonthPage,
  validateSearch: person,
});
const workday = createRoute({ getParentRoute: () => signedIn, path: "/workdays/$date", component: WorkdayPage });
const notices = createRoute({ getParentRoute: () => signedIn, path: "/notices", component: Notices });
const check = createRoute({ getParentRoute: () => signedIn, path: "/check", component: CheckPage });
const lost = createRoute({ getParentRoute: () => signedIn, path: "/lost", component: Lost, validateSearch: person });

const approval = createRoute({
  getParentRoute: () => signedIn,
  id: "approval",
  component: lazyRouteComponent(() => import("../approval/frame.tsx"), "ApprovalFrame"),
});
const inbox = createRoute({
  getParentRoute: () => approval,
  path: "/inbox",
  component: lazyRouteComponent(() => import("../approval/inbox.tsx"), "Inbox"),
});
const decision = createRoute({
  getParentRoute: () => approval,
  path: "/inbox/$id",
  component: lazyRouteComponent(() => import("../approval/decision.tsx"), "DecisionPage"),
});
const board = createRoute({
  getParentRoute: () => approval,
  path: "/board",
  component: lazyRouteComponent(() => import("../approval/board.tsx"), "Board"),
});
const week = createRoute({
  getParentRoute: () => approval,
  path: "/week",
  component: lazyRouteComponent(() => import("../approval/week.tsx"), "Week"),
});
const powerOn = createRoute({
  getParentRoute: () => approval,
  path: "/poweron",
  validateSearch: z.object({
    date: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/)
      .optional()
      .catch(undefined),
  }),
  component: lazyRouteComponent(() => import("../approval/poweron.tsx"), "PowerOn"),
});
const months = createRoute({
  getParentRoute: () => approval,
  path: "/months",
  component: lazyRouteComponent(() => import("../approval/months.tsx"), "Months"),
});
const members = createRoute({
  getParentRoute: () => approval,
  path: "/members",
  component: lazyRouteComponent(() => import("../approval/members.tsx"), "Members"),
});
const newOrder = createRoute({
  getParentRoute: () => approval,
  path: "/orders/new",
  validateSearch: person,
  component: lazyRouteComponent(() => import("../approval/order.tsx"), "NewOrder"),
});
const absences = createRoute({
  getParentRoute: () => approval,
  path: "/absences",
  component: lazyRouteComponent(() => import("../approval/absences.tsx"), "Absences"),
});

const console = createRoute({
  getParentRoute: () => signedIn,
  path: "/console",
  component: lazyRouteComponent(() => import("../console/frame.tsx"), "ConsoleFrame"),
});
const consoleStart = createRoute({
  getParentRoute: () => console,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/console/users", replace: true });
  },
});
const users = createRoute({
  getParentRoute: () => console,
  path: "/users",
  component: lazyRouteComponent(() => import("../console/users.tsx"), "Users"),
});
const newUsers = createRoute({
  getParentRoute: () => console,
  path: "/users/new",
  component: lazyRouteComponent(() => import("../console/newusers.tsx"), "NewUsers"),
});
const slips = createRoute({
  getParentRoute: () => console,
  path: "/slips",
  component: lazyRouteComponent(() => import("../console/slippage.tsx"), "SlipPage"),
});
const desks = createRoute({
  getParentRoute: () => console,
  path: "/desks",
  component: lazyRouteComponent(() => import("../console/desks.tsx"), "Desks"),
});
const devices = createRoute({
  getParentRoute: () => console,
  path: "/devices",
  component: lazyRouteComponent(() => import("../console/devices.tsx"), "Devices"),
});
const sessions = createRoute({
  getParentRoute: () => console,
  path: "/sessions",
  component: lazyRouteComponent(() => import("../console/sessions.tsx"), "Sessions"),
});
const events = createRoute({
  getParentRoute: () => console,
  path: "/events",
  component: lazyRouteComponent(() => import("../console/events.tsx"), "Events"),
});
const sections = createRoute({
  getParentRoute: () => console,
  path: "/sections",
  component: lazyRouteComponent(() => import("../console/sections.tsx"), "Sections"),
});
const settings = createRoute({
  getParentRoute: () => console,
  path: "/settings",
  component: lazyRouteComponent(() => import("../console/settings.tsx"), "Settings"),
});
const policyPage = createRoute({
  getParentRoute: () => console,
  path: "/policy",
  component: lazyRouteComponent(() => import("../policy/policy.tsx"), "PolicyPage"),
});
const staff = createRoute({
  getParentRoute: () => console,
  path: "/staff",
  component: lazyRouteComponent(() => import("../policy/staff.tsx"), "Staff"),
});
const holidays = createRoute({
  getParentRoute: () => console,
  path: "/holidays",
  component: lazyRouteComponent(() => import("../policy/holidays.tsx"), "Holidays"),
});
const routes = createRoute({
  getParentRoute: () => console,
  path: "/routes",
  component: lazyRouteComponent(() => import("../policy/routes.tsx"), "Routes"),
});
const why = createRoute({
  getParentRoute: () => console,
  path: "/why",
  component: lazyRouteComponent(() => import("../policy/why.tsx"), "Why"),
});
const power = createRoute({
  getParentRoute: () => console,
  path: "/power",
  component: lazyRouteComponent(() => import("../policy/power.tsx"), "Power"),
});
const mails = createRoute({
  getParentRoute: () => console,
  path: "/mails",
  component: lazyRouteComponent(() => import("../policy/mails.tsx"), "Mails"),
});
const helpDesk = createRoute({
  getParentRoute: () => console,
  path: "/helpdesk",
  component: lazyRouteComponent(() => import("../policy/helpdesk.tsx"), "HelpDesk"),
});

const tree = root.addChildren([
  signIn,
  staffManual,
  approverManual,
  signedIn.addChildren([
    home,
    password,
    enrol,
    totp,
    account,
    requests,
    newRequest,
    request,
    workdays,
    workday,
    notices,
    lost,
    check,
    approval.addChildren([inbox, decision, board, week, powerOn, months, members, newOrder, absences]),
    console.addChildren([
      consoleStart,
      users,
      newUsers,
      slips,
      desks,
      devices,
      sessions,
      events,
      sections,
      settings,
      policyPage,
      staff,
      holidays,
      routes,
      why,
      power,
      mails,
      helpDesk,
    ]),
  ]),
]);

/** Makes the router of the pages. */
export function makeRouter(client: QueryClient, history: RouterHistory) {
  return createRouter({
    routeTree: tree,
    history,
    context: { client },
    defaultErrorComponent: Crashed,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

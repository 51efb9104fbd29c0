import { Button, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { RequestJson, StepJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { placeKeys } from "../kit/enums.ts";
import { listing, millis, shortDateTime } from "../kit/format.ts";
import { ButtonLink } from "../kit/buttonlink.tsx";
import { languageOf } from "../kit/i18n.ts";
import { Banner, Empty, Fact, Facts, Failed, PageTitle, Section, Tag, Waiting } from "../kit/parts.tsx";
import { daySpan, fullDay } from "../kit/days.ts";
import { reasonKeys, requestKindKeys, requestStateKeys, unitKeys } from "./enums.ts";
import { requestQuery } from "./queries.ts";
import { RequestState } from "./requests.tsx";
import "./telework.css";

const route = getRouteApi("/signed-in/requests/$id");

/** One request of mine. */
export function RequestPage(): JSX.Element {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { data, error, isPending, refetch } = useQuery(requestQuery(id));
  return (
    <div className="content">
      <PageTitle actions={data ? <RequestActions request={data} /> : undefined}>
        {t("telework.request.title")}
      </PageTitle>
      {isPending ? <Waiting lines={4} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === null ? <Empty icon="info" title={t("telework.request.missing")} /> : null}
      {data ? <RequestView request={data} /> : null}
      <p>
        <Link to="/requests">{t("telework.request.back")}</Link>
      </p>
    </div>
  );
}

/** Everything of a request that its reader may see. */
export function RequestView({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  return (
    <>
      <RequestNotices request={request} />
      <RequestFacts request={request} />
      {(request.steps ?? []).length === 0 ? null : (
        <Section title={t("telework.request.route")}>
          <ol className="route">
            {(request.steps ?? []).map((s) => (
              <StepLine key={s.position ?? 0} step={s} />
            ))}
          </ol>
        </Section>
      )}
      <Section title={t("telework.request.history")}>
        <ol className="history">
          {(request.history ?? []).map((h, i) => (
            <li key={`${h.timeMs ?? ""} ${i}`}>
              <span>{shortDateTime(millis(h.timeMs))}</span>
              <strong>{t(historyKey(h.state, i))}</strong>
              <span>
                {h.byName}
                {h.comment ? <span className="sub">{h.comment}</span> : null}
              </span>
            </li>
          ))}
        </ol>
      </Section>
    </>
  );
}

function historyKey(state: RequestJson["state"], index: number) {
  if (state !== "REQUEST_STATE_PENDING") {
    return requestStateKeys[state ?? "REQUEST_STATE_UNSPECIFIED"];
  }
  return index === 0 ? "telework.request.submitted" : "telework.request.resubmitted";
}

function RequestNotices({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  const proxy =
    request.byUserId !== undefined && request.byUserId !== request.userId && request.kind === "REQUEST_KIND_TELEWORK";
  return (
    <div className="row request-notices">
      <RequestState request={request} />
      {request.kind === "REQUEST_KIND_TELEWORK" ? null : (
        <Tag tone="blue">{t(requestKindKeys[request.kind ?? "REQUEST_KIND_UNSPECIFIED"])}</Tag>
      )}
      {proxy ? <Tag tone="orange">{t("telework.request.byOther", { name: request.byUserName ?? "" })}</Tag> : null}
      {request.afterFact === true ? <Tag tone="orange">{t("telework.request.afterFact")}</Tag> : null}
      {request.replaces && request.state === "REQUEST_STATE_PENDING" ? (
        <Banner tone="info" title={t("telework.request.replaces")} />
      ) : null}
    </div>
  );
}

function RequestFacts({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n);
  const draft = request.draft ?? {};
  const place = t(placeKeys[draft.place ?? "PLACE_UNSPECIFIED"]);
  return (
    <Facts>
      <Fact name={t("telework.request.user")}>
        {request.userName} {request.sectionName ? <span className="sub">{request.sectionName}</span> : null}
      </Fact>
      <Fact name={t("telework.request.days")}>
        <ul className="plain-list">
          {(draft.days ?? []).map((d) => (
            <li key={d.date}>
              {fullDay(d.date ?? "", language)} {daySpan(d)}
              {d.unit === "DAY_UNIT_HOURS" || d.unit === undefined ? "" : `（${t(unitKeys[d.unit])}）`}
              {(d.leaveMinutes ?? 0) > 0
                ? ` ${t("telework.request.leave", { hours: (d.leaveMinutes ?? 0) / 60 })}`
                : ""}
            </li>
          ))}
        </ul>
      </Fact>
      <Fact name={t("telework.request.place")}>{draft.placeNote ? `${place}（${draft.placeNote}）` : place}</Fact>
      <Fact name={t("telework.request.reason")}>{reasonWords(t, request)}</Fact>
      <Fact name={t("telework.request.work")}>{draft.work || "—"}</Fact>
      <Fact name={t("telework.request.personal")}>
        {t(draft.personalData === true ? "telework.form.personalYes" : "telework.form.personalNo")}
      </Fact>
      {draft.takeOut === true ? <Fact name={t("telework.request.takeOut")}>{draft.takeOutDevice}</Fact> : null}
    </Facts>
  );
}

function reasonWords(t: TFunction, request: RequestJson): string {
  const { reason, reasonText = "" } = request.draft ?? {};
  if (reason === undefined || reason === "REQUEST_REASON_UNSPECIFIED") {
    return t("telework.request.hidden");
  }
  return reasonText === "" ? t(reasonKeys[reason]) : `${t(reasonKeys[reason])}（${reasonText}）`;
}

function StepLine({ step }: { readonly step: StepJson }): JSX.Element {
  const { t, i18n } = useTranslation();
  const decided = millis(step.decidedMs) > 0;
  const no = step.answer === "ANSWER_REFUSE" || step.answer === "ANSWER_RETURN";
  const title = step.circulate === true ? "telework.form.routeRead" : "telework.form.routeStep";
  return (
    <li className={no ? "no" : decided || millis(step.seenMs) > 0 ? "done" : ""}>
      <div>
        <strong>{t(title, { position: step.position ?? 0, section: step.sectionName ?? "" })}</strong>
        <span className="sub">
          {decided
            ? decidedWords(t, step)
            : step.circulate === true
              ? readWords(t, step)
              : t("telework.request.waiting")}
          {!decided && step.circulate !== true
            ? ` ${t("telework.request.approvers", { names: listing(step.approverNames ?? [], languageOf(i18n)) })}`
            : ""}
        </span>
        {step.comment ? <span className="sub">{step.comment}</span> : null}
      </div>
    </li>
  );
}

const answerKeys = {
  ANSWER_UNSPECIFIED: "telework.answer.open",
  ANSWER_APPROVE: "telework.answer.approve",
  ANSWER_RETURN: "telework.answer.return",
  ANSWER_REFUSE: "telework.answer.refuse",
} as const;

function decidedWords(t: TFunction, step: StepJson): string {
  const time = shortDateTime(millis(step.decidedMs));
  const name = step.decidedByName ?? "";
  const who = step.forName
    ? t("telework.request.deputy", { name, for: step.forName, time })
    : t("telework.request.decided", { name, time });
  const seen =
    step.forName && millis(step.seenMs) > 0
      ? ` ${t("telework.request.seen", { time: shortDateTime(millis(step.seenMs)) })}`
      : "";
  return `${t(answerKeys[step.answer ?? "ANSWER_UNSPECIFIED"])} ${who}${seen}`;
}

function readWords(t: TFunction, step: StepJson): string {
  const seen = millis(step.seenMs);
  return seen === 0 ? t("telework.request.unread") : t("telework.request.read", { time: shortDateTime(seen) });
}

/** What I may do with my request. */
function RequestActions({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  const id = request.requestId ?? "";
  return (
    <>
      {request.kind === "REQUEST_KIND_TELEWORK" ? (
        <ButtonLink to="/requests/new" search={{ copy: id }} variant="outline">
          {t("telework.request.copy")}
        </ButtonLink>
      ) : null}
      {request.mayWithdraw === true ? <Withdraw request={request} /> : null}
      {request.mayChange === true ? (
        <ButtonLink to="/requests/new" search={{ change: id }}>
          {t("telework.request.change")}
        </ButtonLink>
      ) : null}
    </>
  );
}

/** 取下げ before and 取消し after the approval, after asking. */
export function Withdraw({ request }: { readonly request: RequestJson }): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [comment, setComment] = useState("");
  const approved = request.state === "REQUEST_STATE_APPROVED";
  const withdraw = useMutation({
    mutationFn: async () =>
      call("TeleworkService", "WithdrawRequest", { requestId: request.requestId ?? "", comment: comment.trim() }),
    onSuccess: async () => {
      setOpen(false);
      notifications.show({
        message: t(approved ? "telework.request.cancelled" : "telework.request.withdrawn"),
        color: "green",
        role: "status",
      });
      await client.invalidateQueries();
    },
  });
  return (
    <>
      <Button variant="outline" color="red" onClick={() => setOpen(true)}>
        {t(approved ? "telework.request.cancel" : "telework.request.withdraw")}
      </Button>
      <Modal
        opened={open}
        onClose={() => setOpen(false)}
        title={t(approved ? "telework.request.cancelTitle" : "telework.request.withdrawTitle")}
      >
        <div className="stack-tight">
          <p>{t(approved ? "telework.request.cancelText" : "telework.request.withdrawText")}</p>
          <Textarea
            label={t("telework.request.comment")}
            value={comment}
            onChange={(e) => setComment(e.currentTarget.value)}
            maxLength={500}
            data-autofocus
          />
          {withdraw.error === null ? null : <Failed error={withdraw.error} />}
          <div className="row row-end">
            <Button variant="outline" onClick={() => setOpen(false)}>
              {t("cancel")}
            </Button>
            <Button color="red" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
              {t(approved ? "telework.request.cancel" : "telework.request.withdraw")}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}

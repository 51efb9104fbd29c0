import { Button, Modal, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useTranslation } from "react-i18next";
import { call } from "../api/api.ts";
import type { DecisionResultJson } from "../gen/jiseki/control/v1/approval_pb.js";
import type { AnswerJson, RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { Banner, Failed, ReasonList } from "../kit/parts.tsx";

const answers = {
  ANSWER_APPROVE: {
    button: "approval.inbox.approve",
    title: "approval.inbox.approveTitle",
    done: "approval.inbox.approved",
    color: "blue",
  },
  ANSWER_RETURN: {
    button: "approval.inbox.return",
    title: "approval.inbox.returnTitle",
    done: "approval.inbox.returned",
    color: "blue",
  },
  ANSWER_REFUSE: {
    button: "approval.inbox.refuse",
    title: "approval.inbox.refuseTitle",
    done: "approval.inbox.refused",
    color: "red",
  },
} as const satisfies Partial<Record<AnswerJson, unknown>>;

type Given = keyof typeof answers;

interface AnswersProps {
  readonly requests: readonly RequestJson[];
  readonly onDone: () => void;
}

/**
 * Approves, returns or refuses some requests at once, after asking. Each is decided for itself: what could not be
 * decided is said.
 */
export function Answers({ requests, onDone }: AnswersProps): JSX.Element {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<Given | null>(null);
  return (
    <div className="answers">
      {(Object.keys(answers) as Given[]).map((a) => (
        <Button
          key={a}
          variant={a === "ANSWER_APPROVE" ? "filled" : "outline"}
          color={answers[a].color}
          disabled={requests.length === 0}
          onClick={() => setAsked(a)}
        >
          {t(answers[a].button)}
        </Button>
      ))}
      {asked === null ? null : (
        <Ask answer={asked} requests={requests} onClose={() => setAsked(null)} onDone={onDone} />
      )}
    </div>
  );
}

/** The position of the step that waits, so that a second press cannot decide the next one. */
function waitingStep(r: RequestJson): number {
  return (
    (r.steps ?? []).find((s) => s.circulate !== true && (s.answer === undefined || s.answer === "ANSWER_UNSPECIFIED"))
      ?.position ?? 0
  );
}

interface AskProps extends AnswersProps {
  readonly answer: Given;
  readonly onClose: () => void;
}

function Ask({ answer, requests, onClose, onDone }: AskProps): JSX.Element {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [comment, setComment] = useState("");
  const [tried, setTried] = useState(false);
  const [failed, setFailed] = useState<readonly DecisionResultJson[]>([]);
  const missing = answer !== "ANSWER_APPROVE" && comment.trim() === "";
  const decide = useMutation({
    mutationFn: async () =>
      call("ApprovalService", "DecideRequests", {
        decisions: requests.map((r) => ({
          requestId: r.requestId ?? "",
          revision: r.revision ?? 0,
          step: waitingStep(r),
        })),
        answer,
        comment: comment.trim(),
      }),
    onSuccess: async ({ results = [] }) => {
      const refused = results.filter((r) => r.refusal !== undefined);
      const done = results.length - refused.length;
      if (done > 0) {
        notifications.show({ message: t(answers[answer].done, { count: done }), color: "green", role: "status" });
      }
      await client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== "me" });
      setFailed(refused);
      if (refused.length > 0) {
        return;
      }
      onDone();
      onClose();
    },
  });
  const submit = (): void => {
    setTried(true);
    if (!missing) {
      decide.mutate();
    }
  };
  return (
    <Modal opened onClose={onClose} title={t(answers[answer].title, { count: requests.length })} size="lg">
      <div className="stack-tight">
        <ul className="plain-list">
          {requests.map((r) => (
            <li key={r.requestId}>{r.userName}</li>
          ))}
        </ul>
        <Textarea
          label={t("approval.inbox.comment")}
          value={comment}
          onChange={(e) => setComment(e.currentTarget.value)}
          maxLength={500}
          error={tried && missing ? t("approval.inbox.commentNeeded") : undefined}
          required={answer !== "ANSWER_APPROVE"}
          data-autofocus
        />
        {decide.error === null ? null : <Failed error={decide.error} />}
        {failed.map((f) => (
          <Banner
            key={f.requestId}
            tone="error"
            title={t("approval.inbox.notDecided", {
              name: requests.find((r) => r.requestId === f.requestId)?.userName ?? "",
            })}
            live
          >
            <ReasonList reasons={f.refusal?.reasons ?? []} />
          </Banner>
        ))}
        <div className="row row-end">
          <Button variant="outline" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button color={answers[answer].color} loading={decide.isPending} onClick={submit}>
            {t(answers[answer].button)}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

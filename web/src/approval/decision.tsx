import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import type { RequestJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { Empty, Failed, PageTitle, Waiting } from "../kit/parts.tsx";
import { requestQuery } from "../telework/queries.ts";
import { RequestView, Withdraw } from "../telework/requestview.tsx";
import { Answers } from "./answers.tsx";

const route = getRouteApi("/signed-in/approval/inbox/$id");

/** One request with everything that its approver has to know, and the answers. */
export function DecisionPage(): JSX.Element {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(requestQuery(id));
  return (
    <>
      <PageTitle actions={data ? <Acts request={data} onDone={() => void navigate({ to: "/inbox" })} /> : undefined}>
        {t("telework.request.title")}
      </PageTitle>
      {isPending ? <Waiting lines={4} /> : null}
      {data === undefined && error !== null ? <Failed error={error} retry={() => void refetch()} /> : null}
      {data === null ? <Empty icon="info" title={t("telework.request.missing")} /> : null}
      {data ? <RequestView request={data} /> : null}
    </>
  );
}

/** The answers while it waits; later the superior may take an approval or an order back. */
function Acts({ request, onDone }: { readonly request: RequestJson; readonly onDone: () => void }): JSX.Element | null {
  if (request.mayDecide === true) {
    return <Answers requests={[request]} onDone={onDone} />;
  }
  return request.mayWithdraw === true && request.state === "REQUEST_STATE_APPROVED" ? (
    <Withdraw request={request} />
  ) : null;
}

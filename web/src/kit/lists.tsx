// What the console's lists have in common.
import { ActionIcon, Button, Menu, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient, type UseInfiniteQueryResult } from "@tanstack/react-query";
import type { JSX, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "./icons.tsx";
import { Failed, Waiting } from "./parts.tsx";

/** How many rows a list asks for at a time. */
export const PAGE = 50;

interface ListProps<P, T> {
  readonly query: UseInfiniteQueryResult<{ readonly pages: readonly P[] }>;
  readonly rows: (page: P) => readonly T[];
  readonly empty: ReactNode;
  readonly children: (rows: readonly T[]) => ReactNode;
}

/** A list that loads, fails, is empty, or has rows and perhaps more of them. */
export function List<P, T>({ query, rows, empty, children }: ListProps<P, T>): JSX.Element {
  const { t } = useTranslation();
  if (query.isPending) {
    return <Waiting lines={6} />;
  }
  if (query.data === undefined) {
    return <Failed error={query.error} retry={() => void query.refetch()} />;
  }
  const all = query.data.pages.flatMap(rows);
  if (all.length === 0) {
    return <>{empty}</>;
  }
  return (
    <>
      <output className="count">
        {t(query.hasNextPage ? "console.countMore" : "console.count", { count: all.length })}
      </output>
      {children(all)}
      {query.hasNextPage ? (
        <p>
          <Button variant="outline" onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
            {t("more")}
          </Button>
        </p>
      ) : null}
    </>
  );
}

/** One act of a row's menu; `danger` acts stand apart. */
export interface Act {
  readonly name: string;
  readonly do: () => void;
  readonly danger?: boolean;
}

/** The menu of a row. */
export function RowMenu({ name, acts }: { readonly name: string; readonly acts: readonly Act[] }): JSX.Element {
  const { t } = useTranslation();
  const item = (a: Act): JSX.Element => (
    <Menu.Item key={a.name} onClick={a.do} {...(a.danger === true ? { className: "danger" } : {})}>
      {a.name}
    </Menu.Item>
  );
  const danger = acts.filter((a) => a.danger === true);
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon className="row-menu" variant="subtle" size={44} aria-label={t("console.actionsFor", { name })}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.filter((a) => a.danger !== true).map(item)}
        {danger.length === 0 ? null : <Menu.Divider />}
        {danger.map(item)}
      </Menu.Dropdown>
    </Menu>
  );
}

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ReactNode;
  /** Has room for fields side by side. */
  readonly wide?: boolean;
}

/** A dialog in the language of the page. */
export function Dialog(props: DialogProps): JSX.Element {
  return (
    <Modal opened onClose={props.close} title={props.title} {...(props.wide === true ? { size: 880 } : {})}>
      {props.children}
    </Modal>
  );
}

interface ConfirmProps<R> {
  readonly title: string;
  readonly text: ReactNode;
  readonly yes: string;
  readonly danger?: boolean;
  /** Lists that change by it. */
  readonly changes: readonly string[];
  readonly act: () => Promise<R>;
  readonly done: (result: R) => void;
  readonly close: () => void;
}

/** Asks before an act, shows why it failed, and closes when it is done. */
export function Confirm<R>(props: ConfirmProps<R>): JSX.Element {
  const change = useChange(props.changes, props.act, (r) => {
    props.close();
    props.done(r);
  });
  return (
    <Dialog title={props.title} close={props.close}>
      <div className="stack-tight">
        <div>{props.text}</div>
        {change.isError ? <Failed error={change.error} /> : null}
        <DialogButtons close={props.close}>
          <Button
            {...(props.danger === true ? { color: "red" } : {})}
            loading={change.isPending}
            onClick={() => change.mutate(undefined)}
          >
            {props.yes}
          </Button>
        </DialogButtons>
      </div>
    </Dialog>
  );
}

/** The row of buttons at a dialog's end. */
export function DialogButtons({
  close,
  children,
}: {
  readonly close: () => void;
  readonly children: ReactNode;
}): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="row row-end">
      <Button variant="outline" onClick={close}>
        {t("cancel")}
      </Button>
      {children}
    </div>
  );
}

/** A mutation after which lists are read again. */
export function useChange<R, V = undefined>(
  changes: readonly string[],
  act: (v: V) => Promise<R>,
  done: (r: R) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async (r) => {
      done(r);
      await Promise.all(changes.map(async (name) => client.invalidateQueries({ queryKey: [name] })));
    },
  });
}

/** Says at the edge of the page that something was done. */
export function say(message: string): void {
  notifications.show({ message, color: "green", role: "status" });
}

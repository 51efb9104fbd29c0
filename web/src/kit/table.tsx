import type { JSX, ReactNode } from "react";

/** A column of a table. */
export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
  /** Names the row for screen readers. One column has it. */
  readonly heads?: boolean;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Takes no more room than it needs. */
  readonly narrow?: boolean;
}

interface TableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly id: (row: T) => string;
}

/** A table that turns into a list of cards where it is narrow. */
export function Table<T>({ caption, columns, rows, id }: TableProps<T>): JSX.Element {
  return (
    <table className="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.name} scope="col" className={shape(c)}>
              {c.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)}>
            {columns.map((c) =>
              c.heads === true ? (
                <th key={c.name} scope="row" data-name={c.name}>
                  {c.cell(row)}
                </th>
              ) : (
                <td key={c.name} data-name={c.name} className={shape(c)}>
                  {c.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shape<T>(c: Column<T>): string | undefined {
  const classes = [c.right === true ? "right" : "", c.narrow === true ? "narrow" : ""].filter((x) => x !== "");
  return classes.length === 0 ? undefined : classes.join(" ");
}

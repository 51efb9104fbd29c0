import { isOptionsGroup, type OptionsFilter } from "@mantine/core";
import { fold } from "../typed/fold.ts";

/** Finds choices of a list by their labels, whatever width, kind of kana and blanks were typed. */
export const byFold: OptionsFilter = ({ options, search, limit }) => {
  const word = fold(search);
  const found: ReturnType<OptionsFilter> = [];
  for (const o of options) {
    if (found.length >= limit) {
      break;
    }
    if (isOptionsGroup(o)) {
      const items = byFold({ options: o.items, search, limit: limit - found.length }).flatMap((i) =>
        isOptionsGroup(i) ? [] : [i],
      );
      if (items.length > 0) {
        found.push({ group: o.group, items });
      }
    } else if (fold(o.label).includes(word)) {
      found.push(o);
    }
  }
  return found;
};

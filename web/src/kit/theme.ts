import {
  Button,
  Checkbox,
  createTheme,
  type MantineColorsTuple,
  MantineProvider,
  Menu,
  Modal,
  MultiSelect,
  NativeSelect,
  Notification,
  NumberInput,
  PasswordInput,
  Radio,
  Select,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { ComponentProps } from "react";
import { byFold } from "./pick.ts";

/** Ten of the thirteen steps of a colour of the Digital Agency's design system; the eighth is its step 900. */
function steps(name: string, dark: 800 | 900 = 900): MantineColorsTuple {
  const at = (n: number): string => `var(--color-primitive-${name}-${n})`;
  return [at(50), at(100), at(200), at(300), at(400), at(500), at(700), at(dark - 100), at(dark), at(dark + 100)];
}

const field = { size: "md", radius: "md" } as const;

/** What buttons without words are called. */
interface Names {
  readonly close: string;
}

/** The Digital Agency's design system, as far as Mantine's components can follow it. theme.css does the rest. */
export const makeTheme = ({ close }: Names) =>
  createTheme({
    primaryColor: "blue",
    primaryShade: 8,
    colors: { blue: steps("blue"), red: steps("red"), green: steps("green", 800) },
    black: "#1a1a1a",
    fontFamily: '"Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, system-ui, sans-serif',
    fontFamilyMonospace: '"Noto Sans Mono", "Noto Sans Mono CJK JP", Consolas, Menlo, monospace',
    defaultRadius: "md",
    radius: { xs: "4px", sm: "6px", md: "8px", lg: "12px", xl: "16px" },
    fontSizes: { xs: "0.875rem", sm: "0.875rem", md: "1rem", lg: "1.125rem", xl: "1.25rem" },
    lineHeights: { xs: "1.5", sm: "1.5", md: "1.6", lg: "1.7", xl: "1.7" },
    focusRing: "never", // theme.css draws one ring for everything
    respectReducedMotion: true,
    components: {
      Button: Button.extend({ defaultProps: { size: "md" } }),
      TextInput: TextInput.extend({ defaultProps: field }),
      PasswordInput: PasswordInput.extend({ defaultProps: field }),
      Textarea: Textarea.extend({ defaultProps: field }),
      NumberInput: NumberInput.extend({ defaultProps: field }),
      NativeSelect: NativeSelect.extend({ defaultProps: field }),
      Select: Select.extend({ defaultProps: { ...field, filter: byFold } }),
      MultiSelect: MultiSelect.extend({ defaultProps: { ...field, filter: byFold } }),
      Checkbox: Checkbox.extend({ defaultProps: { size: "md", radius: "xs" } }),
      Radio: Radio.extend({ defaultProps: { size: "md" } }),
      RadioGroup: Radio.Group.extend({ defaultProps: { size: "md" } }),
      Switch: Switch.extend({ defaultProps: { size: "md" } }),
      Modal: Modal.extend({
        defaultProps: {
          radius: "lg",
          size: 760,
          centered: true,
          padding: "lg",
          attributes: { header: { role: "presentation" } },
          closeButtonProps: { "aria-label": close },
        },
      }),
      // Inside the page's landmarks, and with the focus on the first item.
      Menu: Menu.extend({ defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } }),
      Notification: Notification.extend({ defaultProps: { radius: "md", closeButtonProps: { "aria-label": close } } }),
    },
  });

/** Props of MantineProvider that need the page: where style elements get their nonce from. */
export function styleNonce(page: Document): Pick<ComponentProps<typeof MantineProvider>, "getStyleNonce"> {
  const nonce = page.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
  // react-style-singleton, which stops scrolling behind dialogs, looks here.
  (globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;
  return { getStyleNonce: () => nonce };
}

import { Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, JSX, Ref } from "react";

type AnchorButtonProps = ButtonProps &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> & { readonly ref?: Ref<HTMLAnchorElement> };

function AnchorButton(props: AnchorButtonProps): JSX.Element {
  return <Button component="a" {...props} />;
}

/** A link to a page of the portal that looks like a button. */
export const ButtonLink = createLink(AnchorButton);

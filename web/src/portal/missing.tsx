import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { JSX } from "react";
import { useTranslation } from "react-i18next";
import { Failed, PageTitle } from "../kit/parts.tsx";

/** A page that is not there. */
export function Missing(): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="content">
      <PageTitle>{t("failure.notFound")}</PageTitle>
      <p>{t("failure.notFoundText")}</p>
      <Button component={Link} to="/" variant="outline">
        {t("failure.toHome")}
      </Button>
    </div>
  );
}

/** A page that failed: its code could not be loaded, perhaps because the gateway was updated meanwhile. */
export function Crashed({ error }: { readonly error: unknown }): JSX.Element {
  const { t } = useTranslation();
  return (
    <div className="content">
      <PageTitle>{t("failure.page")}</PageTitle>
      <Failed error={error} retry={() => location.reload()} />
    </div>
  );
}

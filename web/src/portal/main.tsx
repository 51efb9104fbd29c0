import "@digital-go-jp/design-tokens/dist/tokens.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "../kit/theme.css";
import "./portal.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { startWords } from "../kit/i18n.ts";

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(<App words={await startWords()} />);
}

import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./words/en.ts";
import { ja } from "./words/ja.ts";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof ja };
  }
}

/** A language of the pages. */
export type Language = "ja" | "en";

const KEPT = "jiseki-language";

/** Starts the words: in the language that was chosen in this browser, else in Japanese. */
export async function startWords(language: Language = keptLanguage()): Promise<i18n> {
  const instance = i18next.createInstance();
  await instance.use(initReactI18next).init({
    lng: language,
    fallbackLng: "ja",
    resources: { ja: { translation: ja }, en: { translation: en } },
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
  });
  document.documentElement.lang = language;
  return instance;
}

/** The language that is in use. */
export function languageOf(words: i18n): Language {
  return words.language === "en" ? "en" : "ja";
}

/** Changes the language and keeps the choice in this browser. */
export async function changeLanguage(words: i18n, language: Language): Promise<void> {
  await words.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // a browser that stores nothing asks again next time
  }
}

function keptLanguage(): Language {
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : "ja";
  } catch {
    return "ja";
  }
}

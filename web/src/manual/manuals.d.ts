declare module "*.ja.md" {
  const manual: import("./markdown.ts").Manual;
  export default manual;
}

// Builds static/build from npm packages and our own sources. Run through `python -m bars_portal.nhsuk.build`.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as sass from "sass";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const modules = join(root, "node_modules");
const nhsuk = join(modules, "nhsuk-frontend", "dist", "nhsuk");
const out = join(root, "static", "build");

// Hashed static storage would look for the maps, which are not shipped.
const withoutSourceMap = (text) => text.replace(/\n?\/\/[#@] sourceMappingURL=\S+\s*$/, "\n");

function compileStyles(name) {
  const { css } = sass.compile(join(root, "static", "scss", `${name}.scss`), {
    loadPaths: [modules],
    style: "compressed",
    quietDeps: true,
  });
  // Every byte of a page comes from this host: a remote font or image would leak who is looking.
  if (/url\(\s*["']?(?:https?:)?\/\//i.test(css) || /@import/i.test(css)) {
    throw new Error(`${name}.css refers to another host`);
  }
  writeFileSync(join(out, `${name}.css`), css);
}

function copyScript(source, name) {
  writeFileSync(join(out, name), withoutSourceMap(readFileSync(source, "utf8")));
}

if (!existsSync(nhsuk)) throw new Error("node_modules is incomplete: run npm ci first");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
cpSync(join(nhsuk, "assets", "images"), join(out, "images"), { recursive: true });
["portal", "admin"].forEach(compileStyles);
copyScript(join(modules, "htmx.org", "dist", "htmx.min.js"), "htmx.min.js");
// One module without imports: hashed file names would break a relative import.
const library = withoutSourceMap(readFileSync(join(nhsuk, "nhsuk-frontend.min.js"), "utf8"));
const own = ["session.js", "slots.js", "diary.js", "countdown.js", "passkeys.js", "portal.js"].map((name) => readFileSync(join(root, "static", "js", name), "utf8"));
writeFileSync(join(out, "portal.js"), [library, ...own].join("\n"));

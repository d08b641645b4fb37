/** State knows no page and no network: it runs here, without a browser. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const JS = new URL("../../src/soundalike/web/static/js/", import.meta.url);
const filesOf = (room) => readdirSync(new URL(`${room}/`, JS)).map((name) => ({ name: `${room}/${name}`, text: readFileSync(new URL(`${room}/${name}`, JS), "utf8") }));
const code = (text) => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "");
const imported = (text) => [...code(text).matchAll(/from "([^"]+)"/g)].map(([, from]) => from);

test("state imports state and what speaks to the server, never views", () => {
  for (const { name, text } of filesOf("state")) for (const from of imported(text)) assert.match(from, /^(\.\/|\.\.\/api\/(client|storage)\.js$)/, name);
});

test("what speaks to the server imports neither state nor views", () => {
  for (const { name, text } of filesOf("api")) for (const from of imported(text)) assert.match(from, /^\.\//, name);
});

test("state uses nothing of a page", () => {
  const ofPage = /\b(document|window|navigator|location|history|localStorage|sessionStorage|performance|setTimeout|Date\.now|Math\.random)\b|(?<!\.)\bfetch\(/;
  for (const { name, text } of filesOf("state")) assert.equal(code(text).match(ofPage)?.[0], undefined, name);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { copied, sideOf } from "../../resviz/ui/components/link/link.js";

test("a link is copied by the clipboard, by the selection where there is none or it refuses, or is said not to be", async () => {
  const kept = [];
  const works = { writeText: async (text) => kept.push(text) };
  const refuses = { writeText: async () => Promise.reject(new Error("denied")) };
  const never = () => assert.fail("asked");
  assert.equal(await copied("a", works, never), true);
  assert.deepEqual(kept, ["a"]);
  assert.equal(await copied("a", refuses, () => true), true);
  assert.equal(await copied("a", undefined, () => false), false);
});

test("a code's modules are whole pixels, at least two", () => {
  assert.deepEqual([37, 100, 185].map(sideOf), [185, 400, 370]);
});

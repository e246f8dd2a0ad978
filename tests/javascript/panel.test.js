import assert from "node:assert/strict";
import { test } from "node:test";
import { kept, readingOf } from "../../resviz/ui/components/evidence/panel.js";

const scene = {
  data: { side: 2, note: "Checked." },
  group: { at: { u: 0.75, v: 0.25 } },
  map: { side: 2, values: [0, -0.5, 0.25, 1], strengths: [0, 0.25, 0.5, 1] },
};

test("the pixel that is pointed at is read, otherwise the note stands", () => {
  assert.equal(readingOf(scene), "−0.5, stronger than 50 % of the map");
  assert.equal(readingOf({ ...scene, group: { at: null } }), "Checked.");
});

test("a photograph's pixel is read in its own size", () => {
  const pixels = Array.from({ length: 4 * 16 }, (_, i) => i); // 4×4, row 1, column 3 is the eighth
  const photo = { naturalWidth: 4, naturalHeight: 4 };
  assert.equal(readingOf({ ...scene, map: null, photo, pixels }), "row 0, column 1: rgb(28, 29, 30)");
});

test("what is kept is made anew when its key changes", () => {
  let key = 1;
  let made = 0;
  const value = kept(
    () => key,
    () => ++made,
  );
  assert.deepEqual([value(), value()], [1, 1]);
  key = 2;
  assert.deepEqual([value(), value()], [2, 2]);
});

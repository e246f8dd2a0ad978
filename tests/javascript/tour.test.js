// Which control the tour's card points at.
import assert from "node:assert/strict";
import { test } from "node:test";
import { named } from "../../resviz/ui/components/tour/tour.js";

const page = (...keys) => ({ querySelector: (selector) => keys.find((key) => selector === `.st-key-${key}`) ?? null });

test("the first of the keys that is on the page is pointed at", () => {
  assert.equal(named(page("lab-start", "lab-diagram"), ["lab-start", "lab-diagram"]), "lab-start");
  assert.equal(named(page("lab-diagram"), ["lab-start", "lab-diagram"]), "lab-diagram");
  assert.equal(named(page("play"), ["lab-start"]), null);
});

// Paints a map as a panel does, for a test to compare: JSON in, JSON out.
import { readFileSync } from "node:fs";
import { outline, percentileOf, pixelsOf, unpacked } from "../../resviz/ui/components/evidence/maps.js";

const { map: sent, look, painting } = JSON.parse(readFileSync(0, "utf-8"));
const map = unpacked(sent, painting);
const contour = look.style === "contour";
const answer = {
  threshold: percentileOf(map.sorted, look.percentile),
  inside: Array.from(map.smooth, (v) => v >= percentileOf(map.sorted, look.percentile)),
  pixels: contour ? [] : [...pixelsOf(map, look, painting)],
  outline: contour ? outline(map, look.percentile) : "",
};
process.stdout.write(JSON.stringify(answer));

// The recording, and what is seen of it at a step, after a cut, or with batch norm.
import { cutBy } from "./patterns.js";
import { cutWords, meaningOf, percent } from "./words.js";

export const STRONGEST = 255; // a byte: 0 is a gradient of exactly 0, 1 the weakest of the scale

export const decadesOf = (byte, { floor, top }) => (byte ? floor + ((byte - 1) / (STRONGEST - 1)) * (top - floor) : -Infinity);

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// One profile after another, as shares of the scale: 0 for a gradient that is exactly 0.
function profilesOf(text, layers) {
  const bytes = bytesOf(text);
  return Array.from({ length: bytes.length / layers }, (_, i) => bytes.subarray(i * layers, (i + 1) * layers));
}

export function recordingOf(data) {
  const { layers, blocks, plain, residual, cuts } = data;
  const track = (each) => ({ ...each, profiles: profilesOf(each.gradients, layers.length) });
  const tracks = { plain: track(plain), residual: track(residual) };
  const last = data.steps - 1;
  const end = ({ profiles, reach, accuracy }) => ({ profile: profiles[last], reach: reach[last], accuracy: accuracy[last] });
  const ends = { none: end(tracks.residual), all: end(tracks.plain) };
  const profiles = profilesOf(cuts.gradients, layers.length);
  cuts.names.forEach((name, i) => {
    ends[name] = { profile: profiles[i], reach: cuts.reach[i], accuracy: cuts.accuracy[i] };
  });
  const about = { images: data.images, classes: data.classes, steps: data.steps, skips: blocks.length, layers: layers.length };
  return { tracks, ends, about };
}

// Both rows as they are seen: profile, how much reaches the image, number, what it means, name.
export function frameOf(recording, data, { pattern, step, norm }) {
  const { tracks, ends, about } = recording;
  if (norm) {
    const row = ({ gradients, error, name, reach }) => ({
      ...{ profile: bytesOf(gradients), reach, accuracy: 100 - error, name },
      ...{ value: percent(error), means: "of its training pictures wrong" },
    });
    return { plain: row(data.norm.plain), residual: row(data.norm.residual), cut: cutBy("none", about.skips) };
  }
  const row = (found, name) => ({ ...found, name, value: percent(found.accuracy), means: meaningOf(found.accuracy, about) });
  const at = ({ profiles, reach, accuracy }) => ({
    profile: profiles[step - 1],
    reach: reach[step - 1],
    accuracy: accuracy[step - 1],
  });
  const words = pattern === "none" ? "" : ` · ${cutWords(pattern, about.skips)}`;
  const found = pattern === "none" ? at(tracks.residual) : pattern === "all" ? at(tracks.plain) : ends[pattern];
  return {
    plain: row(at(tracks.plain), data.plain.name),
    residual: row(found, `${data.residual.name}${words}`),
    cut: cutBy(pattern, about.skips),
  };
}

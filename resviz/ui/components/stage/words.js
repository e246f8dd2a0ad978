// What the stage says, from what was measured.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export const powerOfTen = (exponent) =>
  `10${String(exponent)
    .replace("-", "⁻")
    .replace(/\d/g, (digit) => SUPERSCRIPTS[digit])}`;

export const percent = (value) => `${value.toFixed(1)} %`;

// 10 to this power, with two or three digits.
export function powerOf(decades) {
  if (decades === -Infinity) return "0";
  if (decades >= -2 && decades < 4) {
    const value = 10 ** decades;
    return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(value))));
  }
  const exponent = Math.floor(decades);
  const digits = (10 ** (decades - exponent)).toFixed(1);
  return digits === "10.0" ? `1.0×${powerOfTen(exponent + 1)}` : `${digits}×${powerOfTen(exponent)}`;
}

// Whether chance alone would do as well: no more than two standard deviations better than one guess in so many classes.
export function guesses(accuracy, { images, classes }) {
  const chance = 1 / classes;
  return accuracy / 100 <= chance + 2 * Math.sqrt((chance * (1 - chance)) / images);
}

export const meaningOf = (accuracy, about) => (guesses(accuracy, about) ? "unseen digits: guessing" : "of unseen digits right");

// What is cut, as a sentence goes on with it.
export function cutWords(pattern, skips) {
  const [kind, number] = pattern.split(":");
  const words = {
    none: "with every skip",
    all: "without any skip",
    one: `without skip ${number} of ${skips}`,
    first: `without the ${number} skips nearest the image`,
    last: `without the ${number} skips nearest the answer`,
    odd: "without every second skip, the first among them",
    even: "without every second skip, from the second on",
  };
  return words[kind];
}

// What came of a pattern: how many unseen digits are right, and how much gradient reaches the image's end.
export function answerOf(pattern, ends, about) {
  const { none, all } = ends;
  const { accuracy, reach } = ends[pattern];
  const right = guesses(accuracy, about)
    ? `it guesses, ${percent(accuracy)} of unseen digits right`
    : `${percent(accuracy)} of unseen digits are right`;
  const times = (decades) => `${powerOf(decades)} times the last convolution's`;
  if (pattern === "none") {
    const without = guesses(all.accuracy, about) ? `${percent(all.accuracy)} is guessing` : `${percent(all.accuracy)} are right`;
    return `After ${about.steps} steps with every skip, ${right}, and the first layer's gradient is ${times(reach)}. Without any skip it is ${times(all.reach)}, and ${without}.`;
  }
  const trained = `Trained ${pattern === "all" ? "" : "anew "}for ${about.steps} steps`;
  return `${trained} ${cutWords(pattern, about.skips)}, ${right} (${percent(none.accuracy)} with every skip). The first layer's gradient is ${times(reach)}.`;
}

// The whole figure for those who do not see it.
export function altOf({ plain, residual }, about) {
  const row = ({ name, reach, accuracy }) =>
    `${name}: gradient ${powerOf(reach)} times as large at the first layer as at the last convolution, ${percent(accuracy)} of ${about.images} unseen digits right.`;
  return `Two rows of bars, one bar for each of ${about.layers} layers, as tall as the logarithm of its gradient. ${row(plain)} ${row(residual)}`;
}

// Where the run can be made live: the lab's link with these skips cut.
export function labLink(query, blocks, cut) {
  const names = blocks.filter((_, i) => cut[i]).map((name) => name.replace("layer", ""));
  const contender = names.length ? `${query.a}&cut=${names.join(",")}` : query.a;
  return `lab?${new URLSearchParams({ ...query, a: contender })}`;
}

// Two networks' gradients as bars, the skips as arcs that can be cut; every answer comes with the page.
import { element, mount, onResize } from "../common.js";
import { decadesOf, frameOf, recordingOf, STRONGEST } from "./frames.js";
import { afterClick, afterMode, patternsOf } from "./patterns.js";
import { arcPath, cutPath, placesOf } from "./places.js";
import { altOf, answerOf, labLink, powerOf, powerOfTen } from "./words.js";

const SECONDS = 6; // that a replay takes

// One network's bars on their trunk, with the arcs where there are any.
function rowOf(data, places, width, residual) {
  const { trunk, height, bar, tall } = places;
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  svg.append(element("line", { x1: 0, x2: width, y1: trunk, y2: trunk, class: "trunk" }));
  const bars = (css) =>
    data.layers.map((_, i) => element("rect", { x: places.left(i), width: bar, rx: Math.min(2.5, bar / 3), class: css }));
  const [ghosts, shown] = [residual ? bars("ghost") : [], bars("bar")];
  svg.append(...ghosts, ...shown);
  const stand = (node, share) => {
    const reach = Math.max(2, (tall * share) / STRONGEST);
    node.setAttribute("y", trunk - reach / 2);
    node.setAttribute("height", reach);
  };
  const draw = (profile) => {
    shown.forEach((node, i) => {
      stand(node, profile[i]);
      node.style.fill = data.ramp[Math.round((profile[i] / STRONGEST) * (data.ramp.length - 1))];
    });
  };
  return { svg, draw, haunt: (profile) => ghosts.forEach((node, i) => void stand(node, profile[i])) };
}

function plusOf(x, { trunk, narrow }) {
  const radius = narrow ? 2 : 5;
  const plus = element("g", { class: "plus" });
  plus.append(element("circle", { cx: x, cy: trunk, r: radius }));
  if (!narrow) plus.append(element("path", { d: `M${x - 3} ${trunk}h6M${x} ${trunk - 3}v6` }));
  return plus;
}

// The skips over the residual row: one stop for the keyboard, arrow keys inside.
function arcsOf(data, places, act) {
  const group = element("g", { role: "group", "aria-label": `${data.blocks.length} skips` });
  const skips = places.arcs.map((ends, i) => {
    const arc = element("path", { d: arcPath(ends, places), class: "arc" });
    const signal = element("path", { d: arcPath(ends, places), class: "signal", pathLength: 100 });
    const gone = element("path", { d: cutPath(ends, places), class: "gone" });
    const scissors = element("text", { x: (ends.from + ends.to) / 2, y: 11, class: "scissors" }, "✂");
    const box = { x: ends.from, y: 1.5, width: ends.to - ends.from, height: places.height - 3, rx: 4 };
    const hit = element("rect", { ...box, class: "hit", role: "switch", tabindex: i ? -1 : 0, "data-skip": i + 1 });
    return { arc, signal, gone, scissors, plus: plusOf(ends.to, places), hit };
  });
  for (const part of ["gone", "scissors", "arc", "signal", "plus", "hit"]) group.append(...skips.map((skip) => skip[part]));
  group.addEventListener("click", (event) => event.target.dataset.skip && act.press(Number(event.target.dataset.skip)));
  group.addEventListener("pointermove", (event) => act.point(Number(event.target.dataset?.skip ?? 0)));
  group.addEventListener("pointerleave", () => act.point(0));
  group.addEventListener("keydown", (event) => {
    const skip = Number(event.target.dataset.skip);
    const next = { ArrowRight: skip + 1, ArrowLeft: skip - 1, Home: 1, End: skips.length }[event.key];
    if (event.key === "Enter" || event.key === " ") act.press(skip);
    else if (next >= 1 && next <= skips.length) focus(next);
    else if (next === undefined) return;
    event.preventDefault();
  });
  function focus(skip) {
    skips.forEach(({ hit }, i) => void hit.setAttribute("tabindex", i + 1 === skip ? 0 : -1));
    skips[skip - 1].hit.focus();
  }
  function draw(cut, still) {
    skips.forEach(({ arc, gone, scissors, plus, hit }, i) => {
      arc.classList.toggle("off", cut[i]);
      plus.classList.toggle("off", cut[i]);
      gone.classList.toggle("off", !cut[i]);
      scissors.classList.toggle("off", !cut[i] || places.narrow);
      hit.setAttribute("aria-checked", String(!cut[i]));
      hit.setAttribute("aria-label", `Skip ${i + 1} of ${skips.length}, past layers ${2 * i + 2} and ${2 * i + 3}`);
      hit.setAttribute("aria-disabled", String(still));
    });
  }
  // What a click would cut, and the signal on the skip that is pointed at.
  function preview(cut, pointed) {
    skips.forEach(({ arc, signal }, i) => {
      arc.classList.toggle("next", Boolean(cut?.[i]));
      signal.classList.toggle("lit", i + 1 === pointed && !arc.classList.contains("off"));
    });
  }
  return { group, draw, preview };
}

function show(root, data, send) {
  const part = (name) => root.querySelector(name);
  const recording = recordingOf(data);
  const { about, ends } = recording;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  root.memory ??= { mode: "first", at: 0, step: calm ? about.steps : 1, playing: !calm, norm: false }; // what a redraw must not lose
  const { memory } = root;
  const rows = {};
  let places;
  let arcs;
  let frame = 0;
  let pointed = 0;

  const patterns = () => patternsOf(memory.mode, about.skips);
  const pattern = () => patterns()[memory.at];

  function layout() {
    for (const name of ["plain", "residual"]) {
      const place = part(`.${name} .row`);
      places = placesOf(Math.max(280, place.clientWidth), data.layers.length, about.skips);
      rows[name] = rowOf(data, places, Math.max(280, place.clientWidth), name === "residual");
      place.replaceChildren(rows[name].svg);
    }
    arcs = arcsOf(data, places, { press, point });
    rows.residual.svg.append(arcs.group);
    rows.residual.haunt(ends.none.profile);
    draw();
  }

  function draw() {
    const { mode, at, step, playing, norm } = memory;
    const seen = frameOf(recording, data, { pattern: pattern(), step, norm });
    for (const name of ["plain", "residual"]) {
      const row = seen[name];
      rows[name].draw(row.profile);
      part(`.${name} .name`).textContent = row.name;
      part(`.${name} b`).textContent = row.value;
      part(`.${name} .outcome span`).textContent = row.means;
    }
    arcs.draw(seen.cut, norm);
    root.classList.toggle("playing", playing);
    root.classList.toggle("haunted", at > 0 && !norm);
    root.classList.toggle("norm-on", norm);
    say(
      part(".answer"),
      norm
        ? [data.norm.answer, " ", linkTo("degradation", "Why did deeper networks train worse?")]
        : [answerOf(pattern(), ends, about)],
    );
    part(".alt").textContent = norm ? data.norm.answer : altOf(seen, about);
    part(".flow").textContent = flowWords(seen);
    controls({ mode, at, step, playing, norm }, seen.cut);
  }

  function controls({ mode, at, step, playing, norm }, cut) {
    const replay = part(".replay");
    replay.textContent = playing ? "❚❚ Pause" : step < about.steps && !at ? "▶ Go on" : `▶ Replay the ${about.steps} steps`;
    const steps = part(".steps input");
    Object.assign(steps, { max: about.steps, value: step, disabled: at > 0 });
    steps.setAttribute("aria-valuetext", `step ${step} of ${about.steps}`);
    part(".at").textContent = norm ? data.norm.when : `step ${step} of ${about.steps}`;
    const count = part(".count input");
    Object.assign(count, { max: patterns().length - 1, value: at });
    part(".cuts").textContent = mode === "one" ? (at ? `number ${at}` : "none") : String(cut.filter(Boolean).length);
    part(".all").disabled = pattern() === "all";
    part(".restore").disabled = !at;
    part(".norm").setAttribute("aria-pressed", String(norm));
    part(".live").href = labLink(data.query, data.blocks, cut);
    for (const input of root.querySelectorAll("[name=mode]")) input.checked = input.value === mode;
  }

  function say(place, what) {
    const text = what.map((each) => each.textContent ?? each).join("");
    if (place.textContent !== text) place.replaceChildren(...what); // a reader hears it once
  }

  function linkTo(page, text) {
    const link = Object.assign(document.createElement("a"), { href: page, textContent: text });
    link.onclick = (event) => follow(event, page);
    return link;
  }

  // A plain click stays in this session; any other opens the link as links are.
  function follow(event, where) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    send(where);
  }

  function become(changes) {
    Object.assign(memory, { playing: false, step: about.steps, norm: false }, changes);
    draw();
    arcs.preview(null, 0);
  }
  function press(skip) {
    if (!memory.norm) become({ at: afterClick(memory.mode, memory.at, skip, about.skips) });
  }
  function point(skip) {
    if (skip === pointed) return;
    pointed = skip;
    const next =
      skip && !memory.norm ? patternsOf(memory.mode, about.skips)[afterClick(memory.mode, memory.at, skip, about.skips)] : null;
    arcs.preview(next && frameOf(recording, data, { pattern: next, step: about.steps, norm: false }).cut, skip);
    draw();
  }
  // What the bars mean, or, over a skip, how strong its first layer's are: a byte knows no more than the power of ten.
  function flowWords(seen) {
    if (!pointed) return `◀ the learning signal, each layer's gradient: flat ${powerOf(data.floor)}, tall ${powerOf(data.top)}`;
    const layer = 2 * pointed - 1;
    const about = ({ profile }) => (profile[layer] ? powerOfTen(Math.round(decadesOf(profile[layer], data))) : "0");
    return `layer ${layer + 1}: gradient about ${about(seen.plain)} above, ${about(seen.residual)} below`;
  }

  function play() {
    cancelAnimationFrame(frame);
    let began = null;
    const from = memory.step;
    function next(now) {
      if (!memory.playing) return;
      began ??= now;
      const step = Math.min(about.steps, from + Math.floor(((now - began) / 1000) * (about.steps / SECONDS)));
      if (step !== memory.step) {
        Object.assign(memory, { step, playing: step < about.steps });
        draw();
      }
      frame = requestAnimationFrame(next);
    }
    frame = requestAnimationFrame(next);
  }

  part(".replay").onclick = () => {
    const again = memory.at > 0 || memory.norm || memory.step === about.steps;
    const playing = !memory.playing;
    become({ at: 0, playing, step: playing && again ? 1 : memory.step });
    if (playing) play();
  };
  part(".steps input").oninput = (event) => become({ step: Number(event.target.value), at: 0 });
  part(".count input").oninput = (event) => become({ at: Number(event.target.value) });
  part(".all").onclick = () => become({ mode: memory.mode === "last" ? "last" : "first", at: about.skips });
  part(".restore").onclick = () => become({ at: 0 });
  part(".norm").onclick = () => become({ at: 0, norm: !memory.norm });
  part("fieldset").onchange = (event) =>
    become({ mode: event.target.value, at: afterMode(memory.mode, memory.at, event.target.value) });
  part(".live").onclick = (event) => follow(event, part(".live").getAttribute("href"));
  if (matchMedia("(hover: none)").matches) part(".press").textContent = "Tap an arc to cut skips";

  const around = part(".residual .row"); // an SVG element that listened to focus would be one more stop for the keyboard
  const over = new AbortController();
  around.addEventListener("focusin", (event) => point(Number(event.target.dataset?.skip ?? 0)), { signal: over.signal });
  around.addEventListener("focusout", () => point(0), { signal: over.signal });
  layout();
  root.classList.add("drawn");
  const kept = root.getRootNode().host?.closest(".st-key-stage"); // drawn, it knows itself how tall it is
  if (kept) kept.style.minHeight = "0";
  if (memory.playing) play();
  const still = onResize(root, layout);
  return () => {
    cancelAnimationFrame(frame);
    over.abort();
    still();
  };
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  const root = parentElement.querySelector(".stage");
  return mount(root, data, () => show(root, data, (where) => setTriggerValue("go", where)));
}

// The plane as each network answers it, with the held-out points, and a small map of each unit: hover or focus shows it large, a click keeps it.
import { isDark, mount, save } from "../common.js";
import { moved, painted, partsOf, placed } from "./colours.js";

const SIZE = 420; // pixels of the large canvas
const EDGE = 6;
const GAP = 24; // pixels between two of a saved file, and over them for their names
const ABOVE = 30;
const unpacked = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function hueOf(root, name, dark) {
  const pair = getComputedStyle(root)
    .getPropertyValue(`--${name}`)
    .match(/#\w{6}/g);
  return partsOf(pair.at(dark ? -1 : 0));
}

function sheetOf(bytes, side, hues) {
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = side;
  sheet.getContext("2d").putImageData(new ImageData(painted(bytes, hues), side, side), 0, 0);
  return sheet;
}

function dotsOn(context, points, hues, ink) {
  for (const point of points) {
    const [x, y] = placed(point, SIZE, EDGE);
    context.beginPath();
    context.arc(x, y, 4, 0, 2 * Math.PI);
    context.fillStyle = `rgb(${hues[point[2] ? 2 : 1].join(" ")})`;
    context.strokeStyle = ink;
    context.fill();
    context.stroke();
  }
}

// One network's figure; what is hovered or kept outlives every redraw.
function figureOf() {
  const figure = document.createElement("figure");
  const words = figure.appendChild(document.createElement("figcaption"));
  const big = figure.appendChild(document.createElement("canvas"));
  const units = figure.appendChild(document.createElement("div"));
  big.className = "big";
  big.width = big.height = SIZE;
  big.setAttribute("role", "img");
  units.className = "units";
  units.setAttribute("role", "group");
  return { figure, words, big, units, kept: null, over: null };
}

// One stop of the Tab key a network; arrow keys go from unit to unit.
function step(view, event, i) {
  const next = moved(i, event.key, view.units.children.length);
  if (next === null) return;
  event.preventDefault();
  view.units.children[i].tabIndex = -1;
  view.units.children[next].tabIndex = 0;
  view.units.children[next].focus();
}

function buttonOf(view, i) {
  const button = document.createElement("button");
  button.tabIndex = i ? -1 : 0;
  button.onkeydown = (event) => step(view, event, i);
  button.append(document.createElement("canvas"));
  const show = (over) => {
    view.over = over;
    view.large();
  };
  button.onpointerenter = () => show(i);
  button.onpointerleave = () => show(null);
  button.onfocus = () => show(i);
  button.onblur = () => show(null);
  button.onclick = () => {
    view.kept = view.kept === i ? null : i;
    view.large();
  };
  return button;
}

function fill(view, contender, data, hues, ink) {
  const title = document.createElement("b");
  title.textContent = contender.label;
  while (view.units.children.length > contender.units.length) view.units.lastChild.remove();
  while (view.units.children.length < contender.units.length) view.units.append(buttonOf(view, view.units.children.length));
  contender.units.forEach((text, i) => {
    const canvas = view.units.children[i].firstChild;
    canvas.width = canvas.height = contender.small;
    canvas.getContext("2d").drawImage(sheetOf(unpacked(text), contender.small, hues), 0, 0);
    view.units.children[i].setAttribute("aria-label", `Unit ${i} of ${data.layer} in ${contender.label}`);
  });
  view.units.setAttribute("aria-label", `Units of ${data.layer} in ${contender.label}`);
  view.large = () => {
    const shown = view.over ?? view.kept;
    const unit = shown === null ? undefined : contender.units[shown];
    const [text, side] = unit === undefined ? [contender.map, contender.side] : [unit, contender.small];
    const context = view.big.getContext("2d");
    context.drawImage(sheetOf(unpacked(text), side, hues), 0, 0, SIZE, SIZE);
    dotsOn(context, data.points, hues, ink);
    const what = unit === undefined ? contender.said : `unit ${shown} of ${data.layer}, violet below 0, amber above`;
    view.words.replaceChildren(title, ` · ${what}`);
    view.big.setAttribute("aria-label", `${contender.label}: the plane, step ${data.step}, ${what}`);
    for (const [i, button] of [...view.units.children].entries()) button.setAttribute("aria-pressed", String(view.kept === i));
  };
  view.large();
}

function draw(root, data) {
  const hues = ["paper", "against", "for"].map((name) => hueOf(root, name, data.dark));
  const ink = `rgb(${hueOf(root, "ink", data.dark).join(" ")})`;
  root.views ??= [];
  data.contenders.forEach((contender, i) => {
    root.views[i] ??= figureOf();
    fill(root.views[i], contender, data, hues, ink);
  });
  root.views.length = data.contenders.length;
  const figures = root.views.map((view) => view.figure);
  if (figures.some((figure, i) => root.children[i] !== figure) || root.children.length !== figures.length)
    root.replaceChildren(...figures);
  root.dataset.step = data.step;
  return () => {};
}

// Every network's large picture side by side, under its name, as a light or dark file as the page is.
function saved(root, data) {
  const sheet = document.createElement("canvas");
  sheet.width = data.contenders.length * (SIZE + GAP) - GAP;
  sheet.height = SIZE + ABOVE;
  const context = sheet.getContext("2d");
  context.fillStyle = `rgb(${hueOf(root, "paper", data.dark).join(" ")})`;
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = `rgb(${hueOf(root, "ink", data.dark).join(" ")})`;
  context.font = "15px system-ui, sans-serif";
  root.views.forEach((view, i) => {
    context.fillText(view.words.textContent, i * (SIZE + GAP), ABOVE - 9, SIZE);
    context.drawImage(view.big, i * (SIZE + GAP), ABOVE);
  });
  sheet.toBlob((blob) => save(`resviz-plane-step-${data.step}.png`, blob), "image/png");
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".planes");
  const themed = { ...data, dark: isDark(root) };
  parentElement.querySelector(".png").onclick = () => saved(root, themed);
  return mount(root, themed, () => draw(root, themed));
}

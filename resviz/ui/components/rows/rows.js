// A unit's tensors, a row each and a channel a column, on one scale; one position is read in all of them together.
import { colour, mount, save } from "../common.js";
import { coloured, moved, tensorsOf, valuesAt, worded } from "./values.js";

const TILE = 96; // pixels of a saved tile's side
const MARGIN = 130; // and of its rows' names

function node(tag, css, text = "") {
  const made = document.createElement(tag);
  made.className = css;
  made.textContent = text;
  return made;
}

function tileOf(scene, name, nth) {
  const [height, width] = scene.data.shape;
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [width, height];
  const pixels = coloured(scene.tensors[name], nth * height * width, height * width, scene.data.top, scene.data.painting);
  tile.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return tile;
}

// The names of the rows, each with the sign by which it follows from those above.
const SIGNS = { x: "", F: "+ ", sum: "= ", after: "→ " };

function boardOf(scene, board) {
  const { data } = scene;
  const names = data.rows.length;
  board.style.gridTemplateColumns = `max-content repeat(${data.channels.length}, minmax(58px, 1fr))`;
  board.style.setProperty("--w", 1 / data.shape[1]);
  board.style.setProperty("--h", 1 / data.shape[0]);
  const parts = [node("span", "name"), ...data.channels.map((channel) => node("span", "head", `ch ${channel}`))];
  for (const [name, title, note] of data.rows) {
    const label = node("span", `name ${name}`, `${names > 2 ? SIGNS[name] : ""}${title}`);
    if (note) label.append(node("small", "", note));
    parts.push(label);
    data.channels.forEach((_, nth) => {
      const cell = node("span", "cell");
      cell.dataset.nth = nth;
      cell.append(tileOf(scene, name, nth));
      parts.push(cell);
    });
  }
  board.replaceChildren(...parts);
}

// The sum at a position in words, with its numbers large.
function readingOf(scene, at) {
  const { data } = scene;
  const found = valuesAt(scene.tensors, data.shape, at);
  const numbers = worded(data.rows.map(([name]) => found[name]));
  const parts = [node("span", "", `channel ${data.channels[at.nth]}, row ${at.row}, column ${at.column}:`)];
  data.rows.forEach(([name, title], i) => {
    const part = node("span", name, data.x ? SIGNS[name] : i ? "→ " : "");
    part.append(node("b", "", numbers[i]), document.createTextNode(name === "sum" ? "" : ` ${title}`));
    parts.push(part);
  });
  return parts;
}

function mark(scene, css, at, [u, v]) {
  for (const cell of scene.board.querySelectorAll(".cell"))
    cell.classList.toggle(css, at !== null && Number(cell.dataset.nth) === at.nth);
  if (at === null) return;
  scene.board.style.setProperty(u, at.column / scene.data.shape[1]);
  scene.board.style.setProperty(v, at.row / scene.data.shape[0]);
}

function pickedOf(data) {
  const nth = data.picked ? data.channels.indexOf(data.picked.channel) : -1;
  return nth < 0 ? null : { nth, row: data.picked.row, column: data.picked.column };
}

function listen(scene, point, pick) {
  const { board, data } = scene;
  const placeOf = (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return null;
    const box = cell.getBoundingClientRect();
    const [height, width] = data.shape;
    const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return {
      nth: Number(cell.dataset.nth),
      row: within((event.clientY - box.top) / box.height, height),
      column: within((event.clientX - box.left) / box.width, width),
    };
  };
  board.onpointermove = (event) => {
    const at = placeOf(event);
    if (at) point(at);
  };
  board.onpointerleave = () => point(null);
  board.onclick = (event) => {
    const at = placeOf(event);
    if (at) pick(at);
  };
  board.onkeydown = (event) => {
    const at = scene.at ?? pickedOf(data) ?? { nth: 0, row: 0, column: 0 };
    if (event.key === "Enter" || event.key === " ") pick(at);
    else if (event.key === "Escape") point(null);
    else if (/^(Arrow|Page)/.test(event.key)) point(moved(at, event.key, data.shape, data.channels.length));
    else return;
    event.preventDefault();
  };
}

function saved(scene) {
  const { data, root } = scene;
  const file = document.createElement("canvas");
  const high = (TILE * data.shape[0]) / data.shape[1];
  file.width = MARGIN + data.channels.length * (TILE + 6);
  file.height = 34 + data.rows.length * (high + 6);
  const pen = file.getContext("2d");
  pen.fillStyle = colour(root, "paper");
  pen.fillRect(0, 0, file.width, file.height);
  pen.imageSmoothingEnabled = false;
  pen.font = "16px sans-serif";
  data.channels.forEach((channel, nth) => {
    pen.fillStyle = colour(root, "ink");
    pen.fillText(`ch ${channel}`, MARGIN + nth * (TILE + 6), 22);
  });
  data.rows.forEach(([name, title], i) => {
    const y = 34 + i * (high + 6);
    pen.fillStyle = colour(root, "ink");
    pen.fillText(`${data.x ? SIGNS[name] : ""}${title}`, 8, y + high / 2);
    for (const nth of data.channels.keys()) {
      const x = MARGIN + nth * (TILE + 6);
      pen.fillStyle = colour(root, "shade");
      pen.fillRect(x, y, TILE, high);
      pen.drawImage(tileOf(scene, name, nth), x, y, TILE, high);
    }
  });
  file.toBlob((blob) => save(`${data.file}.png`, blob), "image/png");
}

function show(root, data, setTriggerValue) {
  const part = (name) => root.querySelector(`.${name}`);
  const scene = { data, root, board: part("board"), tensors: tensorsOf(data), at: null };
  const picked = pickedOf(data);
  boardOf(scene, scene.board);
  mark(scene, "picked", picked, ["--pu", "--pv"]);
  const titles = data.rows.map(([, title]) => title).join(", ");
  scene.board.setAttribute(
    "aria-label",
    `${data.unit}: ${titles}, of ${data.channels.length} channels. Arrow keys read a position, Page Up and Page Down change the channel${data.picks ? ", Enter takes the number apart" : ""}.`,
  );

  function point(at) {
    scene.at = at;
    mark(scene, "at", at, ["--u", "--v"]);
    const read = at ?? picked;
    part("read").replaceChildren(...(read ? readingOf(scene, read) : []));
  }

  point(null);
  const pick = ({ nth, row, column }) => {
    point({ nth, row, column });
    if (data.picks) setTriggerValue("picked", { channel: data.channels[nth], row, column });
  };
  listen(scene, point, pick);
  part("turn").hidden = !data.turns;
  part("place").textContent = data.place;
  part("back").onclick = () => setTriggerValue("turned", -1);
  part("on").onclick = () => setTriggerValue("turned", 1);
  const [top] = worded([data.top]);
  part("low").textContent = `−${top}`;
  part("high").textContent = top;
  for (const hint of root.querySelectorAll(".hint")) hint.hidden = !data.picks;
  part("png").onclick = () => saved(scene);
  root.dataset.unit = data.unit;
  return () => {};
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".rows");
  return mount(root, data, () => show(root, data, setTriggerValue));
}

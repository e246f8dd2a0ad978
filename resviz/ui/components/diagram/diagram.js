import {
  announce,
  clamp,
  colour,
  element,
  inLight,
  mount,
  NS,
  onAnnounced,
  onResize,
  savePng,
  saveSvg,
  typeSize,
} from "../common.js";

// What is too small for a finger gets a wider, invisible target over it.
function hitOf(shape) {
  const { attrs } = shape;
  if (shape.css?.startsWith("arc")) return element("path", { d: attrs.d, class: "hit" });
  if (shape.tag === "circle")
    return element("circle", { cx: attrs.cx, cy: attrs.cy, r: Math.max(12, attrs.r), class: "hit spot" });
  if (shape.tag === "text" && shape.action) {
    const wide = Math.max(28, 9 * shape.text.length);
    const left = attrs["text-anchor"] === "middle" ? attrs.x - wide / 2 : attrs.x - 3;
    return element("rect", { x: left, y: attrs.y - 17, width: wide, height: 25, class: "hit spot" });
  }
  return null;
}

function show(root, parentElement, data, setTriggerValue) {
  const tip = parentElement.querySelector(".tip");
  const touch = matchMedia("(hover: none)").matches;
  const rest = touch ? data.touchHint : data.hint;
  const worded = (label) => (touch ? label.replace("; click to", "; tap to") : label);
  tip.textContent = data.selectedLabel || rest;

  function draw() {
    const focused = root.getRootNode().activeElement?.dataset?.action; // which a redraw for another width keeps too
    const drawing = root.clientWidth < 600 && data.tall ? data.tall : data.wide;
    const svg = element("svg", { viewBox: `0 0 ${drawing.width} ${drawing.height}`, role: "group", "aria-label": data.title });
    // what is wider than its room scrolls; words keep the page's size where the picture is drawn smaller
    const [least, most] = drawing === data.tall ? [typeSize() / WORDS, 1.15] : [Math.min(0.71, data.most), data.most];
    const scale = clamp(root.clientWidth / drawing.width, least, most);
    svg.style.width = `${scale * drawing.width}px`;
    svg.style.setProperty("--shrink", Math.min(1.32, clamp(1, typeSize() / (WORDS * scale), (typeSize() + 3) / (WORDS * scale))));
    for (const shape of drawing.shapes) {
      const node = element(shape.tag, shape.attrs);
      if (shape.css) node.setAttribute("class", shape.css);
      if (shape.text) node.textContent = shape.text;
      if (shape.name) node.dataset.name = shape.name;
      if (shape.name && shape.name === data.selected) node.classList.add("selected");
      svg.append(node);
      if (!shape.label) {
        node.style.pointerEvents = "none"; // a plus never swallows the click on its addition
        continue;
      }
      const target = hitOf(shape) ?? node;
      if (target !== node) svg.append(target);
      if (shape.action) {
        target.dataset.action = shape.action;
        target.setAttribute("tabindex", "0");
        target.setAttribute("role", shape.pressed === undefined ? "button" : "switch");
        if (shape.pressed !== undefined) target.setAttribute("aria-checked", String(shape.pressed));
        const act = () => setTriggerValue("clicked", shape.action);
        target.addEventListener("click", act);
        target.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          act();
        });
      }
      if (!shape.action) target.setAttribute("role", "img");
      target.setAttribute("aria-label", worded(shape.label));
      const show = () => {
        tip.textContent = worded(shape.label);
        node.classList.add("lit");
        if (shape.name) announce(shape.name, root);
      };
      const hide = () => {
        tip.textContent = data.selectedLabel || rest;
        node.classList.remove("lit");
        if (shape.name) announce("", root);
      };
      target.addEventListener("pointerenter", show);
      target.addEventListener("pointerleave", hide);
      target.addEventListener("focus", show);
      target.addEventListener("blur", hide);
    }
    root.replaceChildren(svg);
    const chosen = svg.querySelector(".selected")?.getBoundingClientRect();
    const seen = root.getBoundingClientRect();
    if (chosen && (chosen.left < seen.left || chosen.right > seen.right))
      root.scrollLeft += chosen.left - seen.left - seen.width / 2;
    if (focused) [...svg.querySelectorAll("[data-action]")].find((n) => n.dataset.action === focused)?.focus();
  }

  draw();
  function file() {
    const { width, height } = data.wide;
    const svg = element("svg", { xmlns: NS, viewBox: `0 0 ${width} ${height}`, width, height });
    svg.append(element("title", {}, data.title), element("style", {}, STYLE.replace("var(--shrink, 1)", "1")));
    svg.append(element("rect", { width, height, fill: colour(root, "paper") }));
    for (const shape of data.wide.shapes) svg.append(element(shape.tag, { ...shape.attrs, class: shape.css }, shape.text));
    return inLight(new XMLSerializer().serializeToString(svg));
  }
  parentElement.querySelector(".svg").onclick = () => saveSvg(file(), data.file);
  parentElement.querySelector(".png").onclick = () => savePng(file(), data.file, data.wide.width, data.wide.height);
  const still = onResize(root, draw);
  const quiet = onAnnounced(root, (name) => {
    for (const node of root.querySelectorAll("[data-name]")) node.classList.toggle("lit", node.dataset.name === name);
    const shape = name && data.wide.shapes.find((s) => s.name === name && s.label);
    tip.textContent = shape ? worded(shape.label) : data.selectedLabel || rest;
  });
  return () => {
    still();
    quiet();
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".diagram");
  return mount(root, data, () => show(root, parentElement, data, setTriggerValue));
}

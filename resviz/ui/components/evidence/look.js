// How the maps of a group lie on their photographs: changed here at once, and told to the server for its files.
import { mount } from "../common.js";
import { groupOf, tell, zoomBy } from "./group.js";

const SETTLED = 500; // milliseconds without a change until the server is told

function radiosOf(data, change) {
  return data.styles.map(([value, title, hint]) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: `style-${data.group}`, value });
    input.onchange = () => change({ style: value });
    label.title = hint;
    label.append(input, document.createTextNode(title));
    return label;
  });
}

function listen(part, group, change, crop) {
  part("opacity").oninput = (event) => change({ opacity: Number(event.target.value) });
  part("percentile").oninput = (event) => change({ percentile: Number(event.target.value) });
  part("closer").onclick = () => zoomBy(group, 1.5);
  part("further").onclick = () => zoomBy(group, 1 / 1.5);
  part("whole").onclick = () => {
    change({ wipe: 1 });
    zoomBy(group, 0);
  };
  part("cut").onclick = () => {
    const view = { x: group.x, y: group.y, zoom: group.zoom };
    zoomBy(group, 0);
    crop(view);
  };
}

function drawControls(part, data, group) {
  const look = group.look;
  const level = look.style === "contour" || look.style === "masked";
  for (const input of part("styles").querySelectorAll("input")) input.checked = input.value === look.style;
  part("opacity").closest("label").hidden = level;
  part("percentile").closest("label").hidden = !level;
  part("opacity").value = look.opacity;
  part("percentile").value = look.percentile;
  part("level").textContent = `strongest ${100 - look.percentile} %`;
  part("zoom").textContent = `${Math.round(100 * group.zoom)} %`;
  part("cut").style.visibility = group.zoom === 1 ? "hidden" : "visible"; // its place stays, nothing jumps
  part("legend").style.background = data.legends[look.style];
  const ends = data.ends[look.style];
  part("scale").hidden = !ends;
  part("low").textContent = ends ? ends[0] : "";
  part("high").textContent = ends ? ends[1] : "";
}

function show(root, data, setStateValue, setTriggerValue) {
  const part = (name) => root.querySelector(`.${name}`);
  const group = groupOf(data.group, data.look);
  const change = (look) => {
    Object.assign(group.look, look);
    tell(group);
  };
  part("styles").replaceChildren(...radiosOf(data, change));
  listen(part, group, change, (view) => setTriggerValue("crop", view));
  let timer;
  root.sent ??= JSON.stringify(data.look);

  function draw() {
    drawControls(part, data, group);
    const now = JSON.stringify(group.look);
    clearTimeout(timer);
    if (now === root.sent) return;
    timer = setTimeout(() => {
      root.sent = now;
      setStateValue("look", JSON.parse(now));
    }, SETTLED);
  }

  draw();
  group.members.add(draw);
  return () => {
    group.members.delete(draw);
    clearTimeout(timer);
  };
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".look");
  return mount(root, data, () => show(root, data, setStateValue, setTriggerValue));
}

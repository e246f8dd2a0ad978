// A link with its QR code, and a button that copies it.
import { mount } from "../common.js";

const SAID = 3000; // milliseconds that a confirmation stays
const MODULE = 5; // pixels of a code's module, fewer where the code is large
const WIDEST = 400;

// Whether the text was copied: by the clipboard, which pages without https have none of, or else by the selection.
export async function copied(text, clipboard, select) {
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return select();
  }
}

// Pixels of a code that has so many modules a side: whole ones each, so that a camera sees no ragged edge.
export const sideOf = (modules) => modules * Math.max(2, Math.min(MODULE, Math.floor(WIDEST / modules)));

function show(root, data) {
  const part = (name) => root.querySelector(`.${name}`);
  const [url, said, code] = [part("url"), part("said"), part("code")];
  url.value = data.url;
  code.hidden = !data.code;
  if (data.code) Object.assign(code, { src: data.code, alt: data.alt, width: sideOf(data.modules) });
  part("notes").replaceChildren(
    ...data.notes.filter(Boolean).map((text) => Object.assign(document.createElement("p"), { textContent: text })),
  );
  let timer;
  part("copy").onclick = async () => {
    const select = () => {
      url.select();
      return document.execCommand("copy");
    };
    said.textContent = (await copied(data.url, navigator.clipboard, select)) ? "Copied" : "Select it and copy it by hand.";
    clearTimeout(timer);
    timer = setTimeout(() => {
      said.textContent = "";
    }, SAID);
  };
  return () => clearTimeout(timer);
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".link");
  return mount(root, data, () => show(root, data));
}

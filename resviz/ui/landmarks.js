// What assistive technology needs of the page around us, and the question before a run is lost by closing or loading the tab anew.
const QUIET = 200; // ms
const LONGEST = 6000;
const MISSING = "[data-testid=stSkeleton]"; // its part of the frontend is not there yet, which a busy or far machine may take seconds for
const LOADS = `${MISSING}, .st-key-beside [data-testid=stProgress]`;

// One step on or back: of the stage's slider where it has one, which then has the keyboard, else through its telling settings.
function step(event, turn) {
  const slider = document.querySelector(".st-key-stage input[type=range]");
  if (slider) {
    if (event.target === slider) return;
    slider.focus();
    if (event.key === "ArrowRight") slider.stepUp();
    else slider.stepDown();
    for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind, { bubbles: true }));
    return;
  }
  const settings = [...document.querySelectorAll(".st-key-chips button")];
  if (!settings.length) return;
  turn.at = (turn.at + (event.key === "ArrowRight" ? 1 : settings.length - 1)) % settings.length;
  settings[turn.at].click();
}

function presented() {
  const turn = { at: -1 };
  const onKey = (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") step(event, turn);
    else if (event.key === "Escape") document.querySelector(".st-key-next button")?.click();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

// Resolves once everything has its place: the page is drawn, nothing in its stage is under way, and no height has changed for a while.
// Patience begins with the stage, which a fresh server may take longer than that to come to, and once every part of the frontend is there.
function settled() {
  let began = performance.now();
  let [height, since] = [-1, began];
  return new Promise((done) => {
    const look = () => {
      const now = performance.now();
      const content = document.querySelector(".stMainBlockContainer");
      const busy = !document.querySelector("[data-test-script-state=notRunning]") || content?.querySelector(LOADS);
      if (content?.querySelector(MISSING) || (busy && !content?.querySelector(".st-key-beside"))) began = now;
      if (busy || content.scrollHeight !== height) [height, since] = [content?.scrollHeight ?? -1, now];
      if (now - since > QUIET || now - began > LONGEST) done();
      else setTimeout(look, 30);
    };
    look();
  });
}

function middle(element) {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
}

// The style sheet shows figures and controls once they are settled; what is measured anew takes the place of what stood there in one step.
function enter(scene, loading, measuredAnew) {
  const root = document.documentElement;
  if (root.dataset.scene === scene) return;
  const before = root.dataset.settled;
  root.dataset.scene = scene;
  const placed = () => settled().then(() => root.toggleAttribute("data-loading", loading));
  const conceal = () => {
    delete root.dataset.settled;
    placed().then(() => {
      root.dataset.settled = "yes";
      // where the bar is narrower than its links; before the style sheet is there it is not
      const bar = document.querySelector(".st-key-navigation");
      const link = bar?.querySelector('a[aria-current="page"]');
      if (link) bar.scrollLeft += middle(link) - middle(bar);
    });
  };
  if (!measuredAnew || !before || !document.startViewTransition) return conceal();
  document.startViewTransition(placed).ready.catch(conceal); // the browser's own patience is four seconds
}

const FIELDS = "input:not([disabled]), button:not([disabled]), [tabindex='0']";

// The first stop of the Tab key: past all pages to the controls of this one. It stands outside of what Streamlit keeps in order.
function skip() {
  const way = document.getElementById("skip") ?? document.createElement("button");
  way.id = "skip";
  way.textContent = "Skip to the controls";
  way.style.position = "fixed"; // before the style sheet is there too: it must not move the page
  way.onclick = () => {
    const fields = [...document.querySelectorAll(".st-key-drawer *")].filter((each) => each.matches(FIELDS));
    fields.find((each) => each.checkVisibility())?.focus();
  };
  if (!way.isConnected) document.body.prepend(way);
}

export default function ({ data }) {
  const anew = document.documentElement.dataset.scene === `${data.current} true`;
  enter(`${data.current} ${data.loading}`, data.loading, anew);
  document.documentElement.toggleAttribute("data-present", data.present);
  const still = data.present ? presented() : () => {};
  skip();
  // lists and popovers hang outside of what Streamlit gives its theme to
  const app = document.querySelector(".stApp");
  if (app) document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme;
  document.querySelector("main")?.setAttribute("tabindex", "-1"); // what is in it can be reached, and scrolls it
  const bar = document.querySelector(".st-key-navigation");
  if (bar) {
    bar.setAttribute("role", "navigation");
    bar.setAttribute("aria-label", "Pages");
    for (const link of bar.querySelectorAll("a")) {
      // no stop of the Tab key for where one is, nor for what Home offers too
      link.tabIndex = ["Tour", data.current].includes(link.textContent.trim()) ? -1 : 0;
      if (link.textContent.trim() !== data.current) {
        link.removeAttribute("aria-current");
        continue;
      }
      link.setAttribute("aria-current", "page");
    }
  }
  // the page says itself that an address leads nowhere; Streamlit would lay a dialog over it
  if (!data.current) document.querySelector('[role="dialog"] button[aria-label="Close"]')?.click();
  const ask = (event) => event.preventDefault();
  if (data.unsaved) addEventListener("beforeunload", ask);
  return () => {
    still();
    removeEventListener("beforeunload", ask);
  };
}

// What assistive technology needs of the page around us, and the question before a run is lost by closing or loading the tab anew.
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

export default function ({ data }) {
  document.documentElement.toggleAttribute("data-present", data.present);
  const still = data.present ? presented() : () => {};
  document.querySelector("main")?.setAttribute("tabindex", "-1"); // what is in it can be reached, and scrolls it
  const bar = document.querySelector(".st-key-navigation");
  if (bar) {
    bar.setAttribute("role", "navigation");
    bar.setAttribute("aria-label", "Pages");
    for (const link of bar.querySelectorAll("a")) {
      // a page's controls are ten stops of the Tab key away at most: no stop for where one is, nor for what Home offers too
      link.tabIndex = ["Tour", data.current].includes(link.textContent.trim()) ? -1 : 0;
      if (link.textContent.trim() !== data.current) {
        link.removeAttribute("aria-current");
        continue;
      }
      link.setAttribute("aria-current", "page");
      bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.clientWidth) / 2; // where the bar is narrower than its links
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

// Keeps an open page current without losing place, folds or search; everything it shows is there without it too.
"use strict";

const byId = (id) => document.getElementById(id);
let skew = 0;
let updated = Date.now();
let failing = false;
let timer = 0;
let pressing = false;
let hurried = 0;
const folds = new Map();
const THEMES = { auto: "light", light: "dark", dark: "auto" };
const THEME_NAMES = { auto: "automatic", light: "light", dark: "dark" };

function theme(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

function chosenTheme() {
  try {
    const choice = localStorage.getItem("theme");
    return choice in THEMES ? choice : "auto";
  } catch {
    return "auto"; // storage is switched off
  }
}

theme(chosenTheme()); // before anything is painted

function showTheme() {
  const button = byId("theme");
  const words = `Colours: ${THEME_NAMES[chosenTheme()]}`;
  button.title = words;
  button.setAttribute("aria-label", words);
}

function switchTheme() {
  const choice = THEMES[chosenTheme()];
  try {
    localStorage.setItem("theme", choice);
  } catch {
    // it holds until the next page, then
  }
  theme(choice);
  showTheme();
}

function remember(event) {
  const fold = event.target;
  if (fold.matches?.("summary, summary *")) {
    const details = fold.closest("details");
    folds.set(details.id, !details.open);
  }
}

function restoreFolds() {
  for (const details of document.querySelectorAll("details")) {
    if (folds.has(details.id)) details.open = folds.get(details.id);
  }
}

function localTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    time.title = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

function filter() {
  const box = byId("search");
  if (!box) return;
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of document.querySelectorAll("[data-search]")) {
    const match = words.every((word) => row.dataset.search.includes(word));
    row.hidden = !match;
    shown += match;
  }
  for (const part of document.querySelectorAll("section.wrongs, .groups details")) {
    const some = part.querySelector("[data-search]:not([hidden])");
    part.hidden = words.length > 0 && !some;
    if (words.length > 0 && some && part.tagName === "DETAILS") part.open = true;
  }
  const nothing = byId("nothing");
  if (nothing) nothing.hidden = shown > 0;
}

function searched() {
  const url = new URL(location.href);
  for (const name of ["q", "sort"]) {
    const value = byId(name === "q" ? "search" : "sort").value;
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(null, "", url);
  if (!byId("search").value) closeFound();
  filter();
  clearTimeout(timer); // what was left out of the page may match now
  timer = setTimeout(refresh, 300);
}

function closeFound() {
  for (const details of document.querySelectorAll("details")) {
    details.open = folds.get(details.id) ?? details.hasAttribute("data-open");
  }
}

function noteFolds(root) {
  for (const details of root.querySelectorAll("details[open]")) details.setAttribute("data-open", "");
}

function focusPath() {
  const active = document.activeElement;
  if (!active || !byId("main").contains(active) || active === byId("main")) return null;
  if (active.tagName === "SUMMARY") return `#${CSS.escape(active.parentElement.id)} > summary`;
  return active.getAttribute("href") ? `main a[href="${CSS.escape(active.getAttribute("href"))}"]` : null;
}

function swap(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const main = fresh.getElementById("main");
  if (!main) throw new Error("not the page");
  const focused = focusPath();
  const [x, y] = [scrollX, scrollY];
  noteFolds(main);
  byId("main").replaceWith(document.adoptNode(main));
  document.title = fresh.title;
  if (byId("icon").href !== new URL(main.dataset.icon, location.href).href) byId("icon").href = main.dataset.icon;
  restoreFolds();
  filter();
  localTimes(main);
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
  scrollTo(x, y);
}

function kept() {
  // a form that somebody fills in, and a dialog that is open, are left alone
  if (document.querySelector("dialog[open]")) return true;
  for (const field of document.querySelectorAll("main textarea, main input:not([type=hidden])")) {
    if (field === document.activeElement || field.value !== field.defaultValue) return true;
  }
  return false;
}

function hurry() {
  // something changed: look soon, but once for all that changes together
  clearTimeout(hurried);
  hurried = setTimeout(refresh, 250);
}

// A browser opens six connections to a host, and a stream of events holds one. So the visible tabs of all windows take
// turns: the tab with the lock listens and tells the others. Where there are no locks (plain HTTP to another machine) every
// tab looks at its pace.
const stream = `monitor events ${document.documentElement.dataset.base}`;
let waiting = null;
const SETTLED = 2000; // ms after the load until when the page shows the present state anyway

function listen() {
  if (!window.EventSource || !window.BroadcastChannel || !navigator.locks) return;
  const others = new BroadcastChannel(stream);
  others.addEventListener("message", hurry);
  const lead = () => {
    waiting?.abort();
    waiting = null;
    if (document.hidden) return;
    waiting = new AbortController();
    const { signal } = waiting;
    navigator.locks.request(stream, { signal }, () => follow(others, signal)).catch(() => {}); // hidden meanwhile
  };
  document.addEventListener("visibilitychange", lead);
  lead();
}

function follow(others, signal) {
  // holds the lock until this tab is hidden or gone
  const events = new EventSource(`${document.documentElement.dataset.base}/api/v1/events?events=transition`);
  const pass = () => {
    others.postMessage(null);
    hurry();
  };
  for (const kind of ["transition", "reset", "lost"]) events.addEventListener(kind, pass);
  events.addEventListener("open", () => {
    if (performance.now() > SETTLED) pass(); // no tab listened since the last leader was hidden
  });
  return new Promise((over) => {
    signal.addEventListener("abort", () => {
      events.close();
      over();
    });
  });
}

function move(step) {
  const links = [...document.querySelectorAll("main a.go")].filter((link) => link.offsetParent);
  if (!links.length) return;
  const now = links.indexOf(document.activeElement);
  const next = links[Math.min(Math.max(now + step, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function key(event) {
  const box = byId("search");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && document.activeElement === box) {
    box.value = "";
    searched();
    box.blur();
    return;
  }
  if (event.target.matches?.("input, textarea, select") || document.querySelector("dialog[open]")) return;
  const does = {
    "/": () => box?.focus(),
    j: () => move(1),
    k: () => move(-1),
    o: () => document.activeElement.closest("details")?.querySelector("summary").click(),
    "?": () => byId("keys")?.showModal(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

let asked = 0; // requests for a fresh page so far: only the answer to the last one is shown

async function refresh() {
  clearTimeout(timer);
  const turn = ++asked;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(15000),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const text = await answer.text();
    if (turn !== asked) return; // older than the one that is on its way
    failing = false;
    if (getSelection().isCollapsed && !pressing && !kept()) {
      // a swap would undo what the reader has just selected, or take a link away under a click
      swap(text);
      updated = Date.now();
      setSkew();
    }
  } catch {
    if (turn !== asked) return;
    failing = true;
  }
  tell();
  timer = setTimeout(refresh, Number(byId("main").dataset.refresh) * 1000);
}

function setSkew() {
  skew = Number(byId("main").dataset.now) * 1000 - Date.now();
}

function say(words) {
  const live = byId("live-words");
  if (live.textContent !== words) live.textContent = words;
}

function tell() {
  const old = Math.round((Date.now() - updated) / 1000);
  const limit = Math.max(Number(byId("main").dataset.refresh) * 3, 2);
  const mark = old > limit ? "stale" : failing ? "late" : "live";
  byId("live").className = `live ${mark}`;
  say(mark === "live" ? "live" : mark === "late" ? `updated ${old} s ago` : `stale, updated ${old} s ago`);
  const now = new Date(Date.now() + skew).toISOString();
  byId("clock").dateTime = now;
  byId("clock").textContent = now.slice(11, 19);
}

function begin() {
  noteFolds(document);
  setSkew();
  localTimes(document);
  document.addEventListener("click", remember);
  document.addEventListener("pointerdown", () => (pressing = true));
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => (pressing = false));
  byId("theme").hidden = false;
  byId("theme").addEventListener("click", switchTheme);
  showTheme();
  const box = byId("search");
  if (box) {
    byId("find").hidden = true;
    box.addEventListener("input", searched);
    byId("sort").addEventListener("change", searched);
    box.form.addEventListener("submit", (event) => {
      event.preventDefault();
      searched();
    });
    filter();
  }
  document.addEventListener("keydown", key);
  listen();
  tell();
  setInterval(tell, 1000);
  timer = setTimeout(refresh, Number(byId("main").dataset.refresh) * 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
}

document.addEventListener("DOMContentLoaded", begin);

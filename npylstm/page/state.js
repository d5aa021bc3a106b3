// What is chosen on the page, and the link that says so: #t=12&layer=lstm&unit=3&sample=0

import { ELEMENTS } from "./dom.js";

const WAIT = 150; // ms; browsers refuse a page that rewrites its address all the time

/** Keep what is chosen within what there is, tell listeners, and write it into the address. */
export function makeState(trace) {
  const first = { layer: 0, sample: 0, t: 0, unit: 0, feature: 0, view: "values", element: "c" };
  let now = fit(trace, first, {});
  const listeners = [];
  let timer = 0;
  let known = location.hash;

  function set(changes) {
    const before = now;
    now = fit(trace, now, changes);
    const changed = new Set(Object.keys(now).filter((key) => now[key] !== before[key]));
    if (!changed.size) return;
    for (const listener of listeners) listener(now, changed);
    clearTimeout(timer);
    timer = setTimeout(write, WAIT);
  }

  function write() {
    if (location.protocol === "about:") return; // inside a notebook there is no address to share
    if (location.hash !== known) return; // a new link is there, and is read next
    const link = new URLSearchParams({
      t: now.t,
      layer: trace.lstms[now.layer].path,
      unit: now.unit,
      sample: trace.samples[now.sample],
    });
    if (now.feature) link.set("feature", now.feature);
    if (now.view !== "values") link.set("view", now.view);
    link.set("element", now.element);
    history.replaceState(history.state, "", `#${link}`);
    known = location.hash;
  }

  function read() {
    clearTimeout(timer); // what was about to be written is out of date
    known = location.hash;
    set(parse(trace, location.hash));
  }

  return {
    get: () => now,
    set,
    read,
    onChange: (listener) => listeners.push(listener),
  };
}

/** Read a link; what makes no sense in it is not there. */
function parse(trace, hash) {
  const link = new URLSearchParams(hash.slice(1));
  const changes = {};
  for (const key of ["t", "unit", "feature"]) {
    if (/^\d{1,9}$/.test(link.get(key))) changes[key] = Number(link.get(key));
  }
  const layer = trace.lstms.findIndex((lstm) => lstm.path === link.get("layer"));
  if (layer >= 0) changes.layer = layer;
  const sample = trace.samples.findIndex((index) => String(index) === link.get("sample"));
  if (sample >= 0) changes.sample = sample;
  if (link.has("view")) changes.view = link.get("view");
  else if (link.has("t")) changes.view = "values";
  changes.element = link.get("element");
  return changes;
}

/** Apply changes, each within its range. */
function fit(trace, now, changes) {
  const next = { ...now, ...changes };
  next.layer = between(next.layer, trace.lstms.length);
  next.sample = between(next.sample, trace.samples.length);
  const lstm = trace.lstms[next.layer];
  next.t = between(next.t, lstm.steps);
  next.unit = between(next.unit, lstm.units);
  next.feature = between(next.feature, lstm.features);
  if (next.view !== "gradients" || !trace.hasGradients) next.view = "values";
  if (!ELEMENTS.includes(next.element)) next.element = now.element;
  return next;
}

function between(value, count) {
  return Math.min(Math.max(Math.trunc(value) || 0, 0), count - 1);
}

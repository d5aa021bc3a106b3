// All steps at once: a heatmap for each array, entry by step, with a cursor at the chosen step.

import { paint } from "./colour.js";
import { el, exact, short, spoken, symbol, word } from "./dom.js";
import { drawLines } from "./lines.js";
import { tipOnHover } from "./tooltip.js";

const ROWS = ["x", "i", "f", "g", "o", "c", "h"];
const LINES = [
  ["i", "f", "o"],
  ["g", "c", "h"],
];
const HEIGHT = { least: 22, most: 112, entry: 7 }; // px
const DECADES = 8;

/** Build the rows into a container and keep them up to date. */
export function makeTimeline(container, trace, state) {
  const cursor = el("div", { class: "cursor", "aria-hidden": "true" });
  const rows = ROWS.map((element) => makeRow(element, trace, state));
  const axis = el("div", { class: "axis" });
  const plots = LINES.map((elements) => makePlot(elements, trace, state));
  const logarithmic = el("input", { type: "checkbox", id: "logarithmic" });
  const choice = el(
    "label",
    { class: "choice" },
    logarithmic,
    " logarithmic colours, down to 10⁻⁸ of the largest",
  );
  logarithmic.addEventListener("change", draw);
  const grid = el(
    "div",
    { class: "grid" },
    ...rows.map((row) => row.node),
    ...plots.map((plot) => plot.node),
  );
  container.append(choice, grid, axis);
  grid.append(cursor);

  function draw() {
    const now = state.get();
    choice.hidden = now.view !== "gradients";
    for (const row of rows) row.draw(now, logarithmic.checked && !choice.hidden);
    for (const plot of plots) plot.draw(now);
    drawAxis(axis, trace.lstms[now.layer]);
    step(now);
  }
  function step(now) {
    const { steps } = trace.lstms[now.layer];
    grid.style.setProperty("--from", now.t / steps);
    grid.style.setProperty("--share", 1 / steps);
    for (const row of rows) row.step(now);
    for (const plot of plots) plot.step(now);
  }
  let width = 0;
  new ResizeObserver(() => {
    if (width === container.clientWidth) return;
    width = container.clientWidth;
    for (const plot of plots) plot.draw(state.get());
  }).observe(container);
  return {
    draw,
    step(now, changed) {
      if (["layer", "sample", "view"].some((key) => changed.has(key))) draw();
      else {
        if (changed.has("unit")) for (const plot of plots) plot.draw(now);
        step(now);
      }
    },
  };
}

/** Which step and entry of a matrix lie under the pointer. */
function under(event, node, steps, entries) {
  const box = node.getBoundingClientRect();
  const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
  return {
    t: place((event.clientX - box.left) / box.width, steps),
    entry: place((event.clientY - box.top) / box.height, entries),
  };
}

function makeRow(element, trace, state) {
  const key = element === "x" ? "feature" : "unit";
  const canvas = el("canvas", { role: "img" });
  const frame = el(
    "div",
    { class: "heat" },
    canvas,
    el("div", { class: "mark", "aria-hidden": "true" }),
  );
  const name = el("button", { type: "button", class: "row-name" });
  const number = el("span", { class: "number" });
  const node = el("div", { class: "row", "data-row": element }, name, frame);
  const array = (now) => (now.view === "gradients" ? `d${element}` : element);

  name.addEventListener("click", () => state.set({ element }));
  frame.addEventListener("click", (event) => {
    const lstm = trace.lstms[state.get().layer];
    const { t, entry } = under(event, canvas, lstm.steps, lstm.size(element));
    state.set({ t, [key]: entry, element });
  });
  tipOnHover(frame, (event) => {
    const now = state.get();
    const lstm = trace.lstms[now.layer];
    const { t, entry } = under(event, canvas, lstm.steps, lstm.size(element));
    const value = lstm.value(array(now), now.sample, t, entry);
    const place = `step ${t}, ${key} ${entry}`;
    return `${spoken(array(now), lstm.activation)}, ${place} = ${exact(value, lstm.single)}`;
  });

  function draw(now, logarithms) {
    const lstm = trace.lstms[now.layer];
    const [rows, columns] = [lstm.size(element), lstm.steps];
    const part = lstm.array(array(now)).values;
    const start = now.sample * rows * columns;
    const scale = lstm.scale(array(now), now.sample);
    const shown = logarithms ? (value) => decades(value, scale) * scale : (value) => value;
    paint(canvas, rows, columns, (row, t) => shown(part[start + t * rows + row]), scale);
    const height = Math.min(Math.max(rows * HEIGHT.entry, HEIGHT.least), HEIGHT.most);
    frame.style.setProperty("height", `${height}px`);
    frame.style.setProperty("--entries", rows);
    shadeMasked(frame, lstm, now.sample);
    name.replaceChildren(
      el(
        "span",
        { class: "line-one" },
        symbol(array(now), lstm.activation),
        el("span", { class: "word" }, word(element)),
      ),
      el(
        "span",
        { class: "line-two" },
        number,
        el("span", { class: "range" }, `±${short(scale, 2)}`),
      ),
    );
    const bounds = extremes(part.subarray(start, start + rows * columns));
    node.dataset.about = `${word(element, now.view === "gradients")}: ${rows} by ${columns} steps, from ${bounds}`;
  }
  function step(now) {
    const lstm = trace.lstms[now.layer];
    const entry = now[key];
    const value = lstm.value(array(now), now.sample, now.t, entry);
    number.textContent = short(value);
    number.dataset.exact = exact(value, lstm.single);
    frame.style.setProperty("--entry", entry);
    name.setAttribute("aria-pressed", now.element === element);
    const here = `at step ${now.t}, ${key} ${entry}: ${short(value)}`;
    canvas.setAttribute("aria-label", `${node.dataset.about}; ${here}`);
  }
  return { node, draw, step };
}

/** A number's size on a scale of powers of ten: 1 for the largest, 0 for what is far below. */
function decades(value, scale) {
  if (value === 0 || Number.isNaN(value)) return value;
  return Math.sign(value) * Math.max(0.02, 1 + Math.log10(Math.abs(value) / scale) / DECADES);
}

function extremes(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return `${short(low)} to ${short(high)}`;
}

/** Hatch the steps that were passed over, a run of them at a time. */
function shadeMasked(frame, lstm, sample) {
  for (const old of frame.querySelectorAll(".masked")) old.remove();
  let start = null;
  for (let t = 0; t <= lstm.steps; t++) {
    const passed = t < lstm.steps && !lstm.counts(sample, t);
    if (passed && start === null) start = t;
    if (!passed && start !== null) {
      const veil = el("div", { class: "masked", "aria-hidden": "true" });
      veil.style.setProperty("left", `${(100 * start) / lstm.steps}%`);
      veil.style.setProperty("width", `${(100 * (t - start)) / lstm.steps}%`);
      frame.append(veil);
      start = null;
    }
  }
}

function makePlot(elements, trace, state) {
  const place = el("div", { class: "plot" });
  const names = el("div", { class: "row-name plain" });
  const node = el("div", { class: "row", "data-plot": elements.join("") }, names, place);
  const arrays = (now) => elements.map((name) => (now.view === "gradients" ? `d${name}` : name));
  place.addEventListener("click", (event) => {
    const { steps } = trace.lstms[state.get().layer];
    state.set({ t: under(event, place, steps, 1).t });
  });
  tipOnHover(place, (event) => {
    const now = state.get();
    const lstm = trace.lstms[now.layer];
    const { t } = under(event, place, lstm.steps, 1);
    const values = arrays(now).map((name) => {
      return `${spoken(name)} ${short(lstm.value(name, now.sample, t, now.unit))}`;
    });
    return `step ${t}: ${values.join(", ")}`;
  });
  function draw(now) {
    const lstm = trace.lstms[now.layer];
    const series = arrays(now).map((name) => {
      return Array.from({ length: lstm.steps }, (_, t) =>
        lstm.value(name, now.sample, t, now.unit),
      );
    });
    const keys = elements.map((_, k) => {
      const line = el("span", { class: `key line-${k}` });
      return el("span", { class: "entry" }, line, symbol(arrays(now)[k], lstm.activation));
    });
    names.replaceChildren(
      el("span", { class: "word" }, `unit ${now.unit}`),
      el("span", { class: "keys" }, ...keys),
    );
    const whole = now.view === "values" && elements[0] === "i" && lstm.gatesAreShares;
    const label = `${arrays(now)
      .map((name) => spoken(name))
      .join(", ")} of unit ${now.unit} over ${lstm.steps} steps`;
    drawLines(place, series, whole ? [0, 1] : null, label);
  }
  return { node, draw, step: () => {} };
}

function drawAxis(axis, lstm) {
  const last = lstm.steps - 1;
  const ticks = [
    ...new Set([0, Math.round(last / 4), Math.round(last / 2), Math.round((3 * last) / 4), last]),
  ];
  const labels = ticks.map((t) => {
    const label = el("span", {}, String(t));
    label.style.setProperty("left", `${(100 * (t + 0.5)) / lstm.steps}%`);
    return label;
  });
  const text = lstm.reverse
    ? `step; this layer reads from the end: step 0 reads timestep ${lstm.timestep(0)}`
    : "step";
  axis.replaceChildren(el("div", { class: "ticks" }, ...labels), el("p", {}, text));
}

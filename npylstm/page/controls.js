// The bar with the slider, the choices, and the keys.

import { byId, el } from "./dom.js";
import { hideTip } from "./tooltip.js";

const TEMPO = 4; // steps a second

/** Wire up the bar. */
export function makeControls(trace, state) {
  const slider = byId("step");
  const unit = byId("unit");
  const feature = byId("feature");
  const sample = byId("sample");
  const layer = byId("layer");
  const play = byId("play");
  const views = document.querySelectorAll("input[name=view]");
  sample.append(...trace.samples.map((index, k) => el("option", { value: k }, String(index))));
  layer.append(...trace.lstms.map((lstm, k) => el("option", { value: k }, lstm.path)));
  if (!trace.hasGradients) byId("views").hidden = true;

  slider.addEventListener("input", () => state.set({ t: Number(slider.value) }));
  sample.addEventListener("change", () => state.set({ sample: Number(sample.value) }));
  layer.addEventListener("change", () => state.set({ layer: Number(layer.value) }));
  for (const [input, key] of [
    [unit, "unit"],
    [feature, "feature"],
  ]) {
    input.addEventListener("input", () => {
      if (input.value !== "" && input.valueAsNumber >= 0) state.set({ [key]: input.valueAsNumber });
    });
    input.addEventListener("change", () => {
      input.value = state.get()[key]; // what was out of range is put right
    });
  }
  for (const view of views) view.addEventListener("change", () => state.set({ view: view.value }));
  const move = (steps) => state.set({ t: state.get().t + steps });
  byId("back").addEventListener("click", () => move(-1));
  byId("forth").addEventListener("click", () => move(1));

  // Values run to the right, gradients to the left, each from where it starts.
  let timer = 0;
  const ends = () => {
    const now = state.get();
    const last = trace.lstms[now.layer].steps - 1;
    return now.view === "gradients" ? { from: last, to: 0, by: -1 } : { from: 0, to: last, by: 1 };
  };
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
    byId("sentence").setAttribute("aria-live", "polite");
  }
  function toggle() {
    if (timer) return stop();
    const { from, to } = ends();
    if (state.get().t === to) state.set({ t: from });
    byId("sentence").setAttribute("aria-live", "off"); // too fast to be read aloud
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => {
      move(ends().by);
      if (state.get().t === ends().to) stop();
    }, 1000 / TEMPO);
  }
  play.addEventListener("click", toggle);

  const keys = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    ArrowUp: () => state.set(entry(-1)),
    ArrowDown: () => state.set(entry(1)),
    Home: () => state.set({ t: 0 }),
    End: () => state.set({ t: trace.lstms[state.get().layer].steps - 1 }),
    " ": toggle,
  };
  const entry = (by) => {
    const now = state.get();
    return now.element === "x" ? { feature: now.feature + by } : { unit: now.unit + by };
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const on = document.activeElement ?? document.body;
    if (on.matches("input, select, textarea")) return; // they have keys of their own
    if (event.key === " " && on.matches("button, summary, a")) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  function update(now) {
    const lstm = trace.lstms[now.layer];
    slider.max = lstm.steps - 1;
    slider.value = now.t;
    slider.setAttribute("aria-valuetext", `step ${now.t} of 0 to ${lstm.steps - 1}`);
    for (const control of [slider, play, byId("back"), byId("forth")])
      control.disabled = lstm.steps === 1;
    byId("step-number").textContent = now.t;
    byId("step-read").textContent = lstm.reverse ? `reads timestep ${lstm.timestep(now.t)}` : "";
    unit.max = lstm.units - 1;
    feature.max = lstm.features - 1;
    if (document.activeElement !== unit || Number(unit.value) !== now.unit) unit.value = now.unit;
    if (document.activeElement !== feature || Number(feature.value) !== now.feature)
      feature.value = now.feature;
    byId("feature-label").hidden = lstm.features === 1;
    sample.value = now.sample;
    layer.value = now.layer;
    for (const view of views) view.checked = view.value === now.view;
    drawPassed(byId("passed"), lstm, now.sample);
  }
  return { update };
}

/** Mark under the slider the steps that are passed over. */
function drawPassed(canvas, lstm, sample) {
  canvas.hidden = !lstm.has("mask");
  if (canvas.hidden) return;
  canvas.width = lstm.steps;
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(canvas).color;
  for (let t = 0; t < lstm.steps; t++) if (!lstm.counts(sample, t)) context.fillRect(t, 0, 1, 4);
}

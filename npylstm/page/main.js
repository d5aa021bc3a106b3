// Puts the page together: reads the trace, builds every part, and tells them what is chosen.

import { makeCell } from "./cell.js";
import { onTheme } from "./colour.js";
import { makeControls } from "./controls.js";
import { readTrace } from "./data.js";
import { byId, counted, el, exact, short, symbol, word } from "./dom.js";
import { forward } from "./equations.js";
import { backward } from "./gradients.js";
import { makeAnswer, makeRoute } from "./model.js";
import { makeState } from "./state.js";
import { makeTimeline } from "./timeline.js";
import { sentence } from "./words.js";

function start() {
  const trace = readTrace();
  document.title = trace.title;
  byId("title").textContent = trace.title;
  byId("facts").textContent = facts(trace);
  byId("made").textContent = `Made by npylstm ${trace.version}. Nothing on this page leaves it.`;
  byId("left-out").textContent = trace.leftOut.join(" ");
  help(byId("help"), trace);
  if (!trace.lstms.length) return withoutGates(trace);

  const state = makeState(trace);
  const route = makeRoute(byId("route"), trace, state);
  const controls = makeControls(trace, state);
  const cell = makeCell(byId("diagram"), trace, state);
  const timeline = makeTimeline(byId("timeline"), trace, state);
  const answer = makeAnswer(byId("answer"), trace);

  function around(now) {
    const lstm = trace.lstms[now.layer];
    route.update(now);
    controls.update(now);
    answer.update(now);
    equation(byId("equation"), lstm, now);
    byId("sentence").textContent = sentence(lstm, now);
    byId("cell-title").textContent =
      now.view === "gradients" ? `The gradients in ${lstm.path}` : `The cell of ${lstm.path}`;
    document.body.dataset.view = now.view;
  }
  state.onChange((now, changed) => {
    around(now);
    cell.step(now, changed);
    timeline.step(now, changed);
  });
  onTheme(() => {
    cell.draw();
    timeline.draw();
  });
  around(state.get());
  timeline.draw();
  state.read();
  addEventListener("hashchange", state.read);
}

function facts(trace) {
  const shown = trace.samples.length;
  const samples =
    shown === trace.of ? counted(trace.of, "sample") : `${shown} of ${trace.of} samples`;
  const parts = [`model “${trace.model}”`, samples, trace.dtype];
  parts.push(trace.hasGradients ? "values and gradients" : "values");
  return parts.join(" · ");
}

function equation(panel, lstm, now) {
  const gradients = now.view === "gradients";
  const array = gradients ? `d${now.element}` : now.element;
  const entry = now.element === "x" ? now.feature : now.unit;
  const amount = lstm.value(array, now.sample, now.t, entry);
  const head = el(
    "h3",
    {},
    symbol(array, lstm.activation),
    el("span", { class: "word" }, ` ${word(now.element, gradients)}`),
  );
  const place = `${now.element === "x" ? "feature" : "unit"} ${entry} at step ${now.t}`;
  const digits = el(
    "p",
    { class: "exact" },
    `${place}, all digits: `,
    el("span", { class: "number" }, exact(amount, lstm.single)),
  );
  const nodes = gradients ? backward(lstm, now) : forward(lstm, now);
  panel.replaceChildren(head, ...nodes, digits);
  panel.dataset.value = short(amount);
}

function withoutGates(trace) {
  for (const node of document.querySelectorAll(
    ".bar, .choices, #sentence, #cell, .equation, .steps, .skip",
  ))
    node.remove();
  makeRoute(byId("route"), trace, null);
  makeAnswer(byId("answer"), trace).update({ sample: 0, t: 0, layer: 0 });
  byId("facts").textContent += " · there is no LSTM in it";
}

function help(place, trace) {
  const lines = [
    "An LSTM reads a sequence step by step. The diagram is one step: the cell state c runs along the top, is multiplied by the forget gate f, and gets input gate i times candidate g added; the output gate o decides what of it is shown as h.",
    "Each strip is a vector, a cell for each unit: blue is above zero, orange below, and zero has the colour of the paper. A small notch marks the chosen unit, whose number stands beside the name. Choose a strip to see its equation.",
    "Keys: left and right arrows step through time, Home and End go to its ends, up and down choose a unit, the space bar plays.",
    "The address of this page names what is shown; copy it to share a step.",
  ];
  if (trace.hasGradients) {
    lines.splice(
      2,
      0,
      "With gradients, every number says how much the loss would change with that place: they flow from right to left.",
    );
  }
  place.append(...lines.map((text) => el("p", {}, text)));
}

start();

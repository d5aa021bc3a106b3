// What lies around the LSTM: the way through the model's layers, and what comes out at its end.

import { unpack } from "./data.js";
import { counted, el, exact, short } from "./dom.js";

const BARS = 12; // so many entries of an output are drawn, the largest ones

function shape(sizes) {
  return `(${["B", ...sizes].join(", ")})`;
}

/** Draw the layers as a strip; those with gates can be chosen. */
export function makeRoute(list, trace, state) {
  const steps = trace.layers.map((layer) => {
    const lstm = layer.lstm;
    const content = [
      el("span", { class: "path" }, layer.path),
      el("span", { class: "kind" }, layer.kind),
      el("span", { class: "shape" }, shape(layer.out)),
    ];
    const inside =
      lstm === null
        ? el("div", { class: "stop" }, ...content)
        : el("button", { type: "button", class: "stop" }, ...content);
    if (lstm !== null) {
      inside.addEventListener("click", () => state.set({ layer: lstm }));
      inside.dataset.lstm = lstm;
    }
    return el("li", { class: layer.inner ? "inner" : null }, inside);
  });
  const end = (name, sizes, more) =>
    el(
      "li",
      {},
      el(
        "div",
        { class: "stop end" },
        el("span", { class: "path" }, name),
        ...more,
        el("span", { class: "shape" }, shape(sizes)),
      ),
    );
  const outputs = trace.outputs.map((output) => end("output", output.shape.slice(1), []));
  list.append(end("input", trace.input, []), ...steps, ...outputs);
  if (trace.loss !== null) {
    const loss = unpack(trace.loss).values[0];
    list.append(
      el(
        "li",
        {},
        el(
          "div",
          { class: "stop end" },
          el("span", { class: "path" }, "loss"),
          el("span", { class: "number", title: exact(loss, false) }, short(loss)),
        ),
      ),
    );
  }
  return {
    update(now) {
      for (const button of list.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", Number(button.dataset.lstm) === now.layer);
      }
    },
  };
}

/** Draw the outputs of the chosen sample as bars, with the targets where there are some. */
export function makeAnswer(container, trace) {
  const outputs = trace.outputs.map(unpack);
  const targets = trace.targets ? unpack(trace.targets) : null;
  return {
    update(now) {
      const t = trace.lstms.length ? trace.lstms[now.layer].timestep(now.t) : 0;
      const blocks = outputs.map((output, k) => {
        const [vector, step] = slice(output, now.sample, t);
        const target = k === 0 && targets ? goal(targets, output, now.sample, step) : null;
        return answer(vector, target, step, output.single);
      });
      container.replaceChildren(...blocks);
    },
  };
}

/** A sample's vector; of a sequence, that of a timestep, which is given back with it. */
function slice({ values, shape: sizes }, sample, t) {
  const rest = sizes.slice(1);
  const whole = rest.reduce((a, b) => a * b, 1);
  const part = values.subarray(sample * whole, (sample + 1) * whole);
  if (rest.length < 2) return [part, null];
  const step = Math.min(t, rest[0] - 1);
  const size = whole / rest[0];
  return [part.subarray(step * size, (step + 1) * size), step];
}

/** The targets beside a vector: a number each, or the class that would have been right. */
function goal(targets, output, sample, step) {
  const size = output.shape.at(-1);
  const samples = targets.shape[0];
  const each = targets.values.length / samples;
  const part = targets.values.subarray(sample * each, (sample + 1) * each);
  const steps = step === null ? 1 : output.shape[1];
  if (each === steps * size && output.shape.length > 1) {
    return { vector: part.subarray((step ?? 0) * size, ((step ?? 0) + 1) * size) };
  }
  if (each === steps) return { right: part[step ?? 0] };
  return null;
}

function answer(vector, target, step, single) {
  const sum = vector.reduce((total, value) => total + value, 0);
  const shares =
    vector.length > 1 && vector.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  const order = Array.from(vector.keys());
  if (vector.length > BARS) order.sort((a, b) => Math.abs(vector[b]) - Math.abs(vector[a]));
  const shown = order.slice(0, BARS);
  if (
    target?.right !== undefined &&
    vector.length > 1 &&
    !shown.includes(target.right) &&
    target.right in vector
  ) {
    shown.push(target.right);
  }
  let full = shares ? 1 : 0;
  if (!shares)
    for (const k of shown)
      full = Math.max(full, Math.abs(vector[k]), Math.abs(target?.vector?.[k] ?? 0));
  const rows = shown.map((k) => bar(k, vector[k], full || 1, aim(target, vector, k), single));
  const when = step === null ? "" : ` at timestep ${step}`;
  const few = vector.length > BARS ? `; the ${BARS} largest of ${vector.length}` : "";
  const caption = `${shares ? "Probabilities" : counted(vector.length, "value")}${when}${few}`;
  return el("table", { class: "outputs" }, el("caption", {}, caption), el("tbody", {}, ...rows));
}

function aim(target, vector, k) {
  if (!target) return null;
  if (target.vector) return target.vector[k];
  return vector.length === 1 ? target.right : Number(target.right === k);
}

function bar(k, value, full, target, single) {
  const drawn = el("span", { class: value < 0 ? "bar minus" : "bar plus" });
  drawn.style.setProperty("--size", Math.min(Math.abs(value) / full, 1));
  const track = el("span", { class: "track" }, drawn);
  if (target !== null) {
    const aimed = el("span", { class: "aim" });
    aimed.style.setProperty("--size", Math.max(-1, Math.min(target / full, 1)));
    track.append(aimed);
  }
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, `[${k}]`),
    el("td", { class: "bar-cell", "aria-hidden": "true" }, track),
    el(
      "td",
      {},
      el("span", { class: "number", "data-output": k, title: exact(value, single) }, short(value)),
    ),
    el("td", { class: "target" }, target === null ? "" : `target ${short(target)}`),
  );
}

// The diagram of the cell: c along the top, four gates below, h out at the right.  Every vector is
// a button with its colours as a strip; the wires and operations behind them are one SVG drawing.

import { colour, css } from "./colour.js";
import { largest } from "./data.js";
import { ELEMENTS, el, exact, short, spoken, svg, symbol, tight, word } from "./dom.js";
import { hideTip, showTip, tipOnFocus } from "./tooltip.js";

const NARROW = 560; // px; below this the six columns hold a number each and no words
const OPERATION = 11; // px, the radius of × and +
const SHORTER = {
  ...{ z_i: "sum", z_f: "sum", z_g: "sum", z_o: "sum" },
  ...{ h_prev: "before", c_prev: "before", tanh_c: "" },
};
const ORDER = ["f", "i", "g", "o"]; // from left to right, as the cell is usually drawn

/** Draw the cell into a container and keep it up to date. */
export function makeCell(container, trace, state) {
  const drawing = svg("svg", { class: "wires", "aria-hidden": "true" });
  const caption = el("p", { class: "legend", "aria-hidden": "true" });
  const nodes = new Map();
  container.append(drawing);
  for (const element of inReadingOrder()) {
    const node = makeNode(element, trace, state);
    nodes.set(element, node);
    container.append(node.button);
  }
  container.append(caption);

  let width = 0;
  function layOut() {
    if (container.clientWidth === width) return;
    width = container.clientWidth;
    draw();
  }
  function draw() {
    width ||= container.clientWidth;
    const now = state.get();
    const plan = geometry(width);
    container.style.setProperty("height", `${plan.height}px`);
    container.classList.toggle("narrow", plan.narrow);
    for (const [element, { button }] of nodes) {
      const [x, y] = plan.places[element];
      button.style.setProperty("left", `${x - plan.wide / 2}px`);
      button.style.setProperty("top", `${y - plan.high / 2}px`);
      button.style.setProperty("width", `${plan.wide}px`);
      button.style.setProperty("height", `${plan.high}px`);
    }
    caption.style.setProperty("left", `${plan.legend.x}px`);
    caption.style.setProperty("top", `${plan.legend.y}px`);
    wires(drawing, plan, trace.lstms[now.layer], now, state);
    legend(caption, now);
    for (const node of nodes.values()) node.fit();
    for (const node of nodes.values()) node.update(now, plan.narrow);
  }
  draw();
  new ResizeObserver(layOut).observe(container);
  return {
    draw,
    step(now, changed) {
      if (changed.has("layer") || changed.has("view")) draw();
      else {
        container.classList.toggle("passed", !trace.lstms[now.layer].counts(now.sample, now.t));
        for (const node of nodes.values()) node.update(now, container.classList.contains("narrow"));
        if (changed.has("t")) pulse(drawing);
      }
    },
  };
}

/** The order of the Tab key: what comes in, the sums, the gates, what comes out. */
function inReadingOrder() {
  const gates = ORDER.flatMap((gate) => [`z_${gate}`, gate]);
  const order = ["x", "h_prev", "c_prev", ...gates, "c", "tanh_c", "h"];
  return order.filter((element) => ELEMENTS.includes(element));
}

function makeNode(element, trace, state) {
  const number = el("span", { class: "number" });
  const name = el("span", { class: "name" });
  const strip = el("canvas", { class: "strip" });
  const label = el("span", { class: "word" }, SHORTER[element] ?? word(element));
  const button = el("button", { type: "button", class: "node", "data-element": element });
  button.append(el("span", { class: "head" }, name, label), number, strip);

  let pen = null; // set by fit, whenever the place or the theme changes
  const about = (now) => {
    const lstm = trace.lstms[now.layer];
    const gradients = now.view === "gradients";
    const array = gradients ? `d${element}` : element;
    const entry = element === "x" ? now.feature : now.unit;
    return { lstm, gradients, array, entry, row: lstm.row(array, now.sample, now.t) };
  };
  const say = (now, entry) => {
    const { lstm, array, row } = about(now);
    const place = element === "x" ? "feature" : "unit";
    return `${spoken(array, lstm.activation)}, ${place} ${entry} = ${exact(row[entry], lstm.single)}`;
  };
  const under = (event) => {
    const box = strip.getBoundingClientRect();
    const { row } = about(state.get());
    const place = Math.floor(((event.clientX - box.left) / box.width) * row.length);
    return Math.min(Math.max(place, 0), row.length - 1);
  };

  button.addEventListener("click", (event) => {
    const changes = { element };
    if (event.target === strip) changes[element === "x" ? "feature" : "unit"] = under(event);
    state.set(changes);
  });
  button.addEventListener("pointermove", (event) => {
    const now = state.get();
    const entry = event.target === strip ? under(event) : about(now).entry;
    showTip(say(now, entry), event.clientX, event.clientY);
  });
  button.addEventListener("pointerleave", hideTip);
  const refresh = tipOnFocus(button, () => say(state.get(), about(state.get()).entry));

  function update(now, narrow) {
    const { lstm, gradients, array, entry, row } = about(now);
    const selected = now.element === element;
    const what = word(element, gradients);
    name.replaceChildren(symbol(array, lstm.activation));
    number.textContent = narrow ? tight(row[entry]) : short(row[entry]);
    number.dataset.exact = exact(row[entry], lstm.single);
    const place = element === "x" ? `feature ${entry}` : `unit ${entry}`;
    button.setAttribute("aria-label", `${what}, ${place}: ${short(row[entry])}`);
    button.setAttribute("aria-pressed", selected);
    // Gradients fade along a sequence: what a step has is seen only beside its own largest.
    const scale = gradients ? largest(row) : lstm.scale(array, now.sample);
    paintStrip(strip, row, scale, entry, pen);
    if (document.activeElement === button) refresh();
  }
  function fit() {
    pen = measure(strip);
  }
  return { button, update, fit };
}

/** Fit a canvas to its place, sharp on every screen; return its ink, the colour of the notch. */
function measure(canvas) {
  const sharp = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * sharp));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * sharp));
  return { sharp, ink: getComputedStyle(canvas).color };
}

/** Paint a vector as cells side by side; a notch marks the chosen one. */
function paintStrip(canvas, row, scale, chosen, { sharp, ink }) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  const notch = Math.round(5 * sharp);
  const cell = width / row.length;
  const gap = cell > 6 * sharp ? sharp : 0;
  for (let k = 0; k < row.length; k++) {
    context.fillStyle = css(row[k], scale);
    const left = gap ? Math.round(k * cell) : k * cell;
    context.fillRect(left, 0, Math.max(cell - gap, 0.5), height - notch);
  }
  const middle = (chosen + 0.5) * cell;
  context.fillStyle = ink;
  context.beginPath();
  context.moveTo(middle, height - notch);
  context.lineTo(middle - notch * 0.8, height);
  context.lineTo(middle + notch * 0.8, height);
  context.fill();
}

/** Where everything stands in a container of this width. */
function geometry(width) {
  const narrow = width < NARROW;
  const gap = narrow ? 3 : 14;
  const wide = Math.min((width - 5 * gap) / 6, 128);
  const high = narrow ? 60 : 66;
  const across = (column) => wide / 2 + (column * (width - wide)) / 5;
  const [left, right] = [across(0), across(5)];
  const top = high / 2 + 14;
  const shown = top + high + 46;
  const gates = shown + high / 2 + 62;
  const sums = gates + high + 42;
  const bus = sums + high / 2 + 34;
  const input = bus + high + 20;
  const places = { c_prev: [left, top], c: [right, top], tanh_c: [right, shown] };
  ORDER.forEach((gate, k) => {
    places[gate] = [across(k + 1), gates];
    places[`z_${gate}`] = [across(k + 1), sums];
  });
  places.h_prev = [left, bus];
  places.h = [right, bus];
  places.x = [across(1), input];
  return {
    ...{ narrow, width, wide, high, places, top, shown, gates, sums, bus, input, across },
    ...{ height: input + high / 2 + 4, add: (top + shown) / 2 + 8 },
    legend: { x: across(2) - wide / 2, y: input - high / 2 + 8 },
  };
}

/** Draw the wires, with arrows along the numbers, or against them for gradients. */
function wires(drawing, plan, lstm, now, state) {
  const { width, height, wide, high, top, shown, gates, sums, bus, input, across, add } = plan;
  const [f, i, g, o] = [1, 2, 3, 4].map(across);
  const [left, right, between] = [across(0), across(5), (i + g) / 2];
  const half = wide / 2;
  const tall = high / 2;
  const r = OPERATION;
  const round = 8;
  const backwards = now.view === "gradients";
  const line = (d) => svg("path", { d, class: "wire" });
  const lines = [
    line(`M${left + half} ${top}H${f - r}`),
    line(`M${f + r} ${top}H${between - r}`),
    line(`M${between + r} ${top}H${right - half}`),
    line(`M${f} ${gates - tall}V${top + r}`),
    line(
      `M${i} ${gates - tall}V${add + round}Q${i} ${add} ${Math.min(i + round, between - r)} ${add}H${between - r}`,
    ),
    line(
      `M${g} ${gates - tall}V${add + round}Q${g} ${add} ${Math.max(g - round, between + r)} ${add}H${between + r}`,
    ),
    line(`M${between} ${add - r}V${top + r}`),
    line(`M${right} ${top + tall}V${shown - tall}`),
    line(`M${right} ${shown + tall}V${gates - r}`),
    line(`M${o + half} ${gates}H${right - r}`),
    line(`M${right} ${gates + r}V${bus - tall}`),
    line(`M${f} ${input - tall}V${bus}`),
  ];
  for (const x of [f, i, g, o]) lines.push(line(`M${x} ${sums - tall}V${gates + tall}`));
  const bend = (x) => `Q${x} ${bus} ${x} ${bus - round}V${sums + tall}`;
  for (const x of [f, i, g, o]) lines.push(line(`M${left + half} ${bus}H${x - round}${bend(x)}`));
  lines.push(line(`M${right} ${bus + tall}V${height - 4}`));

  const badge = (x, y, text) => {
    const size = Math.min(Math.max(26, text.length * 7 + 10), wide + 4);
    const drawn = svg("g", { class: "badge" });
    drawn.append(
      svg("rect", { x: x - size / 2, y: y - 9, width: size, height: 18, rx: 9 }),
      svg("text", { x, y: y + 4, "text-anchor": "middle" }, fitted(text, size)),
    );
    return drawn;
  };
  const operation = (x, y, sign, element) => {
    const drawn = svg("g", { class: "operation" });
    drawn.append(
      svg("circle", { cx: x, cy: y, r }),
      svg("text", { x, y: y + 5.5, "text-anchor": "middle" }, sign),
    );
    drawn.addEventListener("click", () => state.set({ element }));
    return drawn;
  };
  const inner = left + half + (f - left - wide) / 2;
  const box = svg("rect", {
    ...{ x: inner, y: 4, width: width - inner - 1, height: bus + tall + 6, rx: 14 },
    class: "body",
  });
  const middle = (gates + sums) / 2;
  const arrow = svg(
    "marker",
    {
      ...{ id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6 },
      orient: "auto-start-reverse",
    },
    svg("path", { d: "M0 0.5L8 4L0 7.5z" }),
  );
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.setAttribute("width", width);
  drawing.setAttribute("height", height);
  drawing.classList.toggle("backwards", backwards);
  drawing.replaceChildren(
    svg("defs", {}, arrow),
    box,
    ...lines,
    ...[f, i, g, o].map((x, k) =>
      badge(x, middle, k === 2 ? sign(lstm.activation) : sign(lstm.recurrentActivation)),
    ),
    badge(right, (top + shown) / 2, sign(lstm.activation)),
    operation(f, top, "×", "c"),
    operation(between, add, "×", "c"),
    operation(between, top, "+", "c"),
    operation(right, gates, "×", "h"),
  );
  drawing.parentNode.classList.toggle("passed", !lstm.counts(now.sample, now.t));
}

function sign(activation) {
  return activation === "sigmoid" ? "σ" : activation;
}

function fitted(text, size) {
  const room = Math.max(2, Math.floor((size - 6) / 6.6));
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

/** Let the wires flow for a moment. */
function pulse(drawing) {
  drawing.classList.remove("flowing");
  void drawing.getBoundingClientRect(); // starts the animation anew
  drawing.classList.add("flowing");
  drawing.addEventListener("animationend", () => drawing.classList.remove("flowing"), {
    once: true,
  });
}

function legend(caption, now) {
  const bar = el("canvas", { width: 101, height: 1 });
  const image = bar.getContext("2d").createImageData(101, 1);
  for (let k = 0; k <= 100; k++) image.data.set([...colour(k - 50, 50), 255], k * 4);
  bar.getContext("2d").putImageData(image, 0, 0);
  const ends = el(
    "span",
    {},
    el("span", {}, "negative"),
    el("span", {}, "0"),
    el("span", {}, "positive"),
  );
  const gradients = now.view === "gradients";
  const full = gradients
    ? "full colour: the largest of each strip"
    : "full colour: 1 for gates, else the largest";
  caption.replaceChildren(bar, ends, el("span", {}, full));
}

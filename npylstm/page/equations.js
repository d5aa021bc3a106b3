// The equation of an element with the numbers of the chosen step, sample and unit in it: forward.

import { el, exact, short, symbol } from "./dom.js";
import { table, termsOfSum, total } from "./terms.js";
import { meaning } from "./words.js";

/** What the equations need: names, numbers and lines of math for one place in a trace. */
export function workplace(lstm, now) {
  const value = (name, t = now.t) => lstm.value(name, now.sample, t, now.unit);
  const name = (text) => symbol(text, lstm.activation);
  const plain = (amount) => {
    const text = short(amount, 4);
    const shown = amount < 0 || /e/.test(text) ? `(${text})` : text;
    return el("span", { class: "number", title: exact(amount, false) }, shown);
  };
  const number = (text) => {
    const amount = value(text);
    const shown = plain(amount);
    shown.title = exact(amount, lstm.single);
    return shown;
  };
  return { lstm, now, value, name, plain, number };
}

/** A line of math: texts and elements side by side. */
export function line(...parts) {
  return el("p", { class: "math" }, ...parts);
}

/** The last line: the number itself, as the trace has it. */
export function result(amount, single) {
  const shown = el("span", { class: "number result", title: exact(amount, single) }, short(amount));
  return line("= ", shown);
}

/** The equation of an element in values: a list of nodes for the panel. */
export function forward(lstm, now) {
  const place = workplace(lstm, now);
  const { element } = now;
  const [kind, gate] = element.split("_");
  let nodes;
  if (element === "x") nodes = input(place);
  else if (gate === "prev") nodes = old(place);
  else if (kind === "z") nodes = sum(place, gate);
  else if (["i", "f", "g", "o"].includes(element)) nodes = squashed(place);
  else nodes = state(place);
  return [...nodes, el("p", { class: "meaning" }, meaning(place))];
}

function input({ lstm, now, name }) {
  const amount = lstm.value("x", now.sample, now.t, now.feature);
  const read = lstm.timestep(now.t);
  return [
    line(name("x"), ` [feature ${now.feature}] of timestep ${read}`),
    result(amount, lstm.single),
  ];
}

function old({ lstm, now, name, value }) {
  const letter = now.element[0];
  const origin = now.t > 0 ? ` of step ${now.t - 1}` : ", the initial state";
  return [
    line(name(now.element), " = ", name(letter), origin),
    result(value(now.element), lstm.single),
  ];
}

function sum({ lstm, now, name, value, plain }, gate) {
  const { x, h, bias } = termsOfSum(lstm, now, gate);
  const whole = value(now.element);
  const cut = lstm.units < lstm.allUnits || lstm.features < lstm.allFeatures;
  const [fromX, fromH] = [total(x), total(h)];
  const rest = whole - fromX - fromH - (bias?.product ?? 0);
  return [
    line(
      name(now.element),
      " = ",
      name("x"),
      " · kernel + ",
      name("h_prev"),
      " · recurrent_kernel",
      bias ? " + bias" : "",
    ),
    line(
      ...["= ", plain(fromX), " + ", plain(fromH)],
      ...(bias ? [" + ", plain(bias.product)] : []),
      ...(cut ? [" + ", plain(rest), " of what is not in this page"] : []),
    ),
    result(whole, lstm.single),
    table([...x, ...h, ...(bias ? [bias] : [])], whole, "Its largest terms"),
  ];
}

function squashed({ lstm, now, name, value, number }) {
  const { element } = now;
  const function_ = element === "g" ? lstm.activation : lstm.recurrentActivation;
  const sum_ = `z_${element}`;
  return [
    line(name(element), ` = ${function_}(`, name(sum_), ")"),
    line(`= ${function_}(`, bare(number(sum_)), ")"),
    result(value(element), lstm.single),
  ];
}

/** A number that already stands in brackets needs none of its own. */
export function bare(shown) {
  shown.textContent = shown.textContent.replace(/^\((.*)\)$/, "$1");
  return shown;
}

function state({ lstm, now, name, value, number }) {
  const { element } = now;
  const amount = result(value(element), lstm.single);
  const passed = !lstm.counts(now.sample, now.t);
  if (element === "tanh_c") {
    const inner = passed
      ? [number("f"), " × ", number("c_prev"), " + ", number("i"), " × ", number("g")]
      : [bare(number("c"))];
    const head = passed
      ? [name("tanh_c"), " of the c that this step would have had"]
      : [name("tanh_c")];
    return [line(...head), line(`= ${lstm.activation}(`, ...inner, ")"), amount];
  }
  if (passed) {
    const before = `${element}_prev`;
    return [line(name(element), " = ", name(before), ", as this step is passed over"), amount];
  }
  if (element === "h") {
    return [
      line(name("h"), " = ", name("o"), " × ", name("tanh_c")),
      line("= ", number("o"), " × ", number("tanh_c")),
      amount,
    ];
  }
  return [
    line(name("c"), " = ", name("f"), " × ", name("c_prev"), " + ", name("i"), " × ", name("g")),
    line("= ", number("f"), " × ", number("c_prev"), " + ", number("i"), " × ", number("g")),
    line("= ", ...products(value)),
    amount,
  ];
}

function products(value) {
  const kept = value("f") * value("c_prev");
  const added = value("i") * value("g");
  const parts = [kept, added].map((amount) => {
    const text = short(amount);
    return amount < 0 || /e/.test(text) ? `(${text})` : text;
  });
  return [`${parts[0]} + ${parts[1]}`];
}

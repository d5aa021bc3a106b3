// The chain rule with the numbers of the chosen step in it: backward, as in gates_slopes and
// gates_backward of npylstm's reference/lstm.py.

import { el, short } from "./dom.js";
import { bare, line, result, workplace } from "./equations.js";
import { table, termsOfGradient, total } from "./terms.js";
import { slopeMeaning } from "./words.js";

const FACTORS = { i: "g", f: "c_prev", g: "i" }; // what dc is multiplied by on its way to a gate

/** The equation of an element's gradient: a list of nodes for the panel. */
export function backward(lstm, now) {
  const place = workplace(lstm, now);
  const { element } = now;
  const [kind, gate] = element.split("_");
  const passed = !lstm.counts(now.sample, now.t);
  let nodes;
  if (element === "x") nodes = toInput(place);
  else if (element === "h_prev" || element === "c_prev") nodes = toOldState(place);
  else if (passed && element !== "c" && element !== "h") nodes = nothing(place);
  else if (kind === "z") nodes = throughActivation(place, gate);
  else if (element === "h") nodes = toShown(place);
  else if (element === "c") nodes = toCellState(place, passed);
  else if (element === "tanh_c") nodes = product(place, "dtanh_c", "dh", "o");
  else if (element === "o") nodes = product(place, "do", "dh", "tanh_c");
  else nodes = product(place, `d${element}`, "dc", FACTORS[element]);
  return [...nodes, el("p", { class: "meaning" }, slopeMeaning(place))];
}

function nothing({ lstm, now, name, value }) {
  const array = `d${now.element}`;
  return [
    line(name(array), " = 0, as this step is passed over"),
    result(value(array), lstm.single),
  ];
}

function product({ lstm, name, value, number }, array, left, right) {
  return [
    line(name(array), " = ", name(left), " × ", name(right)),
    line("= ", number(left), " × ", number(right)),
    result(value(array), lstm.single),
  ];
}

/** The derivative of an activation, y = f(z), in words and in numbers. */
function slope({ name, number, plain, value }, activation, y, z, ratio) {
  const again = () => bare(number(y));
  if (activation === "sigmoid") {
    return [
      [" × ", name(y), " (1 − ", name(y), ")"],
      [" × ", number(y), " × (1 − ", again(), ")"],
    ];
  }
  if (activation === "tanh") {
    return [
      [" × (1 − ", name(y), "²)"],
      [" × (1 − ", number(y), "²)"],
    ];
  }
  if (activation === "linear") return [[" × 1"], [" × 1"]];
  const amount = ratio();
  const numbers = Number.isFinite(amount)
    ? [" × ", plain(amount)]
    : [` × ${activation}′(${short(value(z))})`];
  return [[` × ${activation}′(`, name(z), ")"], numbers];
}

function throughActivation(place, gate) {
  const { lstm, name, value, number } = place;
  const activation = gate === "g" ? lstm.activation : lstm.recurrentActivation;
  const ratio = () => value(`dz_${gate}`) / value(`d${gate}`);
  const [symbols, numbers] = slope(place, activation, gate, `z_${gate}`, ratio);
  return [
    line(name(`dz_${gate}`), " = ", name(`d${gate}`), ...symbols),
    line("= ", number(`d${gate}`), ...numbers),
    result(value(`dz_${gate}`), lstm.single),
  ];
}

function toCellState(place, passed) {
  const { lstm, now, name, value, number, plain } = place;
  const next = fromNext(place);
  const amount = result(value("dc"), lstm.single);
  if (passed) {
    return [
      line(name("dc"), " = what comes back from the next step, as this one is passed over"),
      amount,
    ];
  }
  const direct = value("dc") - next.amount;
  const ratio = () => direct / value("dtanh_c");
  const [symbols, numbers] = slope(place, lstm.activation, "tanh_c", "c", ratio);
  const head = [name("dc"), " = ", name("dtanh_c"), ...symbols];
  if (now.t === lstm.allSteps - 1) {
    return [line(...head), line("= ", number("dtanh_c"), ...numbers), amount];
  }
  return [
    line(...head, " + ", ...next.symbols),
    line("= ", number("dtanh_c"), ...numbers, " + ", ...(next.numbers ?? [plain(next.amount)])),
    amount,
  ];
}

/** What reaches c of this step by way of the next one's c. */
function fromNext({ lstm, now, name, value, plain }) {
  const t = now.t + 1;
  if (t >= lstm.allSteps) return { amount: 0, symbols: [] };
  if (t >= lstm.steps) {
    return { amount: Number.NaN, symbols: ["what comes back from the next step"], numbers: ["…"] };
  }
  const dc = value("dc", t);
  if (!lstm.counts(now.sample, t)) return { amount: dc, symbols: [name("dc_next")] };
  const f = value("f", t);
  return {
    amount: dc * f,
    symbols: [name("dc_next"), " × ", name("f_next")],
    numbers: [plain(dc), " × ", plain(f)],
  };
}

/** dh: what the layers above send down, and what comes back from the next step's gates. */
function toShown({ lstm, now, name, value, plain }) {
  const whole = value("dh");
  const amount = result(whole, lstm.single);
  const t = now.t + 1;
  if (t >= lstm.allSteps) {
    return [line(name("dh"), " = what comes from the layers above"), amount];
  }
  if (t >= lstm.steps) {
    return [line(name("dh"), " = what comes from the layers above and from the next step"), amount];
  }
  const passed = !lstm.counts(now.sample, t);
  const terms = passed ? [] : termsOfGradient(lstm, now.sample, t, "recurrent_kernel", now.unit);
  const back = passed ? value("dh", t) : total(terms);
  const known = lstm.units === lstm.allUnits;
  const above = { name: "from the layers above", factors: [], product: whole - back };
  const nodes = [
    line(
      ...[name("dh"), known ? " = from above + " : " = from above and elsewhere + "],
      ...(passed
        ? [name("dh"), " of step ", String(t), ", passed over"]
        : ["Σ dz", el("sub", {}, "t+1"), " · recurrent_kernel"]),
    ),
    line("= ", plain(rounded(above.product, whole, lstm)), " + ", plain(back)),
    amount,
  ];
  if (!passed)
    nodes.push(table(terms, back, "What comes back from the next step: its largest terms"));
  return nodes;
}

/** A difference that is nothing but rounding counts as nothing. */
function rounded(amount, whole, lstm) {
  const noise = (lstm.single ? 1e-5 : 1e-13) * Math.max(Math.abs(whole), Math.abs(amount));
  return Math.abs(amount) <= noise * 4 ? 0 : amount;
}

function toInput({ lstm, now, name }) {
  const terms = termsOfGradient(lstm, now.sample, now.t, "kernel", now.feature);
  const whole = lstm.value("dx", now.sample, now.t, now.feature);
  return [
    line(name("dx"), ` [feature ${now.feature}] = Σ dz · kernel`),
    result(whole, lstm.single),
    table(terms, whole, "Its largest terms"),
  ];
}

function toOldState(place) {
  const { lstm, now, name, value, number, plain } = place;
  const array = `d${now.element}`;
  const whole = value(array);
  const amount = result(whole, lstm.single);
  const passed = !lstm.counts(now.sample, now.t);
  if (now.element === "c_prev") {
    const back = passed ? value("dc") : value("dc") * value("f");
    const way = passed ? [name("dc")] : [name("dc"), " × ", name("f")];
    const numbers = passed ? [number("dc")] : [number("dc"), " × ", number("f")];
    if (now.t === 0) return [line(name(array), " = ", ...way), line("= ", ...numbers), amount];
    return [
      line(name(array), " = ", ...way, " + what reached it by way of ", name("h_prev")),
      line("= ", ...numbers, " + ", plain(rounded(whole - back, whole, lstm))),
      amount,
    ];
  }
  if (passed) return [line(name(array), " = ", name("dh"), " and what came from above"), amount];
  const terms = termsOfGradient(lstm, now.sample, now.t, "recurrent_kernel", now.unit);
  const back = total(terms);
  const nodes =
    now.t === 0
      ? [line(name(array), " = Σ dz · recurrent_kernel"), amount]
      : [
          line(name(array), " = Σ dz · recurrent_kernel + what came from above"),
          line("= ", plain(back), " + ", plain(rounded(whole - back, whole, lstm))),
          amount,
        ];
  return [...nodes, table(terms, back, "What comes back from this step: its largest terms")];
}

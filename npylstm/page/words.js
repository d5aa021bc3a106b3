// What a number means, in a sentence.

import { percent, short, word } from "./dom.js";

const GATE_OF = { i: "input gate", f: "forget gate", g: "candidate", o: "output gate" };

/** A sentence about the chosen element's value. */
export function meaning({ lstm, now, value }) {
  const { element, unit } = now;
  const at = lstm.counts(now.sample, now.t) ? "" : " This step is passed over, so nothing uses it.";
  const shares = lstm.gatesAreShares;
  const direction = (amount) => (amount > 0 ? "up" : amount < 0 ? "down" : "neither up nor down");
  switch (element) {
    case "x":
      return "What the layer reads at this step. All four gates of all units see it.";
    case "h_prev":
      return "What this unit showed at the step before. It is fed back into the gates of all units.";
    case "c_prev":
      return "What this unit has kept so far. Nothing but the forget gate stands between it and the next cell state.";
    case "i":
      return `${shares ? `${percent(value("i"))} of the candidate is let in.` : "The candidate is multiplied by this."}${at}`;
    case "f": {
      const much = value("f") > 0.9 ? "nearly all" : value("f") < 0.1 ? "almost nothing" : "a part";
      const keeps = at ? "would keep" : "keeps";
      const kept = `Unit ${unit} ${keeps} ${much} of its old cell state: ${percent(value("f"))}.`;
      return `${shares ? kept : "The old cell state is multiplied by this."}${at}`;
    }
    case "g":
      return `What could be added to the cell state: it would move it ${direction(value("g"))}. How much of it, the input gate says.${at}`;
    case "o":
      return `${shares ? `${percent(value("o"))} of the activated cell state is shown.` : "The activated cell state is multiplied by this."}${at}`;
    case "tanh_c":
      return `The cell state, brought into the range of what is shown.${at}`;
    case "c":
      return at ? "The cell state stays what it was." : change(value);
    case "h":
      return at
        ? "The hidden state stays what it was."
        : "What the layer gives out at this step, and what its gates see at the next.";
    default: {
      const gate = GATE_OF[element.slice(2)];
      return `What the weights make of the input and the old hidden state. The ${gate} is this number, squashed.${at}`;
    }
  }
}

function change(value) {
  const [before, after] = [value("c_prev"), value("c")];
  const kept = value("f") * before;
  const added = value("i") * value("g");
  const larger = Math.abs(kept) >= Math.abs(added) ? "what was kept" : "what was added";
  return `It goes from ${short(before)} to ${short(after)}; the larger part is ${larger}.`;
}

/** A sentence about the chosen element's gradient. */
export function slopeMeaning({ lstm, now, value }) {
  const { element } = now;
  const size =
    element === "x" ? lstm.value("dx", now.sample, now.t, now.feature) : value(`d${element}`);
  const what = word(element);
  if (size === 0) return `A small change of the ${what} here would not change the loss.`;
  const sense = size > 0 ? "more" : "less";
  return `Were the ${what} here larger by a small ε, the loss would be ${short(Math.abs(size))} ε ${sense}.`;
}

/** The sentence for the step as a whole, which is read aloud when the step changes. */
export function sentence(lstm, now) {
  const value = (name) => lstm.value(name, now.sample, now.t, now.unit);
  const n = (name) => short(value(name), 3);
  const read = lstm.timestep(now.t);
  const last = lstm.allSteps - 1;
  const of = last ? `of 0 to ${last}` : "is the only one";
  const place = `Step ${now.t} ${of}${lstm.reverse ? `, and reads timestep ${read}` : ""}. `;
  if (!lstm.counts(now.sample, now.t)) {
    return `${place}This step is passed over (masked): unit ${now.unit} keeps c = ${n("c")} and h = ${n("h")}.`;
  }
  if (now.view === "gradients") {
    return (
      `${place}The loss pulls at unit ${now.unit} with dh = ${n("dh")} and dc = ${n("dc")}; ` +
      `its gates get dz: f ${n("dz_f")}, i ${n("dz_i")}, g ${n("dz_g")}, o ${n("dz_o")}.`
    );
  }
  if (lstm.gatesAreShares) {
    const share = (name) => percent(value(name));
    return (
      `${place}Unit ${now.unit} keeps ${share("f")} of its cell state ${n("c_prev")}, adds ${share("i")} ` +
      `of the candidate ${n("g")}, which makes ${n("c")}, and shows ${share("o")} of ${lstm.activation}(c): h = ${n("h")}.`
    );
  }
  return (
    `${place}Unit ${now.unit}: c = f × c_prev + i × g = ${n("f")} × ${n("c_prev")} + ` +
    `${n("i")} × ${n("g")} = ${n("c")}; h = ${n("h")}.`
  );
}

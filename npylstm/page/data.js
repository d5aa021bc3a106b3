// The numbers of a trace, as build.py has packed them: base64 of little-endian arrays.

const TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
};

/** Unpack an array: its values, flat, and its shape. */
export function unpack(record) {
  const text = atob(record.data);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const values = new TYPES[record.type](bytes.buffer);
  return { values, shape: record.shape, single: record.type === "float32" };
}

export const GATES = ["i", "f", "g", "o"]; // in the order of the kernels' columns
const BOUNDED = {
  tanh: 1,
  sigmoid: 1,
  hard_sigmoid: 1,
  legacy_hard_sigmoid: 1,
  softsign: 1,
};
const SHARES = ["sigmoid", "hard_sigmoid", "legacy_hard_sigmoid"];

/** One LSTM of the trace: every array by its name, of a sample and a step. */
export class Lstm {
  constructor(record) {
    Object.assign(this, record.facts);
    this.records = record.arrays;
    this.unpacked = new Map();
    this.largest = new Map();
    this.single = this.records.h.type === "float32";
    this.gatesAreShares = SHARES.includes(this.recurrentActivation);
  }

  has(name) {
    return Boolean(this.records[name]);
  }

  array(name) {
    if (!this.unpacked.has(name)) this.unpacked.set(name, unpack(this.records[name]));
    return this.unpacked.get(name);
  }

  /** How many entries an element's vector has: features for x, units for all others. */
  size(name) {
    return /^d?x$/.test(name) ? this.features : this.units;
  }

  /** The vector of a sample at a step. */
  row(name, sample, t) {
    const [, base, before] = /^(.*?)(_prev)?$/.exec(name);
    if (before) return t > 0 ? this.row(base, sample, t - 1) : this.initial(`${base}0`, sample);
    if (name === "dtanh_c") return this.product("dh", "o", sample, t);
    return this.part(name, sample * this.steps + t);
  }

  /** The states before the first step, or their gradients. */
  initial(name, sample) {
    return this.part(name, sample);
  }

  part(name, place) {
    const { values, shape } = this.array(name);
    const size = shape.at(-1);
    return values.subarray(place * size, (place + 1) * size);
  }

  product(left, right, sample, t) {
    const factors = this.row(right, sample, t);
    return this.row(left, sample, t).map((value, unit) => value * factors[unit]);
  }

  value(name, sample, t, entry) {
    return this.row(name, sample, t)[entry];
  }

  /** Whether a step counts: false where it is passed over. */
  counts(sample, t) {
    return !this.has("mask") || this.part("mask", sample)[t] === 1;
  }

  timestep(t) {
    return this.reverse ? this.allSteps - 1 - t : t;
  }

  /** The weight from an input or an old hidden state to a gate's unit. */
  weight(kernel, from, gate, unit) {
    const { values, shape } = this.array(kernel);
    return values[(from * 4 + gate) * shape[2] + unit];
  }

  bias(gate, unit) {
    return this.has("bias") ? this.array("bias").values[gate * this.units + unit] : null;
  }

  /** What dropout multiplies an entry by on its way to a gate. */
  dropout(name, sample, gate, entry) {
    if (!this.has(name)) return 1;
    const { values, shape } = this.array(name);
    return values[(sample * 4 + gate) * shape[2] + entry];
  }

  /** The size at which an array's colour is full: the same for all steps of a sample. */
  scale(name, sample) {
    const bound = this.bound(name);
    if (bound) return bound;
    const base = name.replace("_prev", "");
    const key = `${base} ${sample}`;
    if (!this.largest.has(key)) {
      const size = this.steps * this.size(base);
      const values = this.array(base).values.subarray(sample * size, (sample + 1) * size);
      this.largest.set(key, largest(values));
    }
    return this.largest.get(key);
  }

  bound(name) {
    if (["i", "f", "o"].includes(name)) return BOUNDED[this.recurrentActivation];
    if (["g", "tanh_c"].includes(name)) return BOUNDED[this.activation];
    if (["h", "h_prev"].includes(name)) {
      return this.gatesAreShares ? BOUNDED[this.activation] : undefined;
    }
    return undefined;
  }
}

/** The largest size among numbers; 1 if all are zero. */
export function largest(values) {
  let most = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most && size < Infinity) most = size;
  }
  return most || 1;
}

/** Read what build.py has put into the page. */
export function readTrace() {
  const record = JSON.parse(document.getElementById("trace").textContent);
  return { ...record, lstms: record.lstms.map((one) => new Lstm(one)) };
}

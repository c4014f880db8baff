/** JSON in its one canonical form (RFC 8785), written and read strictly, and objects taken apart field by field. */
import { same, text, utf8 } from './bytes.js';
import { must, Refused } from './errors.js';

const MAX_DEPTH = 32;

/** @param {any} value a JSON value @returns {string} its RFC 8785 text */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const names = Object.keys(value).sort(); // by UTF-16 code units, as RFC 8785 3.2.3 asks
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Refused('a number has no JSON form', 'JSON');
  return JSON.stringify(value);
}

/** @param {any} value @returns {Uint8Array} */
export const dump = (value) => utf8(canonical(value));

/** The value in exactly canonical bytes. @param {Uint8Array} data @param {string} where @throws {Refused} */
export function load(data, where) {
  const value = parse(data, where);
  must(depth(value) <= MAX_DEPTH && same(dump(value), data), 'it is not JSON in its canonical form (RFC 8785)', where);
  return value;
}

/** Any JSON. @param {Uint8Array} data @param {string} where @returns {any} @throws {Refused} */
export function parse(data, where) {
  const source = text(data, where);
  try {
    return JSON.parse(source);
  } catch {
    throw new Refused('it is not JSON', where);
  }
}

/** @param {any} value @returns {number} */
function depth(value, so = 0) {
  if (so > MAX_DEPTH || value === null || typeof value !== 'object') return so;
  return Math.max(so + 1, ...Object.values(value).map((one) => depth(one, so + 1)));
}

/** One JSON object being taken apart: each field is asked for once, with its type. */
export class Fields {
  /** @param {any} value @param {string} where */
  constructor(value, where) {
    must(value !== null && typeof value === 'object' && !Array.isArray(value), 'it is not a JSON object', where);
    this.left = new Map(Object.entries(value));
    this.where = where;
  }

  /** @param {string} name @returns {any} */
  take(name) {
    must(this.left.has(name), `it has no field '${name}'`, this.where);
    const value = this.left.get(name);
    this.left.delete(name);
    return value;
  }

  /** @param {string} name @param {number} [most] @returns {string} */
  text(name, most = 200) {
    const value = this.take(name);
    must(typeof value === 'string' && [...value].length <= most, `its field '${name}' is no text of that length`, this.where);
    return value;
  }

  /** @param {string} name @param {number} [most] @returns {string | null} */
  maybe(name, most = 200) {
    if (this.left.get(name) === null) return this.take(name);
    return this.text(name, most);
  }

  /** @param {string} name @returns {number} a whole number from 0 that this reader can count to */
  number(name) {
    const value = this.take(name);
    must(Number.isSafeInteger(value) && value >= 0, `its field '${name}' is not a whole number`, this.where);
    return value;
  }

  /** @param {string} name @param {number} most @returns {any[]} */
  items(name, most) {
    const value = this.take(name);
    must(Array.isArray(value) && value.length <= most, `its field '${name}' is not a list of at most ${most}`, this.where);
    return value;
  }

  /** @param {string} name @returns {Fields} */
  fields(name) {
    return new Fields(this.take(name), `${this.where}, ${name}`);
  }

  /** @param {string} name @param {readonly string[]} allowed @returns {string} */
  oneOf(name, allowed) {
    const value = this.text(name);
    must(allowed.includes(value), `its field '${name}' is none of ${allowed.join(', ')}`, this.where);
    return value;
  }

  /** @param {string} name @param {RegExp} form @returns {string} */
  like(name, form) {
    const value = this.text(name);
    must(form.test(value), `its field '${name}' has not the form of one`, this.where);
    return value;
  }

  /** Nothing may be left. */
  done() {
    must(this.left.size === 0, `it has a field that the format does not know: '${[...this.left.keys()][0]}'`, this.where);
  }
}

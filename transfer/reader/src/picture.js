/** The journey from 8 to 18 as one SVG: four rows, in general and in school, with how sure each level is. */
import { ENDS, NAMES } from './journey.js';

const FACTORS = /** @type {(keyof typeof NAMES)[]} */ (Object.keys(NAMES));
const [LOW, HIGH, LOW_POLE, HIGH_POLE, EIGHT_IN_TEN] = [1, 6, 2.2, 4.8, 1.2816];
const [TOP, FOOT, PLOT] = [54, 30, 88];

/** @param {string} on @returns {number} days */
const days = (on) => Date.parse(`${on}T00:00:00Z`) / 86_400_000;
/** @param {unknown} text */
export const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * @param {import('./journey.js').Picture} data @param {boolean} narrow for a phone
 * @returns {string} SVG; a table with the same content has to stand beside it
 */
export function svg(data, narrow = false) {
  const at = new Drawing(data, narrow);
  const title = `journey-${narrow ? 'narrow' : 'wide'}`;
  const desc = 'Four rows, one for each factor. A solid line is in general, a dashed line in school; the bar at each sitting holds the level 8 times in 10. The same in words follows.';
  const rows = FACTORS.map((factor, row) => at.row(factor, row)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" class="journey ${title}" viewBox="0 0 ${at.width} ${at.height}" role="img" aria-labelledby="${title}-t ${title}-d">`
    + `<title id="${title}-t">The journey from 8 to 18</title><desc id="${title}-d">${desc}</desc>${at.schools()}${at.years()}${rows}${at.moves()}</svg>`;
}

class Drawing {
  /** @param {import('./journey.js').Picture} data @param {boolean} narrow */
  constructor(data, narrow) {
    this.data = data;
    this.narrow = narrow;
    this.width = narrow ? 344 : 920;
    this.left = narrow ? 8 : 150;
    this.above = narrow ? 36 : 8;
    this.rowHeight = PLOT + this.above + 26;
    this.height = TOP + this.rowHeight * 4 + FOOT;
    this.span = this.width - this.left - 10;
  }

  /** @param {string} on */
  x(on) {
    const share = (days(on) - days(this.data.starts)) / (days(this.data.ends) - days(this.data.starts));
    return Math.round((this.left + this.span * Math.min(1, Math.max(0, share))) * 10) / 10;
  }

  /** @param {number} row @param {number} level */
  y(row, level) {
    const share = (Math.min(HIGH, Math.max(LOW, level)) - LOW) / (HIGH - LOW);
    return Math.round((TOP + this.rowHeight * row + this.above + PLOT * (1 - share)) * 10) / 10;
  }

  schools() {
    return this.data.schools.map((one, at) => {
      const [from, until] = [this.x(one.from), this.x(one.until)];
      const most = Math.max(1, Math.floor((until - from) / 7));
      const name = one.name.length > most ? `${one.name.slice(0, Math.max(1, most - 1))}…` : one.name;
      return `<rect class="school school-${at % 2}" x="${from}" y="4" width="${Math.max(0, until - from)}" height="${this.height - FOOT - 4}"><title>${escaped(one.name)}</title></rect>`
        + `<text class="name" x="${from + 4}" y="20">${escaped(name)}</text>`;
    }).join('');
  }

  years() {
    const [from, until] = [Number(this.data.starts.slice(0, 4)), Number(this.data.ends.slice(0, 4))];
    const step = this.narrow ? 3 : until - from > 14 ? 2 : 1;
    return Array.from({ length: until - from }, (_, at) => {
      const x = this.x(`${from + at}-09-01`);
      const said = at % step === 0 ? `<text class="year" x="${x + 2}" y="${this.height - 12}">${this.narrow ? from + at : at < 10 ? `Year ${at + 4}` : from + at}</text>` : '';
      return `<line class="grid" x1="${x}" x2="${x}" y1="28" y2="${this.height - FOOT}"/>${said}`;
    }).join('');
  }

  /** @param {keyof typeof NAMES} factor @param {number} row */
  row(factor, row) {
    const [low, high] = ENDS[factor];
    const [top, bottom] = [this.y(row, HIGH), this.y(row, LOW)];
    const pole = (/** @type {number} */ a, /** @type {number} */ b) => `<rect class="pole" x="${this.left}" y="${this.y(row, b)}" width="${this.span}" height="${this.y(row, a) - this.y(row, b)}"/>`;
    const label = this.narrow
      ? `<text class="factor" x="${this.left}" y="${top - 20}">${NAMES[factor]}</text><text class="end" x="${this.left}" y="${top - 5}">top: ${high}; bottom: ${low}</text>`
      : `<text class="factor" x="6" y="${(top + bottom) / 2 + 4}">${NAMES[factor]}</text><text class="end" x="6" y="${top + 10}">${high}</text><text class="end" x="6" y="${bottom}">${low}</text>`;
    const at = FACTORS.indexOf(factor);
    return `<g>${pole(LOW, LOW_POLE)}${pole(HIGH_POLE, HIGH)}${label}${this.line(row, at, 'general')}${this.line(row, at + 4, 'in-school')}${this.plans(factor, bottom)}</g>`;
  }

  /** @param {number} row @param {number} cell @param {string} name */
  line(row, cell, name) {
    const dots = this.data.sittings.flatMap((one) => {
      const [value, error] = [one.values[cell], one.errors[cell]];
      return typeof value === 'number' ? [{ x: this.x(one.on), value, error: typeof error === 'number' ? error * EIGHT_IN_TEN : 0, usable: one.usable }] : [];
    });
    const good = dots.filter((one) => one.usable);
    const bars = good.map((one) => `<line class="bar ${name}" x1="${one.x}" x2="${one.x}" y1="${this.y(row, one.value - one.error)}" y2="${this.y(row, one.value + one.error)}"/>`);
    const path = good.map((one, at) => `${at ? 'L' : 'M'}${one.x} ${this.y(row, one.value)}`).join('');
    const marks = dots.map((one) => `<circle class="dot ${name}${one.usable ? '' : ' unread'}" cx="${one.x}" cy="${this.y(row, one.value)}" r="2.6"/>`);
    return `${bars.join('')}<path class="level ${name}" d="${path}"/>${marks.join('')}`;
  }

  /** @param {string} factor @param {number} bottom */
  plans(factor, bottom) {
    return this.data.plans.filter((one) => one.factor === factor).map((one) => {
      const [from, until] = [this.x(one.from), this.x(one.until)];
      return `<rect class="plan" x="${from}" y="${bottom + 6}" width="${Math.max(4, until - from)}" height="6" rx="2"><title>${escaped(`${one.goal}: ${one.came}`)}</title></rect>`;
    }).join('');
  }

  moves() {
    const line = (/** @type {string} */ on, /** @type {string} */ kind) => `<line class="${kind}" x1="${this.x(on)}" x2="${this.x(on)}" y1="26" y2="${this.height - FOOT}"/>`;
    const own = this.data.own.map((one) => `<path class="own" d="M${this.x(one.on)} ${this.height - FOOT - 4}l-4 8h8z"><title>${escaped(one.text.slice(0, 80))}</title></path>`);
    return this.data.moves.map((on) => line(on, 'move')).join('') + own.join('');
  }
}

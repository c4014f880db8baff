/** A file was refused: what is wrong, and where. `message` is a sentence for people. */
export class Refused extends Error {
  /** @param {string} what the fault @param {string} where the part of the file */
  constructor(what, where) {
    super(`${where}: ${what}`);
    this.name = 'Refused';
    this.what = what;
    this.where = where;
  }
}

/** Refuse unless `ok`. @param {unknown} ok @param {string} what @param {string} where @returns {asserts ok} */
export function must(ok, what, where) {
  if (!ok) throw new Refused(what, where);
}

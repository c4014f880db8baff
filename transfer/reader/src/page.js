/** The page: what a person does, and what it shows them. Nothing here decides whether something is true. */
import { continueStory, disclose, here, keysIn, open, openDocuments, picture, Refused, story, svg, verdict, verifyProof, eightWords } from './index.js';
import { day } from './file.js';
import { instant } from './student.js';

const MAX_FILE = 2 ** 31;
const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const status = byId('status');
const result = byId('result');

/** @param {string} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children @returns {any} */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

/** @param {string} tag @param {string} text @param {string} [kind] */
const say = (tag, text, kind = '') => el(tag, kind ? { class: kind } : {}, text);
/** @param {string[]} lines */
const list = (lines) => el('ul', {}, ...lines.map((line) => say('li', line)));

/** @param {File} file @returns {Promise<Uint8Array>} */
async function bytes(file) {
  if (file.size > MAX_FILE) throw new Refused('it is larger than a record can be', file.name);
  return new Uint8Array(await file.arrayBuffer());
}

/** @param {HTMLInputElement} input @returns {Promise<import('./keydoc.js').Document[][]>} */
const trusted = (input) => Promise.all([...(input.files ?? [])].map(async (file) => openDocuments(await bytes(file))));

/** Do it, say what happens, and show what came or why it was refused. @param {HTMLFormElement} form @param {string} doing @param {() => Promise<Node[]>} work */
async function run(form, doing, work) {
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type="submit"]'));
  button.disabled = true;
  status.textContent = doing;
  result.replaceChildren();
  await new Promise((done) => setTimeout(done, 30)); // lets the words appear before the work begins
  try {
    result.replaceChildren(...await work());
    status.textContent = 'Done. What was found is below.';
    byId('key').value = '';
    byId('begin').open = false;
  } catch (error) {
    const known = error instanceof Refused;
    result.replaceChildren(refusal(known ? error.message : 'This could not be read. It may not be a file of this kind.'));
    status.textContent = 'It was refused.';
    if (!known) console.error(error);
  }
  button.disabled = false;
  result.focus();
}

/** @param {string} why */
const refusal = (why) => el('section', { class: 'bad', id: 'refused' }, say('h2', 'Not verified'), say('p', `${why}.`),
  say('p', 'Nothing of it is shown, because nothing of it can be relied on. If it is your record, fetch it again from where you keep it, or ask the school that gave it to you.'));

byId('open').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  run(byId('open'), 'Opening and checking. This takes a few seconds.', async () => {
    const keyfile = byId('keyfile').files[0];
    const keys = keysIn(keyfile ? await keyfile.text() : byId('key').value);
    const found = await open(await bytes(byId('file').files[0]), keys, { trusted: await trusted(byId('trust')) });
    return shown(found);
  });
});

byId('check').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  run(byId('check'), 'Checking.', async () => proofShown(await verifyProof(await bytes(byId('proof').files[0]), { trusted: await trusted(byId('proof-trust')) })));
});

/** Everything about an opened record. @param {import('./file.js').Found} found @returns {Node[]} */
function shown(found) {
  const told = story(found);
  const drawn = picture(found);
  const name = found.person ? `${found.person.preferred_forename || found.person.forename} ${found.person.surname}` : 'This record';
  const figure = el('figure', { class: 'picture' });
  figure.innerHTML = svg(drawn) + svg(drawn, true); // every text in it is escaped
  return [
    el('div', { class: 'row' }, say('h2', `${name}, from 8 to 18`), printing()), checked(found),
    el('section', {}, say('h2', 'The journey as a picture'), figure, legend(),
      say('p', 'The shaded strips at the top and bottom of each row are the two ends. Neither end is good or bad; most people move about in the middle.', 'small')),
    storyShown(found, told), adding(found), leftOut(found),
  ];
}

function printing() {
  const button = el('button', { type: 'button', class: 'plain no-print' }, 'Print');
  button.addEventListener('click', () => globalThis.print());
  return button;
}

/** @param {import('./file.js').Found} found */
function checked(found) {
  const { lines, doubts } = verdict(found);
  const parts = [el('section', { class: 'good', id: 'verified' }, say('h2', 'Verified'), list(lines))];
  if (doubts.length) parts.push(el('section', { class: 'note', id: 'doubts' }, say('h2', 'What this page cannot know'), list(doubts)));
  return el('div', {}, ...parts);
}

function legend() {
  const key = (/** @type {string} */ inside, /** @type {string} */ words) => {
    const made = el('li');
    made.innerHTML = `<svg viewBox="0 0 32 12" aria-hidden="true">${inside}</svg>`;
    made.append(words);
    return made;
  };
  return el('ul', { class: 'legend small', 'aria-label': 'What the lines mean' },
    key('<path class="level general" d="M0 6h32"/>', 'in general'), key('<path class="level in-school" d="M0 6h32"/>', 'in school'),
    key('<rect class="plan" y="3" width="32" height="6" rx="2"/>', 'a plan'), key('<path class="move" d="M16 0v12"/>', 'the record moved school'),
    key('<path class="own" d="M16 2l-4 8h8z"/>', 'your own words'));
}

/** @param {import('./file.js').Found} found @param {import('./journey.js').Sentence[]} told */
function storyShown(found, told) {
  const boxes = new Map();
  const items = told.map((one) => {
    const box = el('input', { type: 'checkbox', id: `choose-${one.id}`, value: one.id });
    boxes.set(one.id, box);
    const choice = el('p', { class: 'choice no-print' }, box, el('label', { for: `choose-${one.id}` }, 'Show this'));
    choice.hidden = true;
    const from = `${one.from}${one.by ? `, ${one.by.replaceAll('_', ' ')}` : ''}${one.corrected ? '; corrected since' : ''}`;
    return { year: Number(one.on.slice(0, 4)) - (one.on.slice(5, 7) < '09' ? 1 : 0), choice,
      item: el('li', {}, el('div', {}, el('time', { datetime: one.on }, day(one.on)), choice),
        el('div', {}, say('p', one.said), ...one.more.map((more) => say('p', more, 'more')), say('p', from, 'small'))) };
  });
  const years = [...new Set(items.map((one) => one.year))].flatMap((year) => [say('h3', `${year}/${String((year + 1) % 100).padStart(2, '0')}`),
    el('ol', { class: 'story' }, ...items.filter((one) => one.year === year).map((one) => one.item))]);
  return el('section', { id: 'story' }, say('h2', 'The journey as a story'), disclosing(found, items.map((one) => one.choice), boxes), ...years);
}

/** Choosing events to show to somebody. @param {import('./file.js').Found} found @param {any[]} choices @param {Map<string, any>} boxes */
function disclosing(found, choices, boxes) {
  const whom = el('input', { type: 'text', id: 'whom', maxlength: '200' });
  const about = el('input', { type: 'checkbox', id: 'about' });
  const said = el('p', { role: 'status' });
  const save = el('button', { type: 'button', id: 'save-proof' }, 'Save the proof file');
  const form = el('div', {}, say('p', 'Tick each event that you want to show, in the story below. Nothing else goes into the file: who reads it can check the events you chose against the schools’ keys, and learns nothing of the others except how many entries each log has.'),
    el('p', {}, el('label', { for: 'whom' }, 'Who is it for? (may stay empty)'), whom),
    el('p', { class: 'choice' }, about, el('label', { for: 'about' }, 'Say who it is about: your name, date of birth, numbers and schools, as your school signed them, and what the whole file holds by name and size')), save, said);
  save.addEventListener('click', () => {
    const chosen = new Set([...boxes].filter(([, box]) => box.checked).map(([id]) => id));
    try {
      const data = disclose(found, chosen, { for: whom.value, made: instant(new Date()), about: about.checked });
      saved(`${here().newId()}.proof`, data);
      said.textContent = `Saved, with ${chosen.size} ${chosen.size === 1 ? 'event' : 'events'}.`;
    } catch (error) {
      said.textContent = error instanceof Refused ? `${error.message}.` : 'It could not be made.';
    }
  });
  const more = el('details', { class: 'card no-print', id: 'disclose' }, say('summary', 'Show some of it to somebody'), form);
  more.addEventListener('toggle', () => choices.forEach((one) => { one.hidden = !more.open; }));
  return more;
}

/** Going on with the story. @param {import('./file.js').Found} found */
function adding(found) {
  const words = el('textarea', { id: 'reflection', rows: '5', maxlength: '10000' });
  const on = el('input', { type: 'date', id: 'reflection-on', value: instant(new Date()).slice(0, 10) });
  const said = el('p', { role: 'status' });
  const save = el('button', { type: 'button', id: 'save-record' }, 'Save my record with this in it');
  save.addEventListener('click', async () => {
    save.disabled = true;
    said.textContent = 'Signing and sealing.';
    try {
      if (!words.value.trim()) throw new Refused('write something first', 'your words');
      const own = { topic: /** @type {const} */ ('student.reflection-written.v1'), data: { happened_on: on.value, text: words.value.trim() } };
      const made = await continueStory(found, [own], here());
      saved(made.name, made.data);
      said.textContent = `Saved as ${made.name}. Keep it beside the old one; the same keys open it.`;
    } catch (error) {
      said.textContent = error instanceof Refused ? `${error.message}.` : 'It could not be saved.';
      if (!(error instanceof Refused)) console.error(error);
    }
    save.disabled = false;
  });
  return el('details', { class: 'card no-print', id: 'add' }, say('summary', 'Go on with it: add your own words'),
    say('p', 'What you add is signed with your key, and can be told from what the schools wrote for ever. This page keeps nothing: the new file is the record.'),
    el('p', {}, el('label', { for: 'reflection' }, 'What would you like to remember?'), words), el('p', {}, el('label', { for: 'reflection-on' }, 'When was it?'), on), save, said);
}

/** @param {import('./file.js').Found} found */
function leftOut(found) {
  const counted = new Map();
  found.lines.filter((line) => !line.payload).forEach((line) => counted.set(line.omitted, (counted.get(line.omitted) ?? 0) + 1));
  const lines = [...found.manifest.omissions.map((one) => `${one.what}: ${one.why}`), ...[...counted].map(([why, count]) => `${count} ${count === 1 ? 'entry' : 'entries'}: ${why}`)];
  return el('section', { id: 'left-out' }, say('h2', 'What was left out, and why'), lines.length ? list(lines) : say('p', 'Nothing.'));
}

/** @param {string} name @param {Uint8Array} data */
function saved(name, data) {
  const url = URL.createObjectURL(new Blob([/** @type {BlobPart} */ (data)], { type: 'application/octet-stream' }));
  const link = el('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {import('./proof.js').Disclosed} proof @returns {Node[]} */
function proofShown(proof) {
  const facts = proof.logs.flatMap((log) => log.facts);
  const found = /** @type {any} */ ({ facts: proof.logs.flatMap((log) => log.facts.map((fact) => ({ fact, origin: log.origin, unit: log.origin, entry: new Uint8Array() }))),
    schools: proof.schools, members: new Map(), standings: new Map(proof.logs.map((log) => [log.origin, { name: log.name }])) });
  const lines = [`${facts.length} ${facts.length === 1 ? 'event' : 'events'}, chosen by the holder of the record${proof.for ? ` for ${proof.for}` : ''} on ${day(proof.made)}. There is more that was not chosen.`,
    ...proof.logs.map((log) => `${log.facts.length} recorded by ${log.name}, in a log of ${log.size} entries that it signed.`),
    proof.person ? `About ${proof.person.forename} ${proof.person.surname}, born ${day(proof.person.date_of_birth)}, as ${proof.signedBy} signed it.` : 'It does not say who it is about.'];
  const doubts = proof.logs.filter((log) => log.how === 'self-asserted').map((log) => `Nothing here says that these are the keys of ${log.name}. Ring them and compare eight words: ${eightWords(log.document)}.`);
  const told = story(found).map((one) => el('li', {}, el('time', { datetime: one.on }, day(one.on)),
    el('div', {}, say('p', one.said), ...one.more.map((more) => say('p', more, 'more')), say('p', one.from, 'small'))));
  return [el('section', { class: 'good', id: 'verified' }, say('h2', 'Verified'), list(lines)),
    ...(doubts.length ? [el('section', { class: 'note', id: 'doubts' }, say('h2', 'What this page cannot know'), list(doubts))] : []),
    el('section', {}, el('div', { class: 'row' }, say('h2', 'What it shows'), printing()), el('ol', { class: 'story' }, ...told))];
}

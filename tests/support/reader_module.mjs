// Runs the reader's module over files, without a browser: `node reader_module.mjs COMMAND ...`, JSON out.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const [module, command, ...paths] = process.argv.slice(2);
const reader = await import(pathToFileURL(module).href);
const bytes = async (path) => new Uint8Array(await readFile(path));

/** Every file, by name: "verified", or the words of the refusal; anything else breaks the run. */
async function judge(key, ...files) {
  const keys = reader.keysIn(await readFile(key, 'utf8'));
  const said = {};
  for (const file of files) {
    try {
      if (file.endsWith('.proof')) await reader.verifyProof(await bytes(file));
      else await reader.open(await bytes(file), keys);
      said[file.split('/').pop()] = 'verified';
    } catch (error) {
      if (!(error instanceof reader.Refused)) throw error;
      said[file.split('/').pop()] = error.message;
    }
  }
  return said;
}

/** The file opened, told, shown in part to `proof`, and gone on with to `next`. */
async function use(key, file, proof, next) {
  const keys = reader.keysIn(await readFile(key, 'utf8'));
  const found = await reader.open(await bytes(file), keys);
  const told = reader.story(found);
  const chosen = new Set(told.filter((one) => one.topic === 'journey.assessment-sat.v1').map((one) => one.id));
  await writeFile(proof, reader.disclose(found, chosen, { for: 'A college', made: '2034-07-01T09:00:00.000000Z', about: true }));
  const own = [{ topic: 'student.reflection-written.v1', data: { happened_on: '2034-08-01', text: 'The lake was <b>quiet</b>.' } },
    { topic: 'student.sitting-taken.v1', data: { happened_on: '2034-08-02', instrument: 'astrack-demo', instrument_version: 1, answers: { 'g-sd-1': 3 } } }];
  const once = await reader.continueStory(found, own, reader.here());
  const again = await reader.continueStory(await reader.open(once.data, keys), own.slice(0, 1), reader.here());
  await writeFile(next, again.data);
  const last = await reader.open(again.data, keys);
  return { told: told.map((one) => [one.on, one.said, one.from]), facts: last.facts.length, given: reader.givenBy(last),
    svg: reader.svg(reader.picture(last)).length, verdict: reader.verdict(last).lines };
}

console.log(JSON.stringify(await { judge, use }[command](...paths)));

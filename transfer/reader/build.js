/** Builds the module for Node and the one page for browsers: the same sources give the same bytes. */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';

const here = (/** @type {string} */ name) => new URL(name, import.meta.url);
const out = process.argv[2] ? new URL(`file://${process.argv[2]}/`) : here('dist/');
const common = { bundle: true, write: false, charset: 'utf8', loader: { '.txt': 'text' }, legalComments: 'none', absWorkingDir: new URL('.', import.meta.url).pathname };

const page = await build({ ...common, entryPoints: ['src/page.js'], format: 'iife', minify: true, target: ['es2022'] });
const script = page.outputFiles[0].text.replaceAll('</script', '<\\/script').trimEnd();
const [html, css] = await Promise.all(['src/page.html', 'src/page.css'].map((name) => readFile(here(name), 'utf8')));
const style = css.replace(/\/\*.*?\*\//gs, '').replace(/\s*\n\s*/g, '\n').trim();
const hash = (/** @type {string} */ text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = `default-src 'none'; connect-src 'none'; img-src data:; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
const made = html.replace('{policy}', () => policy).replace('{style}', () => style).replace('{script}', () => script);
const module = await build({ ...common, entryPoints: ['src/index.js'], format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], minify: true, target: ['es2022'] });

await mkdir(out, { recursive: true });
await writeFile(new URL('reader.html', out), made);
await writeFile(new URL('index.js', out), module.outputFiles[0].text);

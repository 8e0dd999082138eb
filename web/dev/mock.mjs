// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * A node for the pages to talk to where there is none: node dev/mock.mjs
 * [--port 8090] [--incidents 3000].  Serves web/dist with the node's own
 * headers and answers the routes of src/tbl/routes.tbl with invented data kept
 * in memory.  It says at its start which routes it does not know.  It checks
 * no password strength, seals nothing and is no part of the product.
 *
 * The accounts are those of an exercise node (mockstate.mjs), all with the
 * password "fairway-exercise"; "factor" is asked for a second factor (123456),
 * "fresh" owes a password of its own and a second factor, "all" may everything.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeState } from './mockstate.mjs';
import { handlers } from './mockroutes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.map': 'text/plain; charset=utf-8' };
export const SECURITY = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/* METHOD and pattern of every route of the table. */
function routesOf(text) {
  const out = [];
  for (const line of text.split('\n')) {
    const m = /^route (\w+) (\S+) (\w+) (\w+) (\S+)/.exec(line);
    if (!m) continue;
    const [, method, path, op, vault, permission] = m;
    const vaults = vault === 'each' ? ['strategic', 'operational', 'protection', 'house'] : [vault];
    for (const v of vaults) {
      const pattern = path.replace('{vault}', v).replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
      out.push({ method, op, vault: v, permission: permission.replace('*', v), re: new RegExp(`^${pattern}$`) });
    }
  }
  return out;
}

const TITLES = { 400: ['Malformed request', 'FW_EFORMAT'], 401: ['Not logged in', 'FW_EAUTH'], 403: ['Not permitted', 'FW_EDENIED'], 404: ['Not here', 'FW_ENOTFOUND'], 409: ['In conflict with what is there', 'FW_ECONFLICT'], 422: ['Not as expected', 'FW_EINVALID'] };

export class Refusal extends Error {
  constructor(status, detail = '', code = TITLES[status]?.[1] ?? 'unexpected', place) {
    super(detail);
    Object.assign(this, { status, detail, code, place });
  }
}

function problem(res, e) {
  const body = { type: `/problems/${e.code}`, title: TITLES[e.status]?.[0] ?? 'Error', status: e.status, detail: e.detail, code: e.code, ...(e.place ? { place: e.place } : {}) };
  res.writeHead(e.status, { 'Content-Type': 'application/problem+json', ...SECURITY });
  res.end(JSON.stringify(body));
}

function serveFile(req, res) {
  const asked = decodeURIComponent(new URL(req.url, 'http://x').pathname);
  let file = join(dist, normalize(asked));
  const isAsset = asked.startsWith('/assets/');
  if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory()) {
    if (isAsset) return problem(res, new Refusal(404));
    file = join(dist, 'index.html'); // every other address is a page's
  }
  const headers = { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', ...SECURITY, 'Cache-Control': isAsset ? 'public, max-age=31536000, immutable' : 'no-cache' };
  const wanted = req.headers['accept-encoding'] ?? '';
  for (const [encoding, suffix] of [['br', '.br'], ['gzip', '.gz']]) {
    if (wanted.includes(encoding) && existsSync(file + suffix)) {
      res.writeHead(200, { ...headers, 'Content-Encoding': encoding, Vary: 'Accept-Encoding' });
      return createReadStream(file + suffix).pipe(res);
    }
  }
  res.writeHead(200, headers);
  return createReadStream(file).pipe(res);
}

function bodyOf(req) {
  return new Promise((resolve) => {
    const parts = [];
    req.on('data', (p) => parts.push(p));
    req.on('end', () => resolve(Buffer.concat(parts)));
  });
}

function sessionOf(req, state) {
  const token = /fairway_session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];
  return token ? state.sessions.get(token) : undefined;
}

async function answer(req, res, state, routes) {
  const url = new URL(req.url, 'http://x');
  for (const r of routes) {
    const m = r.method === req.method && r.re.exec(url.pathname);
    if (!m) continue;
    const session = sessionOf(req, state);
    if (r.permission !== 'public' && !session) throw new Refusal(401);
    if (!['public', 'session'].includes(r.permission)) {
      if (session.state !== 'open') throw new Refusal(401);
      const may = r.permission === 'self' || state.permissionsOf(session.account, r.vault).includes(r.permission) ||
        (r.permission === 'report.read' && state.permissionsOf(session.account, r.vault).includes('report.read_all'));
      if (!may) throw new Refusal(403, 'Your roles do not hold this permission.');
    }
    if (req.method !== 'GET' && r.permission !== 'public' && req.headers['x-fairway-csrf'] !== session.csrf) throw new Refusal(403, 'The token against cross-site requests is missing.');
    const fn = handlers[r.op];
    if (!fn) throw new Refusal(404, `${r.op} is not in the mock`);
    const raw = await bodyOf(req);
    const json = /json/.test(req.headers['content-type'] ?? '') && raw.length ? JSON.parse(raw.toString()) : undefined;
    const call = { state, session, params: m.groups ?? {}, query: Object.fromEntries(url.searchParams), body: json, raw, vault: r.vault, purpose: req.headers['x-fairway-purpose'] ?? url.searchParams.get('purpose'), Refusal };
    const out = await fn(call);
    const headers = { ...SECURITY, 'Content-Type': out.type ?? 'application/json', 'Cache-Control': 'no-store', ...out.headers };
    res.writeHead(out.status ?? 200, headers);
    return res.end(out.status === 204 ? undefined : out.type ? out.body : JSON.stringify(out.body));
  }
  throw new Refusal(404);
}

export function startMock({ port = 0, incidents = 3000, quiet = false } = {}) {
  const state = makeState(incidents);
  const routes = routesOf(readFileSync(join(here, '../../src/tbl/routes.tbl'), 'utf8'));
  const lacking = [...new Set(routes.filter((r) => !handlers[r.op]).map((r) => r.op))];
  if (lacking.length && !quiet) console.error(`mock: no answer for ${lacking.join(', ')}`);
  const server = createServer((req, res) => {
    const path = new URL(req.url, 'http://x').pathname;
    if (!path.startsWith('/api/')) return serveFile(req, res);
    answer(req, res, state, routes).catch((e) => problem(res, e instanceof Refusal ? e : new Refusal(500, String(e.stack))));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({ server, state, lacking, base: `http://127.0.0.1:${server.address().port}` })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const arg = (name, other) => {
    const i = process.argv.indexOf(name);
    return i > 0 ? Number(process.argv[i + 1]) : other;
  };
  const { base } = await startMock({ port: arg('--port', 8090), incidents: arg('--incidents', 3000) });
  console.log(base);
}

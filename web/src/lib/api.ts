// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The node's answers.  Every call goes through here: it adds the token against
 * cross-site requests, turns an answer of the Problem shape into an ApiError,
 * and holds a request whose session has ended until the reader has logged in
 * again, so that nothing typed is lost.
 */
import { signal } from '@preact/signals';
import type { Problem, SessionState } from '../gen/api';
import { look } from './i18n';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /* When the node says to wait: seconds. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem.title);
  }
}

export type Query = Record<string, string | number | undefined>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  /* Bytes instead of JSON. */
  upload?: Blob;
  purpose?: string;
  signal?: AbortSignal;
  /* Log-in itself: a 401 is an answer, not the end of a session. */
  asIs?: boolean;
}

let csrf = '';
export function setCsrf(token: string): void {
  csrf = token;
}

/* Whether the node answered the last request at all. */
export const offline = signal(false);
/* True while the page waits for the reader to log in again. */
export const sessionEnded = signal(false);
/* More than one request may wait. */
let waiting: ((again: boolean) => void)[] = [];

export function sessionRenewed(again: boolean): void {
  sessionEnded.value = false;
  const all = waiting;
  waiting = [];
  all.forEach((go) => go(again));
}

function waitForSession(): Promise<boolean> {
  sessionEnded.value = true;
  return new Promise((resolve) => waiting.push(resolve));
}

export function address(path: string, q: Query = {}): string {
  const s = new URLSearchParams();
  for (const [k, v] of Object.entries(q)) if (v !== undefined && v !== '') s.set(k, String(v));
  const text = s.toString().replace(/%2C/g, ',');
  return text ? `${path}?${text}` : path;
}

function headersOf(method: string, o: CallOptions): Headers {
  const h = new Headers({ Accept: 'application/json, application/problem+json', 'Accept-Language': look.value.lang });
  if (method !== 'GET') h.set('X-Fairway-CSRF', csrf);
  if (o.body !== undefined) h.set('Content-Type', 'application/json');
  else if (o.upload) h.set('Content-Type', 'application/octet-stream');
  if (o.purpose) h.set('X-Fairway-Purpose', o.purpose);
  return h;
}

async function problemOf(r: Response): Promise<Problem> {
  try {
    const p = (await r.json()) as Problem;
    if (typeof p.title === 'string' && typeof p.code === 'string') return p;
  } catch {
    /* not JSON: something between page and node answered */
  }
  return { type: 'about:blank', title: r.statusText || String(r.status), status: r.status, code: 'unexpected' };
}

async function send(method: string, path: string, o: CallOptions): Promise<Response> {
  const init: RequestInit = { method, headers: headersOf(method, o), credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
  if (o.signal) init.signal = o.signal;
  if (o.body !== undefined) init.body = JSON.stringify(o.body);
  else if (o.upload) init.body = o.upload;
  try {
    const r = await fetch(address(path, o.query), init);
    offline.value = false;
    return r;
  } catch (e) {
    if (o.signal?.aborted) throw e;
    offline.value = true;
    throw new ApiError(0, { type: 'about:blank', title: '', status: 599, code: 'offline' }, undefined);
  }
}

export async function raw(method: string, path: string, o: CallOptions = {}): Promise<Response> {
  for (;;) {
    const r = await send(method, path, o);
    if (r.ok) return r;
    if (r.status === 401 && !o.asIs && (await waitForSession())) continue;
    const after = Number(r.headers.get('Retry-After'));
    throw new ApiError(r.status, await problemOf(r), after > 0 ? after : undefined);
  }
}

async function json<T>(method: string, path: string, o?: CallOptions): Promise<T> {
  const r = await raw(method, path, o);
  if (r.status === 204) return undefined as T;
  return (await r.json()) as T;
}

export const get = <T>(path: string, query?: Query, o: CallOptions = {}): Promise<T> => json<T>('GET', path, { ...o, query });
export const post = <T>(path: string, body?: unknown, o: CallOptions = {}): Promise<T> => json<T>('POST', path, { ...o, body });
export const put = <T>(path: string, body?: unknown, o: CallOptions = {}): Promise<T> => json<T>('PUT', path, { ...o, body });
export const del = <T>(path: string, o: CallOptions = {}): Promise<T> => json<T>('DELETE', path, o);

/* Upload with progress, which fetch cannot tell. */
export function upload<T>(path: string, file: Blob, query: Query, onProgress: (sent: number) => void, abort: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open('POST', address(path, query));
    headersOf('POST', { upload: file }).forEach((v, k) => x.setRequestHeader(k, v));
    x.upload.onprogress = (e) => onProgress(e.loaded);
    x.onerror = () => reject(new ApiError(0, { type: 'about:blank', title: '', status: 599, code: 'offline' }, undefined));
    x.onabort = () => reject(new DOMException('', 'AbortError'));
    x.onload = () => {
      let answer: unknown;
      try {
        answer = JSON.parse(x.responseText);
      } catch {
        answer = { type: 'about:blank', title: x.statusText, status: x.status, code: 'unexpected' };
      }
      if (x.status >= 200 && x.status < 300) resolve(answer as T);
      else reject(new ApiError(x.status, answer as Problem, undefined));
    };
    abort.addEventListener('abort', () => x.abort());
    x.send(file);
  });
}

export type { Problem, SessionState };

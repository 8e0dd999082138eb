// SPDX-License-Identifier: AGPL-3.0-or-later
// The little of node that the tests use, so that no further package is needed for its types.
declare module 'node:assert/strict' {
  interface Assert {
    ok(value: unknown, message?: string): asserts value;
    equal(a: unknown, b: unknown, message?: string): void;
    deepEqual(a: unknown, b: unknown, message?: string): void;
    match(s: string, re: RegExp, message?: string): void;
    doesNotMatch(s: string, re: RegExp, message?: string): void;
    throws(f: () => unknown, re?: RegExp): void;
  }
  const assert: Assert;
  export default assert;
}
declare module 'node:test' {
  export function test(name: string, f: () => void | Promise<void>): void;
}
declare module 'node:fs' {
  export function readdirSync(p: string, o: { withFileTypes: true }): { name: string; isDirectory(): boolean }[];
  export function readFileSync(p: string, encoding: 'utf8'): string;
}
declare module 'node:path' {
  export function join(...parts: string[]): string;
}
declare const process: { env: Record<string, string | undefined> };
declare module '*/messages.mjs' {
  export function parseCatalogue(text: string, file?: string): Record<string, string>;
}

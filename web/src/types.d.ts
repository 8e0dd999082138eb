// SPDX-License-Identifier: AGPL-3.0-or-later
declare module '*.txt' {
  const messages: Record<string, string>;
  export default messages;
}
declare module '*.txt?pairs' {
  const pairs: string;
  export default pairs;
}
declare module '*.map' {
  const address: string;
  export default address;
}
declare module '*.css';

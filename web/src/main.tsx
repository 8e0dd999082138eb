// SPDX-License-Identifier: AGPL-3.0-or-later
import { render } from 'preact';
import './styles/index.css';
import { startMessages } from './lib/i18n';
import { startRouter } from './lib/router';
import { startSession } from './lib/session';
import { App } from './shell/app';

async function start(): Promise<void> {
  const root = document.getElementById('app');
  if (!root) return;
  startRouter();
  await startMessages();
  await startSession().catch(() => undefined); // the shell says that the node does not answer
  render(<App />, root);
}

void start();

// SPDX-License-Identifier: AGPL-3.0-or-later
// The mock's answers, by operation of src/tbl/routes.tbl.
import { house } from './mockhouse.mjs';
import { report } from './mockreport.mjs';

export const handlers = { ...house, ...report };

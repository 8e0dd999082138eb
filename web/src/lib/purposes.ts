// SPDX-License-Identifier: AGPL-3.0-or-later
// Purposes for which data may leave the strategic vault, as src/tbl/purposes.tbl names them.
import { purposes, type Purpose } from '../gen/api';

export const PURPOSES = (Object.keys(purposes) as Purpose[]).filter((p) => purposes[p].vaults.includes('strategic'));

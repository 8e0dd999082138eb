// SPDX-License-Identifier: AGPL-3.0-or-later
// Purposes for which data may leave the strategic vault, as src/tbl/purposes.tbl names them.
export const PURPOSES = ['statistics', 'risk_analysis', 'prevention', 'cooperation', 'protection', 'identification', 'oversight'] as const;

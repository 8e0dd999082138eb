// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs before the first paint: theme, language and direction, so that nothing flashes. The rest comes as a module.
import { applyLook, lookAtStart } from './lib/look';

applyLook(lookAtStart());

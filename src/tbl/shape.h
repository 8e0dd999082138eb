/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Holding what came in to what the tables say (shapes.tbl, routes.tbl).
 *
 * The body of a request is checked by the front, so that nonsense never comes
 * near a vault, and again by the vault's worker, which does not trust the
 * front.  The first fault found is told: its place as a path into the JSON
 * text ("persons[3].count") and what was expected there.  What was given is
 * never repeated: it may be a password or a person's name.
 *
 * A checked body has one form only, whatever its writer chose: the check
 *   - removes members that are null where the field may be absent;
 *   - makes integers of numbers like 5.0 or 1e3 where a whole number belongs,
 *     and reals of whole numbers where a real belongs,
 * so that a handler may use json_integer_value(), json_real_value() and
 * json_object_get() without further questions.
 */
#ifndef FW_TBL_SHAPE_H
#define FW_TBL_SHAPE_H

#include <jansson.h>

#include "tbl/rows.h"

struct diag;

/*
 * 0 when ${v} fits, else FW_EINVALID or -ENOMEM.  After an error ${v} may
 * be normalized in part.  Cost: linear in the size of ${v}, times the number
 * of fields of its shapes.
 */
int shape_check(const struct shape *s, json_t *v, struct diag *reterr);

/*
 * The same for a text: a query parameter or a part of the path, decoded.  Its
 * name becomes the place.  Numbers are plain decimals, bool is "true" or "false".
 */
int value_check_text(const struct value_type *t, const char *name, const char *text,
		     struct diag *reterr);

/* Whether ${s} has the form of a code: letters, digits, _ . : -, the first a letter or digit, 1 to
 * SHAPE_CODE_MAX. */
bool code_wellformed(const char *s);

#endif

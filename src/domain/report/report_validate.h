/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What holds between the fields of a report, and what follows from them. */
#ifndef FW_REPORT_VALIDATE_H
#define FW_REPORT_VALIDATE_H

#include "domain/report/report_fields.h"

struct diag;

/*
 * Whether the report makes sense as a whole: required fields, order of dates,
 * a position with its precision.  0, or FW_EINVALID with the field as place.
 * Cells are taken to be valid each for itself (cell_valid).
 */
int report_validate(const struct incident *inc, struct diag *reterr);

/*
 * Whether it is personal data though nobody is named (rule 7): about fewer
 * than five persons, or one does not know how many; or with a minor, a
 * pregnant, disabled or stateless person or an asylum wish in it.
 */
bool report_personal(const struct incident *inc);

/* First and last day it may have happened; false if nothing is known. */
bool report_days(const struct incident *inc, int32_t *ret_first, int32_t *ret_last);

#endif

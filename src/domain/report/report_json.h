/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A report as JSON, in the shapes NewIncident and Incident (src/tbl/shapes.tbl).
 * docs/incident-record.md shows it.
 */
#ifndef FW_REPORT_JSON_H
#define FW_REPORT_JSON_H

#include "base/uuid.h"
#include "domain/report/report_fields.h"

struct diag;
struct jp;
struct jw;

/* What stands beside the report itself. Cells point into the text that was read. */
struct incident_frame {
	struct cell status;
	int64_t based_on; /* 0 if absent */
	struct cell id;   /* text; of a file only */
};

enum json_origin {
	/* A person's request: what does not fit is refused. */
	JSON_REQUEST,
	/* A file, perhaps of another node or an older program: what the node
	 * knows itself is passed over, provenance is taken, and a code that no
	 * codebook has becomes a doubt with its text. */
	JSON_FILE,
};
/*
 * Read the object that begins at ${j}.  0; FW_EINVALID or FW_EFORMAT with the
 * field as place ("people[2].count"); -ENOMEM.  Texts point into the text of ${j}.
 */
int incident_read(struct jp *j, enum json_origin from, struct incident *inc, struct incident_frame *frame,
		  struct diag *reterr);

/*
 * Write the members of the report into the object that is open in ${w}.
 * ${provenance} (NULL: the object is left out unless the report has any of its own) adds to provenance.
 */
void incident_write(struct jw *w, const struct incident *inc, void (*provenance)(struct jw *w, void *arg), void *arg);

/* Decimal degrees: digits beyond the seventh are rounded. 0, FW_EFORMAT, FW_ERANGE (above 1000). */
int deg_parse(const char *p, size_t n, int64_t *ret);
enum { DEG_TEXT_LEN = 12 };
/* The shortest form; the length. */
size_t deg_format(int64_t deg, char out[DEG_TEXT_LEN + 1]);

/* Note a doubt in the report, its text cut to fit. Beyond the maximum of a report nothing is added. ${text} must outlive ${inc}. */
int incident_doubt(struct incident *inc, const char *field, int code, const char *text, size_t n);

#endif

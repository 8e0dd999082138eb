/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Reports as JSON, one a line: the layout "fairway", which export writes.
 * With it whole reports, all blocks, go from one node to another or come from
 * a system of the State that can write it.
 *
 * A report must be known again when the file comes twice.  Its number at its
 * source is, in this order: provenance.source_id (with provenance.system),
 * the id, the number.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/json_pull.h"
#include "domain/report/report_json.h"
#include "domain/report/report_reader.h"
#include "tbl/codebook/codebook.h"

int jsonl_row(char *line, size_t n, struct incident *inc, struct arena *mem, struct refusal *ret_why)
{
	struct jp j;
	struct incident_frame frame;
	struct diag d = DIAG_INIT;
	jp_init(&j, line, n);
	int r = incident_read(&j, JSON_FILE, inc, &frame, &d);
	if (r == 0 && jp_end(&j) != 0)
		r = diag_set(&d, FW_EFORMAT, "Expected the end of the line after the object.");
	struct cell *prov = inc->at[B_PROV], *core = inc->at[B_CORE];
	bool synthetic = cell_set(&core[CORE_SYNTHETIC]) && core[CORE_SYNTHETIC].i != 0;
	if (r == 0 && !cell_set(&prov[PROV_SOURCE_ID])) {
		const struct cell *id = cell_set(&frame.id) ? &frame.id : &core[CORE_NUMBER];
		if (!cell_set(id))
			r = diag_set(&d, FW_EINVALID, "Expected provenance.source_id, id or number, so that the report can be known again.");
		prov[PROV_SOURCE_ID] = *id;
		prov[PROV_SYSTEM] = cell_int(synthetic ? CV_SYSTEM_FAIRWAY_SYNTHETIC : CV_SYSTEM_FAIRWAY);
	}
	if (r == 0 && !cell_set(&prov[PROV_SYSTEM]))
		prov[PROV_SYSTEM] = cell_int(CV_SYSTEM_FAIRWAY);
	if (r == 0 && prov[PROV_SOURCE_ID].i > blocks[B_PROV].fields[PROV_SOURCE_ID].max)
		r = diag_set(&d, FW_EINVALID, "Expected an id of at most 200 bytes.");
	if (r == 0 && !cell_set(&prov[PROV_SOURCE_STATUS]) && cell_set(&frame.status))
		prov[PROV_SOURCE_STATUS] = frame.status;
	if (r == 0 && !cell_set(&core[CORE_NUMBER])) {
		const struct cell *id = &prov[PROV_SOURCE_ID];
		core[CORE_NUMBER] = cell_text(id->s, id->i > 64 ? utf8_cut(id->s, 64) : (size_t)id->i);
	}
	if (r == 0 && !cell_valid(&blocks[B_PROV].fields[PROV_SOURCE_STATUS], &prov[PROV_SOURCE_STATUS]))
		r = diag_set(&d, FW_EINVALID, "Expected a status of at most 40 bytes.");
	if (r == 0)
		return 0;
	if (r != FW_EINVALID && r != FW_EFORMAT && r != FW_ELIMIT)
		return r;
	ret_why->field = arena_strdup(mem, d.place);
	ret_why->reason = arena_strdup(mem, d.text[0] != '\0' ? d.text : err_text(r));
	return arena_failed(mem) ? -ENOMEM : 1;
}
